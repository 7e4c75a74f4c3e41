//! [`ClientStore`](identety_domain::store::ClientStore): one client at a time.

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::client::{Client, ClientMetadata, ClientType, StoredSecret};
use identety_domain::store::{Change, Creation, Rehashed};

use super::Stores;
use super::fixtures::{
    at, client_id, created, deleted, find, find_by_id, full_client, id, m2m_client, phc, renamed,
    secret, updated, with_secrets,
};

pub async fn a_created_client_is_found_by_its_client_id_and_by_its_id(stores: &Stores) {
    let client = created(stores, m2m_client(1)).await;
    created(stores, m2m_client(2)).await;
    assert_eq!(find(stores, &client).await.as_ref(), Some(&client));
    assert_eq!(find_by_id(stores, &client).await.as_ref(), Some(&client));
}

pub async fn every_member_of_a_client_comes_back_as_it_was(stores: &Stores) {
    let metadata = ClientMetadata { name: Some("App".to_owned()), ..Default::default() };
    let public = Client {
        client_id: client_id("public_1"),
        kind: ClientType::Public,
        metadata: metadata.validate(ClientType::Public).expect("metadata"),
        secrets: Vec::new(),
        ..m2m_client(1)
    };
    for client in [public, full_client(2), m2m_client(3)] {
        let client = created(stores, client).await;
        assert_eq!(find(stores, &client).await.as_ref(), Some(&client));
        assert_eq!(find_by_id(stores, &client).await.as_ref(), Some(&client));
    }
}

pub async fn a_client_that_is_not_there_is_not_found(stores: &Stores) {
    created(stores, m2m_client(1)).await;
    assert_eq!(find(stores, &m2m_client(2)).await, None);
    assert_eq!(find_by_id(stores, &m2m_client(2)).await, None);
}

pub async fn a_client_id_may_have_every_character_that_oauth_allows(stores: &Stores) {
    let all: String = (' '..='~').collect();
    let long = "x".repeat(255);
    for (number, text) in [all.as_str(), long.as_str(), " ", "#", "APIKEY"].into_iter().enumerate()
    {
        let number = u16::try_from(number).expect("a small number");
        let client = Client { client_id: client_id(text), ..m2m_client(number) };
        let client = created(stores, client).await;
        assert_eq!(find(stores, &client).await.as_ref(), Some(&client));
        assert_eq!(find_by_id(stores, &client).await.as_ref(), Some(&client));
    }
}

pub async fn where_the_client_id_is_taken_nothing_is_created(stores: &Stores) {
    let first = created(stores, full_client(1)).await;
    let second = Client { client_id: first.client_id.clone(), ..m2m_client(2) };
    let creation = stores.clients.create(&second).await.expect("an answer");
    assert_eq!(creation, Creation::ClientIdTaken);
    assert_eq!(find(stores, &first).await.as_ref(), Some(&first));
    assert_eq!(find_by_id(stores, &first).await.as_ref(), Some(&first));
    assert_eq!(find_by_id(stores, &second).await, None);
    assert_eq!(stores.clients.count().await.expect("a count"), 1);
}

pub async fn an_update_writes_metadata_version_and_time(stores: &Stores) {
    let before = created(stores, m2m_client(1)).await;
    let other = created(stores, m2m_client(2)).await;
    let mut after = renamed(&before, "Another name");
    after.metadata.is_active = false;
    let after = updated(stores, &before, after).await;
    assert_ne!(after, before);
    assert_eq!(find(stores, &before).await.as_ref(), Some(&after));
    assert_eq!(find_by_id(stores, &before).await.as_ref(), Some(&after));
    assert_eq!(find(stores, &other).await.as_ref(), Some(&other));
}

pub async fn an_update_adds_changes_and_removes_secrets(stores: &Stores) {
    let first = created(stores, m2m_client(1)).await;
    let [old] = first.secrets.clone().try_into().expect("one secret");
    let ending = StoredSecret { expires_at: Some(at(9)), ..old };
    let second = with_secrets(&first, vec![ending.clone(), secret(2)]);
    let second = updated(stores, &first, second).await;
    assert_eq!(find(stores, &first).await.as_ref(), Some(&second));
    let third = updated(stores, &second, with_secrets(&second, vec![secret(2)])).await;
    assert_eq!(find(stores, &first).await.as_ref(), Some(&third));
    let all_at_once = vec![StoredSecret { hint: "new".to_owned(), ..secret(3) }, secret(4)];
    let fourth = updated(stores, &third, with_secrets(&third, all_at_once)).await;
    assert_eq!(find(stores, &first).await.as_ref(), Some(&fourth));
}

pub async fn an_update_from_an_old_version_changes_nothing(stores: &Stores) {
    let first = created(stores, m2m_client(1)).await;
    let second = updated(stores, &first, renamed(&first, "Second")).await;
    let late = with_secrets(&renamed(&first, "Late"), vec![secret(2)]);
    let late = Client { version: second.version, ..late };
    let change = stores.clients.update(&first, &late).await.expect("an answer");
    assert_eq!(change, Change::Conflict);
    assert_eq!(find(stores, &first).await.as_ref(), Some(&second));
    assert_eq!(find_by_id(stores, &first).await.as_ref(), Some(&second));
}

pub async fn an_update_of_a_client_that_is_gone_creates_nothing(stores: &Stores) {
    let client = created(stores, m2m_client(1)).await;
    deleted(stores, &client).await;
    let change = stores.clients.update(&client, &renamed(&client, "Late")).await;
    assert_eq!(change.expect("an answer"), Change::Conflict);
    assert_eq!(find(stores, &client).await, None);
    assert_eq!(find_by_id(stores, &client).await, None);
}

pub async fn an_update_leaves_the_next_holder_of_the_client_id_alone(stores: &Stores) {
    let (first, next) = succession(stores).await;
    let change = stores.clients.update(&first, &renamed(&first, "Late")).await;
    assert_eq!(change.expect("an answer"), Change::Conflict);
    assert_eq!(find(stores, &next).await.as_ref(), Some(&next));
}

pub async fn an_update_undoes_no_use_of_a_secret_recorded_meanwhile(stores: &Stores) {
    let before = created(stores, m2m_client(1)).await;
    record_use(stores, &before, None).await;
    let after = updated(stores, &before, renamed(&before, "New")).await;
    let mut expected = after;
    expected.secrets = vec![StoredSecret { last_used_at: Some(at(500)), ..secret(1) }];
    assert_eq!(find(stores, &before).await, Some(expected));
}

pub async fn an_update_undoes_no_new_hash_recorded_meanwhile(stores: &Stores) {
    let before = created(stores, m2m_client(1)).await;
    let (from, to) = (secret(1).phc, phc("new"));
    record_use(stores, &before, Some(Rehashed { from: &from, to: &to })).await;
    let after = with_secrets(&before, vec![secret(1), secret(2)]);
    let mut expected = updated(stores, &before, after).await;
    let used = StoredSecret { phc: to, last_used_at: Some(at(500)), ..secret(1) };
    expected.secrets = vec![used, secret(2)];
    assert_eq!(find(stores, &before).await, Some(expected));
}

pub async fn an_update_that_gives_a_secret_an_end_undoes_nothing_else_of_it(stores: &Stores) {
    let before = created(stores, m2m_client(1)).await;
    let (from, to) = (secret(1).phc, phc("new"));
    record_use(stores, &before, Some(Rehashed { from: &from, to: &to })).await;
    let ending = StoredSecret { expires_at: Some(at(600)), ..secret(1) };
    let mut expected =
        updated(stores, &before, with_secrets(&before, vec![ending.clone(), secret(2)])).await;
    let used = StoredSecret { phc: to, last_used_at: Some(at(500)), ..ending };
    expected.secrets = vec![used, secret(2)];
    assert_eq!(find(stores, &before).await, Some(expected));
}

pub async fn an_update_can_take_the_end_of_a_secret_away(stores: &Stores) {
    let ending = StoredSecret { expires_at: Some(at(600)), ..secret(1) };
    let before = Client { secrets: vec![ending], ..m2m_client(1) };
    let before = created(stores, before).await;
    let after = updated(stores, &before, with_secrets(&before, vec![secret(1)])).await;
    assert_eq!(find(stores, &before).await, Some(after));
}

pub async fn a_deletion_takes_the_client_and_its_id_away(stores: &Stores) {
    let client = created(stores, full_client(1)).await;
    let other = created(stores, full_client(2)).await;
    deleted(stores, &client).await;
    assert_eq!(find(stores, &client).await, None);
    assert_eq!(find_by_id(stores, &client).await, None);
    assert_eq!(find_by_id(stores, &other).await.as_ref(), Some(&other));
    assert_eq!(stores.clients.count().await.expect("a count"), 1);
    // Nothing of it is in the way of another one.
    created(stores, client).await;
}

pub async fn a_deletion_from_an_old_version_changes_nothing(stores: &Stores) {
    let first = created(stores, m2m_client(1)).await;
    let second = updated(stores, &first, renamed(&first, "Second")).await;
    let change = stores.clients.delete(&first).await.expect("an answer");
    assert_eq!(change, Change::Conflict);
    assert_eq!(find(stores, &first).await.as_ref(), Some(&second));
    assert_eq!(find_by_id(stores, &first).await.as_ref(), Some(&second));
}

pub async fn a_deletion_of_a_client_that_is_gone_is_a_conflict(stores: &Stores) {
    let client = created(stores, m2m_client(1)).await;
    deleted(stores, &client).await;
    for gone in [client, m2m_client(2)] {
        let change = stores.clients.delete(&gone).await.expect("an answer");
        assert_eq!(change, Change::Conflict);
    }
}

pub async fn a_deletion_leaves_the_next_holder_of_the_client_id_alone(stores: &Stores) {
    let (first, next) = succession(stores).await;
    let change = stores.clients.delete(&first).await.expect("an answer");
    assert_eq!(change, Change::Conflict);
    assert_eq!(find(stores, &next).await.as_ref(), Some(&next));
    assert_eq!(find_by_id(stores, &next).await.as_ref(), Some(&next));
    assert_eq!(find_by_id(stores, &first).await, None);
}

/// A client that is gone, and the one that has its `clientId` and version now.
async fn succession(stores: &Stores) -> (Client, Client) {
    let first = created(stores, m2m_client(1)).await;
    deleted(stores, &first).await;
    let next = created(stores, Client { id: id(2), ..first.clone() }).await;
    (first, next)
}

async fn record_use(stores: &Stores, client: &Client, rehashed: Option<Rehashed<'_>>) {
    let recorded =
        stores.clients.record_secret_use(&client.client_id, secret(1).id, at(500), rehashed).await;
    recorded.expect("a record");
}
