//! Clients, users and keys to put into a store.

use std::collections::BTreeMap;

use identety_domain::Timestamp;
use identety_domain::client::{
    Client, ClientId, ClientMetadata, ClientType, SigningAlg, StoredSecret,
};
use identety_domain::hashing::{HashCost, PhcString};
use identety_domain::keys::{KeyRing, KeyState, PublicKey, SealedKey, SigningKey};
use identety_domain::store::Stores;
use identety_domain::store::{Change, Creation, UserWrite};
use identety_domain::user::{Address, EmailAddress, StoredPassword, User, UserMetadata};
use uuid::Uuid;

/// `millis` after the time at which the fixtures were made.
pub(super) fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_900_000_000_000 + millis)
}

/// The id of the thing number `number`: the greater, the later it was made.
pub(super) fn id(number: u16) -> Uuid {
    let [high, low] = number.to_be_bytes();
    let made = at(u64::from(number)).millis();
    uuid::Builder::from_unix_timestamp_millis(made, &[high, low, 0, 0, 0, 0, 0, 0, 0, 0])
        .into_uuid()
}

pub(super) fn client_id(text: &str) -> ClientId {
    ClientId::parse(text).expect("a client id")
}

pub(super) fn phc(text: &str) -> PhcString {
    serde_json::from_value(text.into()).expect("a text")
}

/// A secret without end, never used.
pub(super) fn secret(number: u16) -> StoredSecret {
    StoredSecret {
        id: id(number),
        hint: format!("{number:04}"),
        phc: phc(&format!("$argon2id$v=19$m=512,t=1,p=1$c2FsdHNhbHQ${number}")),
        cost: HashCost::Generated,
        created_at: at(u64::from(number)),
        expires_at: None,
        last_used_at: None,
    }
}

/// An m2m client with one secret and little else.
pub(super) fn m2m_client(number: u16) -> Client {
    let metadata = ClientMetadata { name: Some(format!("Client {number}")), ..Default::default() };
    Client {
        id: id(number),
        client_id: client_id(&format!("m2m_{number:05}")),
        kind: ClientType::M2m,
        metadata: metadata.validate(ClientType::M2m).expect("metadata"),
        secrets: vec![secret(number)],
        created_at: at(u64::from(number)),
        updated_at: at(u64::from(number)),
        version: 1,
    }
}

/// A private client of which every member is set, and none as it is by default.
pub(super) fn full_client(number: u16) -> Client {
    let texts = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
    let text = |text: &str| Some(text.to_owned());
    let metadata = ClientMetadata {
        name: text("Bücherei 📚 \"quoted\" \\ back"),
        redirect_uris: texts(&["https://b.example.com/cb?x=1", "http://localhost:3000/cb"]),
        post_logout_redirect_uris: texts(&["https://b.example.com/bye"]),
        scopes: texts(&["openid", "books:read", "a"]),
        grants: texts(&["refresh_token", "authorization_code"]),
        access_token_lifetime: Some(86_400),
        refresh_token_lifetime: Some(31_535_999),
        refresh_token_absolute_lifetime: Some(31_536_000),
        skip_consent: Some(true),
        token_endpoint_auth_method: text("client_secret_post"),
        require_pkce: Some(true),
        audiences: texts(&["https://api.example.com", "urn:books"]),
        access_token_signing_alg: text("ES256"),
        id_token_signing_alg: text("ES256"),
        allowed_cors_origins: texts(&["https://b.example.com"]),
        is_active: Some(false),
        logo_uri: text("https://b.example.com/logo.svg"),
        client_uri: text("https://b.example.com/"),
        policy_uri: text("https://b.example.com/privacy"),
        tos_uri: text("https://b.example.com/terms"),
        contacts: texts(&["admin@b.example.com", "+49 30 1"]),
        metadata: Some(BTreeMap::from([
            ("team".to_owned(), "books".to_owned()),
            ("empty".to_owned(), String::new()),
            ("with.dot and space".to_owned(), "ünï".to_owned()),
        ])),
    };
    let older = StoredSecret {
        cost: HashCost::Chosen,
        expires_at: Some(at(77_777)),
        last_used_at: Some(at(66_666)),
        ..secret(number)
    };
    Client {
        client_id: client_id(&format!("private_{number:05}")),
        kind: ClientType::Private,
        metadata: metadata.validate(ClientType::Private).expect("metadata"),
        // The newer one has the lesser id: it is the time that orders them.
        secrets: vec![older, StoredSecret { created_at: at(50_000), ..secret(number - 1) }],
        updated_at: at(88_888),
        version: 4_000_000_000_000,
        ..m2m_client(number)
    }
}

/// `client` with another name, one version on.
pub(super) fn renamed(client: &Client, name: &str) -> Client {
    let mut metadata = client.metadata.clone();
    name.clone_into(&mut metadata.name);
    client.with_metadata(metadata, at(100_000))
}

/// `client` with other secrets, one version on.
pub(super) fn with_secrets(client: &Client, secrets: Vec<StoredSecret>) -> Client {
    Client { secrets, ..client.with_metadata(client.metadata.clone(), at(100_000)) }
}

/// A user with a password and little else.
pub(super) fn user(number: u16) -> User {
    let email = Some(format!("User.{number}@example.com"));
    User {
        id: id(number),
        details: UserMetadata { email, ..Default::default() }.validate().expect("details"),
        password: Some(StoredPassword { phc: phc("old"), changed_at: at(u64::from(number)) }),
        created_at: at(u64::from(number)),
        updated_at: at(u64::from(number)),
        version: 1,
    }
}

/// A user of whom everything is known, and nothing as it is by default.
pub(super) fn full_user(number: u16) -> User {
    let text = |text: &str| Some(text.to_owned());
    let address = Address {
        formatted: text("Straße 1\n10115 Berlin"),
        street_address: text("Straße 1"),
        locality: text("Berlin"),
        region: text("BE"),
        postal_code: text("10115"),
        country: text("DE"),
    };
    let metadata = UserMetadata {
        email: Some(format!("Full.{number}+x@bücher.example")),
        email_verified: Some(true),
        phone_number: text("+49 30 123456"),
        phone_number_verified: Some(true),
        name: text("Bücherwurm 📚 \"quoted\" \\ back"),
        given_name: text("Bücher"),
        family_name: text("Wurm"),
        middle_name: text("van"),
        nickname: text("Wurmi"),
        preferred_username: text("wurm"),
        profile: text("https://example.com/wurm"),
        picture: text("https://example.com/wurm.png"),
        website: text("https://wurm.example.com/"),
        gender: text("other"),
        birthdate: text("0000-02-29"),
        zoneinfo: text("Europe/Berlin"),
        locale: text("de-DE"),
        address: Some(address),
        is_active: Some(false),
        metadata: Some(BTreeMap::from([("team".to_owned(), "ünï".to_owned())])),
    };
    User {
        details: metadata.validate().expect("details"),
        password: None,
        updated_at: at(88_888),
        version: 4_000_000_000_000,
        ..user(number)
    }
}

/// `user` with another address, one version on.
pub(super) fn with_email(user: &User, email: &str) -> User {
    let mut details = user.details.clone();
    details.email = EmailAddress::parse(email).expect("an address");
    user.with_details(details, at(100_000))
}

/// A ring whose keys tell who made it.
pub(super) fn ring(alg: SigningAlg, version: u64, maker: &str) -> KeyRing {
    let public = |kid: &str| match alg {
        SigningAlg::Rs256 => PublicKey::Rsa { n: format!("n-{kid}"), e: "AQAB".to_owned() },
        SigningAlg::Es256 => {
            PublicKey::Ec { crv: "P-256".to_owned(), x: format!("x-{kid}"), y: "y".to_owned() }
        }
    };
    let key = |state: KeyState| {
        let kid = format!("{maker}-{version}-{state:?}");
        let (public, sealed) = (public(&kid), SealedKey(format!("sealed {kid}")));
        SigningKey { kid, state, since: at(version), public, sealed }
    };
    let keys = [KeyState::Previous, KeyState::Current, KeyState::Next].map(key);
    KeyRing { alg, version, keys: keys.into() }
}

/// Creates `client`, and gives it back.
pub(super) async fn created(stores: &Stores, client: Client) -> Client {
    let created = stores.clients.create(&client).await.expect("a creation");
    assert_eq!(created, Creation::Created);
    client
}

/// Updates a client, which must succeed, and gives back what it is then.
pub(super) async fn updated(stores: &Stores, before: &Client, after: Client) -> Client {
    assert_eq!(stores.clients.update(before, &after).await.expect("an update"), Change::Done);
    after
}

/// Deletes `client`, which must succeed.
pub(super) async fn deleted(stores: &Stores, client: &Client) {
    assert_eq!(stores.clients.delete(client).await.expect("a deletion"), Change::Done);
}

/// The client with the `clientId` of `client`.
pub(super) async fn find(stores: &Stores, client: &Client) -> Option<Client> {
    stores.clients.find(&client.client_id).await.expect("a reading")
}

/// The client with the id of `client`.
pub(super) async fn find_by_id(stores: &Stores, client: &Client) -> Option<Client> {
    stores.clients.find_by_id(client.id).await.expect("a reading")
}

/// Creates `user`, and gives it back.
pub(super) async fn user_created(stores: &Stores, user: User) -> User {
    assert_eq!(stores.users.create(&user).await.expect("a creation"), UserWrite::Done);
    user
}

/// The user with the id of `user`.
pub(super) async fn user_found(stores: &Stores, user: &User) -> Option<User> {
    stores.users.find(user.id).await.expect("a reading")
}
