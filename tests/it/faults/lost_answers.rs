//! Tests of requests that were applied but whose answers got lost, so that the SDK repeats them.

use identety_domain::client::{
    Client, ClientId, ClientMetadata, ClientType, SigningAlg, StoredSecret,
};
use identety_domain::grant::{
    Allowed, Generation, Grant, GrantId, Redeemed, Redemption, RequestedClaims, Rotation,
};
use identety_domain::hashing::{HashCost, PhcString};
use identety_domain::keys::{KeyRing, WrappedKey};
use identety_domain::store::{
    ApiKeyStore as _, Change, ClientStore as _, ConsentStore as _, Creation, GrantCreation,
    GrantStore as _, KeyStore as _, Redeem, Rehashed, Rotate, UserStore as _, UserWrite,
};
use identety_domain::user::{
    AuthenticationEvent, AuthenticationMethod, User, UserClaim, UserMetadata,
};
use identety_domain::{Scope, Timestamp};
use identety_dynamodb::{
    AccountTable, ClientTable, Embedded, GrantTable, KeyTable, Tables, create_tables,
};
use identety_tests::faults::{Fault, Faults, Which};
use uuid::Uuid;

struct Fixture {
    clients: ClientTable,
    accounts: AccountTable,
    keys: KeyTable,
    grants: GrantTable,
    way: Way,
}

/// The way to DynamoDB.
struct Way(Faults);

impl Way {
    /// Loses the answer to the next request.
    fn lose_next(&self) {
        self.0.take_requests();
        self.0.set_times(1, Which::all(), Fault::CutAfter);
    }

    /// Checks that there were two requests since: the one whose answer was lost, and the same again.
    #[track_caller]
    fn check_repeated(&self) {
        let requests = self.0.take_requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].body, requests[1].body);
    }
}

impl Fixture {
    async fn new() -> Self {
        let embedded = Embedded::in_memory().unwrap();
        let tables = Tables::with_prefix("");
        create_tables(&embedded.client(), &tables).await.unwrap();
        let (dynamo, faults) = Faults::before(&embedded, &tables);
        let clients = ClientTable::new(dynamo.clone(), tables.clients);
        let accounts = AccountTable::new(dynamo.clone(), tables.accounts);
        let keys = KeyTable::new(dynamo.clone(), tables.keys);
        let grants = GrantTable::new(dynamo, tables.grants);
        Self { clients, accounts, keys, grants, way: Way(faults) }
    }

    fn lose_next(&self) {
        self.way.lose_next();
    }
}

fn phc(text: &str) -> PhcString {
    serde_json::from_value(text.into()).unwrap()
}

fn client(name: &str) -> Client {
    let now = Timestamp::from_seconds(1_000_000);
    let metadata = ClientMetadata { name: Some(name.to_owned()), ..ClientMetadata::default() };
    let secret = StoredSecret {
        id: Uuid::from_u128(7),
        hint: "abcd".to_owned(),
        phc: phc("old"),
        cost: HashCost::Generated,
        created_at: now,
        expires_at: None,
        last_used_at: None,
    };
    Client {
        id: Uuid::from_u128(1),
        client_id: ClientId::parse("m2m_client").unwrap(),
        kind: ClientType::M2m,
        metadata: metadata.validate(ClientType::M2m).unwrap(),
        secrets: vec![secret],
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

fn renamed(before: &Client, name: &str) -> Client {
    let mut metadata = before.metadata.clone();
    name.clone_into(&mut metadata.name);
    before.with_metadata(metadata, Timestamp::from_seconds(1_000_001))
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_repeated_and_done() {
    let stores = Fixture::new().await;
    stores.lose_next();
    assert_eq!(stores.clients.create(&client("a")).await.unwrap(), Creation::Created);
    stores.way.check_repeated();
}

#[tokio::test]
async fn a_creation_that_the_caller_repeats_finds_its_own_client() {
    let stores = Fixture::new().await;
    assert_eq!(stores.clients.create(&client("a")).await.unwrap(), Creation::Created);
    assert_eq!(stores.clients.create(&client("a")).await.unwrap(), Creation::Created);
    let other = Client { id: Uuid::from_u128(2), ..client("a") };
    assert_eq!(stores.clients.create(&other).await.unwrap(), Creation::ClientIdTaken);
}

#[tokio::test]
async fn an_update_whose_answer_was_lost_is_repeated_and_done() {
    let stores = Fixture::new().await;
    let before = client("a");
    assert_eq!(stores.clients.create(&before).await.unwrap(), Creation::Created);
    stores.lose_next();
    let after = renamed(&before, "b");
    assert_eq!(stores.clients.update(&before, &after).await.unwrap(), Change::Done);
    assert_eq!(stores.clients.find(&before.client_id).await.unwrap(), Some(after));
}

#[tokio::test]
async fn an_update_that_is_there_counts_as_done_though_the_secret_was_rehashed_since() {
    let stores = Fixture::new().await;
    let before = client("a");
    assert_eq!(stores.clients.create(&before).await.unwrap(), Creation::Created);
    let after = renamed(&before, "b");
    assert_eq!(stores.clients.update(&before, &after).await.unwrap(), Change::Done);
    let at = Timestamp::from_seconds(1_000_002);
    let secret = before.secrets[0].id;
    let (from, to) = (phc("old"), phc("new"));
    let rehashed = Some(Rehashed { from: &from, to: &to });
    stores.clients.record_secret_use(&before.client_id, secret, at, rehashed).await.unwrap();
    assert_eq!(stores.clients.update(&before, &after).await.unwrap(), Change::Done);
    let another = renamed(&before, "c");
    assert_eq!(stores.clients.update(&before, &another).await.unwrap(), Change::Conflict);
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_is_repeated_and_done() {
    let stores = Fixture::new().await;
    let client = client("a");
    assert_eq!(stores.clients.create(&client).await.unwrap(), Creation::Created);
    stores.lose_next();
    assert_eq!(stores.clients.delete(&client).await.unwrap(), Change::Done);
    assert_eq!(stores.clients.find(&client.client_id).await.unwrap(), None);
    assert_eq!(stores.clients.delete(&client).await.unwrap(), Change::Conflict);
}

#[tokio::test]
async fn a_client_created_anew_after_its_deletion_is_there() {
    let stores = Fixture::new().await;
    let client = client("a");
    assert_eq!(stores.clients.create(&client).await.unwrap(), Creation::Created);
    assert_eq!(stores.clients.delete(&client).await.unwrap(), Change::Done);
    assert_eq!(stores.clients.create(&client).await.unwrap(), Creation::Created);
    assert_eq!(stores.clients.find(&client.client_id).await.unwrap(), Some(client));
}

#[tokio::test]
async fn a_first_api_key_whose_answer_was_lost_is_repeated_and_done() {
    let stores = Fixture::new().await;
    stores.lose_next();
    assert_eq!(stores.clients.create_api_key(&phc("a")).await.unwrap(), Change::Done);
    assert_eq!(stores.clients.create_api_key(&phc("b")).await.unwrap(), Change::Conflict);
}

fn user(email: &str) -> User {
    let now = Timestamp::from_seconds(1_000_000);
    let metadata = UserMetadata { email: Some(email.to_owned()), ..UserMetadata::default() };
    User {
        id: Uuid::from_u128(1),
        details: metadata.validate().unwrap(),
        password: None,
        browsers: identety_domain::session::KnownBrowsers::default(),
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

fn with_email(before: &User, email: &str) -> User {
    before.with_details(user(email).details, Timestamp::from_seconds(1_000_001))
}

#[tokio::test]
async fn a_user_whose_creation_was_repeated_is_there_once() {
    let Fixture { accounts, way, .. } = Fixture::new().await;
    let ada = user("ada@example.com");
    way.lose_next();
    assert_eq!(accounts.create(&ada).await.unwrap(), UserWrite::Done);
    // The caller, too, may repeat itself.
    assert_eq!(accounts.create(&ada).await.unwrap(), UserWrite::Done);
    let other = User { id: Uuid::from_u128(2), ..user("ADA@example.com") };
    assert_eq!(accounts.create(&other).await.unwrap(), UserWrite::EmailTaken);
    let changed = with_email(&ada, "lovelace@example.com");
    assert_eq!(accounts.update(&ada, &changed).await.unwrap(), UserWrite::Done);
    assert_eq!(accounts.create(&ada).await.unwrap(), UserWrite::Conflict);
    assert_eq!(accounts.find_by_email(&ada.details.email).await.unwrap(), None);
}

#[tokio::test]
async fn an_update_of_a_user_that_was_repeated_is_done() {
    for email in ["ada@example.com", "Ada@Example.com", "lovelace@example.com"] {
        let Fixture { accounts, way, .. } = Fixture::new().await;
        let before = user("ada@example.com");
        assert_eq!(accounts.create(&before).await.unwrap(), UserWrite::Done);
        let after = with_email(&before, email);
        way.lose_next();
        assert_eq!(accounts.update(&before, &after).await.unwrap(), UserWrite::Done);
        way.check_repeated();
        assert_eq!(accounts.update(&before, &after).await.unwrap(), UserWrite::Done);
        let another = with_email(&before, "another@example.com");
        assert_eq!(accounts.update(&before, &another).await.unwrap(), UserWrite::Conflict);
        let found = accounts.find_by_email(&after.details.email).await.unwrap();
        assert_eq!(found, Some(after));
    }
}

#[tokio::test]
async fn a_deletion_of_a_user_that_was_repeated_is_done() {
    let Fixture { accounts, way, .. } = Fixture::new().await;
    let ada = user("ada@example.com");
    assert_eq!(accounts.create(&ada).await.unwrap(), UserWrite::Done);
    way.lose_next();
    assert_eq!(accounts.delete(&ada).await.unwrap(), Change::Done);
    assert_eq!(accounts.delete(&ada).await.unwrap(), Change::Conflict);
    assert_eq!(accounts.create(&ada).await.unwrap(), UserWrite::Done);
}

#[tokio::test]
async fn a_consent_that_was_repeated_is_one() {
    let Fixture { accounts, way, .. } = Fixture::new().await;
    let (ada, client, at) = (Uuid::from_u128(1), Uuid::from_u128(2), Timestamp::from_seconds(1));
    let scope = Scope::parse("a b").unwrap();
    way.lose_next();
    let [first, second] = [1, 2].map(Generation::from);
    let resources = ["https://api.example.com".to_owned()];
    let (resources, claims) = (&resources, &[UserClaim::Email]);
    let allowed = Allowed { scope: &scope, resources, claims, generation: first };
    assert_eq!(accounts.consent(ada, client, &allowed, at).await.unwrap(), first);
    let known = accounts.consented(ada, client).await.unwrap().unwrap();
    assert!(known.covers(&scope, resources, claims));
    way.lose_next();
    accounts.withdraw_consent(ada, client, second, at).await.unwrap();
    let known = accounts.consented(ada, client).await.unwrap().unwrap();
    assert_eq!((known.generation, known.allowed.len()), (second, 0));
    way.lose_next();
    accounts.forget_consents(ada).await.unwrap();
    assert_eq!(accounts.consented(ada, client).await.unwrap(), None);
}

#[tokio::test]
async fn keys_whose_answer_was_lost_are_repeated_and_done() {
    let stores = Fixture::new().await;
    let ring = |version| KeyRing { alg: SigningAlg::Es256, version, keys: Vec::new() };
    for version in [1, 2] {
        // A rotation reads the ring first.
        stores.way.0.set_times(1, Which::writes(), Fault::CutAfter);
        assert_eq!(stores.keys.put_ring(&ring(version)).await.unwrap(), Change::Done);
    }
    stores.lose_next();
    let key = WrappedKey("a".into());
    assert_eq!(stores.keys.put_wrapped_key(&key).await.unwrap(), Change::Done);
    let other = WrappedKey("b".into());
    assert_eq!(stores.keys.put_wrapped_key(&other).await.unwrap(), Change::Conflict);
}

fn grant() -> Grant {
    let now = Timestamp::from_seconds(1_000_000);
    Grant {
        id: GrantId::of_code("code"),
        client: Uuid::from_u128(1),
        user: Uuid::from_u128(2),
        scope: Scope::default(),
        claims: RequestedClaims::default(),
        resources: Vec::new(),
        redirect_uri: None,
        code_challenge: None,
        nonce: None,
        authentication: AuthenticationEvent {
            method: AuthenticationMethod::Password,
            time: now,
            acr: "1".to_owned(),
            amr: Vec::new(),
        },
        session: serde_json::from_value("session".into()).unwrap(),
        ends_with_session: false,
        consent: Generation::default(),
        issued_at: now,
        redeemed: None,
        ended_at: None,
    }
}

fn redemption(id: u128) -> Redemption {
    let at = Timestamp::from_seconds(1_000_010);
    Redemption { id: Uuid::from_u128(id), at, forget_at: at.plus(3600) }
}

fn redeemed(generation: u32, rotated_at: Timestamp) -> Grant {
    Grant { redeemed: Some(Redeemed { at: redemption(1).at, generation, rotated_at }), ..grant() }
}

#[tokio::test]
async fn a_grant_whose_answer_was_lost_is_found_as_it_was_written() {
    let stores = Fixture::new().await;
    stores.lose_next();
    let exists = GrantCreation::Exists(Box::new(grant()));
    assert_eq!(stores.grants.create_grant(&grant()).await.unwrap(), exists);
}

#[tokio::test]
async fn a_redemption_whose_answer_was_lost_is_repeated_and_done() {
    let stores = Fixture::new().await;
    let grant = grant();
    assert_eq!(stores.grants.create_grant(&grant).await.unwrap(), GrantCreation::Created);
    stores.lose_next();
    let redeem = |number| {
        let (grants, id) = (stores.grants.clone(), grant.id.clone());
        async move { grants.redeem_code(&id, &redemption(number)).await.unwrap() }
    };
    assert_eq!(redeem(1).await, Redeem::Redeemed);
    stores.way.check_repeated();
    stores.lose_next();
    assert_eq!(redeem(2).await, Redeem::Refused);
    let found = stores.grants.find_grant(&grant.id).await.unwrap();
    assert_eq!(found, Some(redeemed(1, redemption(1).at)));
}

#[tokio::test]
async fn a_rotation_whose_answer_was_lost_shows_the_generation_that_it_made() {
    let stores = Fixture::new().await;
    let (before, at) = (redeemed(1, redemption(1).at), Timestamp::from_seconds(1_000_100));
    assert_eq!(stores.grants.create_grant(&before).await.unwrap(), GrantCreation::Created);
    stores.lose_next();
    let rotation = Rotation { from: 1, at, forget_at: at.plus(3600) };
    let rotated = stores.grants.rotate_refresh_token(&before.id, &rotation).await.unwrap();
    assert_eq!(rotated, Rotate::Refused(Some(Box::new(redeemed(2, at)))));
}
