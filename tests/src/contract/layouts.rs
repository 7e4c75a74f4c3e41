//! Items of two layouts. This release works on items of the next release, as in a canary deployment;
//! then the next release finds what it wrote, as after a roll-back that is rolled forward again.

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use identety_domain::Scope;
use identety_domain::client::{Client, SigningAlg, StoredSecret};
use identety_domain::keys::{KeyRing, KeyState, NewKey, PublicKey, SealedKey, WrappedKey};
use identety_domain::store::{Change, From, Order, Rehashed, UserWrite};
use identety_domain::user::{StoredPassword, User};
use identety_dynamodb::sdk::types::AttributeValue;

use super::consents::{consent, consented};
use super::corrupt::{map, number, text};
use super::fixtures::{
    at, created, deleted, find, find_by_id, full_client, full_user, id, m2m_client, phc, renamed,
    ring, secret, updated, user_created, user_found, with_email, with_secrets,
};
use super::{Raw, Stores, grant_layouts};

type Item = HashMap<String, AttributeValue>;

/// The layout in which this release makes items.
const THIS: &str = "1";
/// The layout in which the next release may make items.
const NEXT: &str = "2";

/// A member that this release does not know.
const LATER: &str = "later";
/// One that this release does not know and that has no value.
const LATER_NULL: &str = "laterNull";

fn later() -> AttributeValue {
    map([("of", text("the next release"))])
}

/// An item that the next release has made.
pub(super) struct NextItem<'a> {
    raw: &'a Raw,
    table: &'a str,
    key: Vec<(&'a str, String)>,
    /// Where in it maps have a member that this release does not know.
    maps: Vec<Vec<String>>,
}

impl<'a> NextItem<'a> {
    /// Turns the item with that key into one of the next layout: with members that this release does not
    /// know in the item itself and in the maps at `paths`.
    pub(super) async fn make(
        raw: &'a Raw,
        table: &'a str,
        key: &[(&'a str, &str)],
        paths: &[&[&str]],
    ) -> Self {
        let key = key.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let maps = paths.iter().map(|path| path.iter().map(|name| (*name).to_owned()).collect());
        let this = Self { raw, table, key, maps: maps.collect() };
        let mut item = this.item().await.expect("an item of this layout");
        assert_eq!(item["schema"], number(THIS));
        item.insert("schema".to_owned(), number(NEXT));
        item.insert(LATER.to_owned(), later());
        item.insert(LATER_NULL.to_owned(), AttributeValue::Null(true));
        for path in &this.maps {
            inner(&mut item, path).insert(LATER.to_owned(), later());
        }
        this.put(item).await;
        this
    }

    /// Changes the item as the next release does.
    pub(super) async fn change(&self, change: impl FnOnce(&mut Item)) {
        let mut item = self.item().await.expect("the item");
        change(&mut item);
        self.put(item).await;
    }

    async fn put(&self, item: Item) {
        let put = self.raw.dynamo.put_item().table_name(self.table).set_item(Some(item));
        put.send().await.expect("a writing");
    }

    /// The item as it is.
    pub(super) async fn item(&self) -> Option<Item> {
        let key: Vec<_> = self.key.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.raw.item(self.table, &key).await
    }

    /// Reads the item as the next release does: it has its layout and all of its members.
    pub(super) async fn check_kept(&self) -> Item {
        let mut item = self.item().await.expect("the item");
        assert_eq!(item["schema"], number(NEXT), "{:?}", self.key);
        assert_eq!(item[LATER], later(), "{:?}", self.key);
        assert_eq!(item[LATER_NULL], AttributeValue::Null(true), "{:?}", self.key);
        for path in &self.maps {
            assert_eq!(inner(&mut item, path)[LATER], later(), "{path:?} of {:?}", self.key);
        }
        item
    }
}

/// The map at `path` in an item.
fn inner<'a>(item: &'a mut Item, path: &[String]) -> &'a mut Item {
    path.iter().fold(item, |map, name| match map.get_mut(name) {
        Some(AttributeValue::M(map)) => map,
        other => panic!("{name} is no map but {other:?}"),
    })
}

/// What every kind of item of layout 1 has. Another set of members is another layout: see the rules in
/// `shared/dynamodb/src/layout.rs` before you change this.
const MEMBERS: [(&str, &[&str]); 14] = [
    ("APIKEY", &["phc"]),
    ("ATTEMPTS", &["blockedUntil", "n", "ttl"]),
    (
        "CLIENT",
        &[
            "clientId",
            "createdAt",
            "id",
            "listing",
            "metadata",
            "secrets",
            "type",
            "updatedAt",
            "version",
        ],
    ),
    ("CONSENT", &["consentedAt", "generation", "scope", "sk"]),
    ("EMAIL", &["sk", "userId"]),
    ("FAILURES", &["n", "ttl"]),
    (
        "GRANT",
        &[
            "authTime",
            "client",
            "codeChallenge",
            "endedAt",
            "generation",
            "issuedAt",
            "nonce",
            "redeemedAt",
            "redemption",
            "redirectUri",
            "resources",
            "rotatedAt",
            "scope",
            "session",
            "ttl",
            "user",
        ],
    ),
    ("ID", &["clientId"]),
    ("KEY ES256", &["alg", "keys", "sk", "version"]),
    ("KEY SEAL", &["sk", "wrapped"]),
    ("SESSION", &["authTime", "endedAt", "id", "lastSeenAt", "transaction", "ttl", "user"]),
    ("SIGNEDOUT", &["signedOutAt", "ttl"]),
    ("TRANSACTION", &["browser", "createdAt", "isDenied", "request", "ttl"]),
    ("USER", &["createdAt", "details", "id", "listing", "password", "sk", "updatedAt", "version"]),
];

pub async fn every_kind_of_item_is_made_in_this_layout_with_these_members(
    stores: &Stores,
    raw: &Raw,
) {
    let keys = make_one_of_each(stores).await;
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (kind, key) in keys {
        let table = raw.table_of(kind);
        let key: Vec<_> =
            ["pk", "sk"].into_iter().zip(&key).map(|(name, part)| (name, part.as_str())).collect();
        let item = raw.item(table, &key).await.expect("an item");
        assert_eq!(item.get("schema"), Some(&number(THIS)), "{kind}");
        let names = item.into_keys().filter(|name| name != "pk" && name != "schema");
        found.entry(kind.to_owned()).or_default().extend(names);
    }
    let members = MEMBERS.map(|(kind, names)| {
        (kind.to_owned(), names.iter().map(|name| (*name).to_owned()).collect())
    });
    assert_eq!(found, BTreeMap::from(members));
}

/// Makes items of each kind, which together have every member, and gives their keys.
async fn make_one_of_each(stores: &Stores) -> Vec<(&'static str, Vec<String>)> {
    let mut keys = grant_layouts::make_one_of_each(stores).await;
    let client = created(stores, full_client(1)).await;
    keys.push(("CLIENT", vec![format!("CLIENT#{}", client.client_id)]));
    keys.push(("ID", vec![format!("ID#{}", client.id)]));
    stores.api_keys.set_api_key(&phc("key")).await.expect("a writing");
    keys.push(("APIKEY", vec!["APIKEY".to_owned()]));
    let user = user_created(stores, with_password(full_user(1))).await;
    keys.push(("USER", vec![format!("USER#{}", user.id), "USER".to_owned()]));
    let pk = format!("EMAIL#{}", user.details.email.normalized());
    keys.push(("EMAIL", vec![pk, "EMAIL".to_owned()]));
    consent(stores, id(1), id(2), &Scope::parse("a").expect("a scope")).await;
    keys.push(("CONSENT", vec![format!("CONSENT#{}", id(1)), id(2).to_string()]));
    let first = ring(SigningAlg::Es256, 1, "a");
    assert_eq!(stores.keys.put_ring(&first).await.expect("an answer"), Change::Done);
    keys.push(("KEY ES256", vec!["KEY".to_owned(), "ES256".to_owned()]));
    let wrapped = stores.keys.put_wrapped_key(&WrappedKey("wrapped".to_owned())).await;
    assert_eq!(wrapped.expect("an answer"), Change::Done);
    keys.push(("KEY SEAL", vec!["KEY".to_owned(), "SEAL".to_owned()]));
    keys
}

impl Raw {
    /// The table of a kind of items.
    fn table_of(&self, kind: &str) -> &str {
        match kind {
            "APIKEY" | "CLIENT" | "ID" => &self.tables.clients,
            "CONSENT" | "EMAIL" | "USER" => &self.tables.accounts,
            "KEY ES256" | "KEY SEAL" => &self.tables.keys,
            _ => &self.tables.grants,
        }
    }

    /// The item with that key.
    async fn item(&self, table: &str, key: &[(&str, &str)]) -> Option<Item> {
        let mut get = self.dynamo.get_item().table_name(table).consistent_read(true);
        for (name, value) in key {
            get = get.key(*name, text(value));
        }
        get.send().await.expect("a reading").item
    }
}

fn with_password(user: User) -> User {
    User { password: Some(StoredPassword { phc: phc("old"), changed_at: at(1) }), ..user }
}

/// `client` as the next release has made it, with its pointer.
async fn next_client<'a>(stores: &Stores, raw: &'a Raw, client: &Client) -> [NextItem<'a>; 2] {
    created(stores, client.clone()).await;
    let first = client.secrets.first().expect("a secret").id.to_string();
    // The map of secrets holds nothing but secrets, so it is a secret that has more.
    let maps: [&[&str]; 3] = [&["metadata"], &["metadata", "lifetimes"], &["secrets", &first]];
    let pk = format!("CLIENT#{}", client.client_id);
    let item = NextItem::make(raw, &raw.tables.clients, &[("pk", &pk)], &maps).await;
    let pk = format!("ID#{}", client.id);
    [item, NextItem::make(raw, &raw.tables.clients, &[("pk", &pk)], &[]).await]
}

pub async fn a_client_of_the_next_layout_keeps_what_this_release_does_not_know(
    stores: &Stores,
    raw: &Raw,
) {
    let client = full_client(1);
    let [item, pointer] = next_client(stores, raw, &client).await;
    assert_eq!(find(stores, &client).await.as_ref(), Some(&client));
    assert_eq!(find_by_id(stores, &client).await.as_ref(), Some(&client));
    let list = stores.clients.list(Order::default(), From::Offset(0), 10).await.expect("a list");
    assert_eq!(list.clients, std::slice::from_ref(&client));
    // Every member of the metadata changes that can.
    let mut metadata = m2m_client(1).metadata;
    metadata.lifetimes.access_token = 77;
    let client = updated(stores, &client, client.with_metadata(metadata, at(100_000))).await;
    item.check_kept().await;
    // One secret changes, and there is another one more.
    let ended = client
        .secrets
        .iter()
        .map(|secret| StoredSecret { expires_at: Some(at(99_999)), ..secret.clone() });
    let secrets = ended.chain([secret(7)]).collect();
    let mut client = updated(stores, &client, with_secrets(&client, secrets)).await;
    let used = client.secrets.first_mut().expect("a secret");
    let (from, to) = (used.phc.clone(), phc("new"));
    let rehashed = Some(Rehashed { from: &from, to: &to });
    let noted = stores.clients.record_secret_use(&client.client_id, used.id, at(200_000), rehashed);
    noted.await.expect("a writing");
    (used.phc, used.last_used_at) = (to, Some(at(200_000)));
    let stored = item.check_kept().await;
    assert_eq!(stored["version"], number(&client.version.to_string()));
    pointer.check_kept().await;
    let mut found = find(stores, &client).await.expect("the client");
    found.secrets.sort_by_key(|secret| secret.id);
    client.secrets.sort_by_key(|secret| secret.id);
    assert_eq!(found, client);
}

pub async fn changes_of_two_releases_to_one_client_do_not_undo_each_other(
    stores: &Stores,
    raw: &Raw,
) {
    let client = full_client(1);
    let [item, _] = next_client(stores, raw, &client).await;
    let after = renamed(&client, "Of this release");
    let version = number(&(client.version + 1).to_string());
    let another = text("changed by the next release");
    item.change(|item| {
        item.insert("version".to_owned(), version);
        inner(item, &["metadata".to_owned()]).insert("another".to_owned(), another.clone());
    })
    .await;
    let update = stores.clients.update(&client, &after).await.expect("an answer");
    assert_eq!(update, Change::Conflict, "it began with what is no longer there");
    let client = find(stores, &client).await.expect("the client");
    updated(stores, &client, renamed(&client, "Of this release")).await;
    let mut stored = item.check_kept().await;
    let metadata = inner(&mut stored, &["metadata".to_owned()]);
    assert_eq!(metadata["another"], another);
    assert_eq!(metadata["name"], text("Of this release"));
}

pub async fn a_client_of_the_next_layout_is_deleted_whole(stores: &Stores, raw: &Raw) {
    let client = full_client(1);
    let items = next_client(stores, raw, &client).await;
    deleted(stores, &client).await;
    for item in items {
        assert_eq!(item.item().await, None);
    }
}

/// `user` as the next release has made it, with the pointer from its address.
async fn next_user<'a>(stores: &Stores, raw: &'a Raw, user: &User) -> [NextItem<'a>; 2] {
    user_created(stores, user.clone()).await;
    let maps: [&[&str]; 3] = [&["details"], &["details", "address"], &["password"]];
    let key = [("pk", &*format!("USER#{}", user.id)), ("sk", "USER")];
    let item = NextItem::make(raw, &raw.tables.accounts, &key, &maps).await;
    let key = [("pk", &*format!("EMAIL#{}", user.details.email.normalized())), ("sk", "EMAIL")];
    [item, NextItem::make(raw, &raw.tables.accounts, &key, &[]).await]
}

pub async fn a_user_of_the_next_layout_keeps_what_this_release_does_not_know(
    stores: &Stores,
    raw: &Raw,
) {
    let user = with_password(full_user(1));
    let [item, pointer] = next_user(stores, raw, &user).await;
    assert_eq!(user_found(stores, &user).await.as_ref(), Some(&user));
    let found = stores.users.find_by_email(&user.details.email).await.expect("a reading");
    assert_eq!(found.as_ref(), Some(&user));
    let mut details = user.details.clone();
    (details.name, details.nickname) = (Some("New".to_owned()), None);
    details.metadata.clear();
    details.address.as_mut().expect("an address").region = None;
    let after = user.with_details(details, at(100_000));
    let after = User {
        password: Some(StoredPassword { phc: phc("new"), changed_at: at(100_000) }),
        ..after
    };
    let update = stores.users.update(&user, &after).await.expect("an answer");
    assert_eq!(update, UserWrite::Done);
    let (from, to) = (phc("new"), phc("newer"));
    let rehash = stores.users.record_rehash(user.id, Rehashed { from: &from, to: &to });
    rehash.await.expect("a writing");
    let stored = item.check_kept().await;
    assert_eq!(stored["version"], number(&after.version.to_string()));
    pointer.check_kept().await;
    let password = Some(StoredPassword { phc: to, changed_at: at(100_000) });
    assert_eq!(user_found(stores, &user).await, Some(User { password, ..after }));
}

pub async fn a_new_email_keeps_what_this_release_does_not_know_of_the_user(
    stores: &Stores,
    raw: &Raw,
) {
    let user = with_password(full_user(1));
    let [item, pointer] = next_user(stores, raw, &user).await;
    let after = with_email(&user, "another@example.com");
    let update = stores.users.update(&user, &after).await.expect("an answer");
    assert_eq!(update, UserWrite::Done);
    item.check_kept().await;
    assert_eq!(pointer.item().await, None, "the address is free");
    let found = stores.users.find_by_email(&after.details.email).await.expect("a reading");
    assert_eq!(found, Some(after));
}

pub async fn a_user_of_the_next_layout_is_deleted_whole(stores: &Stores, raw: &Raw) {
    let user = with_password(full_user(1));
    let items = next_user(stores, raw, &user).await;
    assert_eq!(stores.users.delete(&user).await.expect("an answer"), Change::Done);
    for item in items {
        assert_eq!(item.item().await, None);
    }
}

pub async fn a_consent_of_the_next_layout_keeps_what_this_release_does_not_know(
    stores: &Stores,
    raw: &Raw,
) {
    let scope = |text| Scope::parse(text).expect("a scope");
    consent(stores, id(1), id(2), &scope("a")).await;
    let key = [("pk", &*format!("CONSENT#{}", id(1))), ("sk", &*id(2).to_string())];
    let item = NextItem::make(raw, &raw.tables.accounts, &key, &[]).await;
    consent(stores, id(1), id(2), &scope("b")).await;
    consent(stores, id(1), id(2), &Scope::default()).await;
    item.check_kept().await;
    let both = consented(stores, id(1), id(2)).await;
    assert_eq!(both, Some(BTreeSet::from(["a".to_owned(), "b".to_owned()])));
    stores.consents.forget_consents(id(1)).await.expect("an end");
    assert_eq!(item.item().await, None);
}

pub async fn an_api_key_of_the_next_layout_keeps_what_this_release_does_not_know(
    stores: &Stores,
    raw: &Raw,
) {
    stores.api_keys.set_api_key(&phc("old")).await.expect("a writing");
    let item = NextItem::make(raw, &raw.tables.clients, &[("pk", "APIKEY")], &[]).await;
    let read = async || stores.api_keys.api_key().await.expect("a reading");
    assert_eq!(read().await, Some(phc("old")));
    let created = stores.api_keys.create_api_key(&phc("another")).await.expect("an answer");
    assert_eq!(created, Change::Conflict);
    stores.api_keys.set_api_key(&phc("new")).await.expect("a writing");
    assert_eq!(read().await, Some(phc("new")));
    item.check_kept().await;
}

/// A ring of the next layout: each of its keys has a member that this release does not know, and so has
/// its public half.
async fn next_ring<'a>(stores: &Stores, raw: &'a Raw, ring: &KeyRing) -> NextItem<'a> {
    assert_eq!(stores.keys.put_ring(ring).await.expect("an answer"), Change::Done);
    let key = [("pk", "KEY"), ("sk", ring.alg.as_str())];
    let item = NextItem::make(raw, &raw.tables.keys, &key, &[]).await;
    item.change(|item| {
        for key in keys(item) {
            let of = map([("kid", key["kid"].clone())]);
            key.insert(LATER.to_owned(), of.clone());
            inner(key, &["public".to_owned()]).insert(LATER.to_owned(), of);
        }
    })
    .await;
    item
}

/// The keys of a ring's item.
fn keys(item: &mut Item) -> impl Iterator<Item = &mut Item> {
    let Some(AttributeValue::L(keys)) = item.get_mut("keys") else { panic!("no list of keys") };
    keys.iter_mut().map(|key| match key {
        AttributeValue::M(key) => key,
        other => panic!("{other:?} is no key"),
    })
}

/// Which of the keys in the stored ring have the members of the next release.
async fn keys_with_later(item: &NextItem<'_>) -> Vec<String> {
    let mut stored = item.check_kept().await;
    let mut kept = Vec::new();
    for key in keys(&mut stored) {
        let kid = key["kid"].clone();
        let (of, own) = (map([("kid", kid.clone())]), key.get(LATER).cloned());
        assert_eq!(own, inner(key, &["public".to_owned()]).get(LATER).cloned());
        if own.is_some() {
            assert_eq!(own, Some(of), "it is that of this key");
            kept.push(kid.as_s().expect("a text").clone());
        }
    }
    kept.sort();
    kept
}

fn new_key(kid: &str) -> NewKey {
    let public = PublicKey::Ec { crv: "P-256".to_owned(), x: kid.to_owned(), y: "y".to_owned() };
    NewKey { kid: kid.to_owned(), public, sealed: SealedKey(format!("sealed {kid}")) }
}

pub async fn a_ring_of_the_next_layout_keeps_what_this_release_does_not_know(
    stores: &Stores,
    raw: &Raw,
) {
    let first = ring(SigningAlg::Es256, 1, "a");
    let item = next_ring(stores, raw, &first).await;
    assert_eq!(stores.keys.load().await.expect("the keys").rings, std::slice::from_ref(&first));
    let rotated = first.rotated(new_key("new"), at(9));
    assert_eq!(stores.keys.put_ring(&rotated).await.expect("an answer"), Change::Done);
    assert_eq!(stores.keys.load().await.expect("the keys").rings, [rotated]);
    // The keys that stay are in other states now, and the new one has nothing of theirs.
    assert_eq!(keys_with_later(&item).await, ["a-1-Current", "a-1-Next"]);
}

pub async fn a_key_that_leaves_the_ring_takes_its_members_along(stores: &Stores, raw: &Raw) {
    let first = ring(SigningAlg::Es256, 1, "a");
    let item = next_ring(stores, raw, &first).await;
    let rings = [first.without_previous(), first.without_current(new_key("new"), at(9))];
    for (round, mut ring) in (2..).zip(rings) {
        ring.version = round;
        assert_eq!(stores.keys.put_ring(&ring).await.expect("an answer"), Change::Done);
    }
    assert_eq!(keys_with_later(&item).await, ["a-1-Next"]);
    let stored = stores.keys.load().await.expect("the keys").rings.remove(0);
    assert_eq!(stored.in_state(KeyState::Current).expect("a key").kid, "a-1-Next");
}

pub async fn a_wrapped_key_of_the_next_layout_is_read(stores: &Stores, raw: &Raw) {
    let key = WrappedKey("wrapped".to_owned());
    assert_eq!(stores.keys.put_wrapped_key(&key).await.expect("an answer"), Change::Done);
    let item = NextItem::make(raw, &raw.tables.keys, &[("pk", "KEY"), ("sk", "SEAL")], &[]).await;
    assert_eq!(stores.keys.load().await.expect("the keys").wrapped_key.as_ref(), Some(&key));
    let another = WrappedKey("another".to_owned());
    for (key, expected) in [(&key, Change::Done), (&another, Change::Conflict)] {
        assert_eq!(stores.keys.put_wrapped_key(key).await.expect("an answer"), expected);
    }
    item.check_kept().await;
}
