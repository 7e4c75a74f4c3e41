//! Tests of when items may be forgotten.

use identety_domain::client::ClientId;
use identety_domain::grant::{Generation, Grant, GrantId, Redemption, RequestedClaims, Rotation};
use identety_domain::session::{
    AuthorizationRequest, BrowserLink, BrowserLinkKey, DeviceKey, RequestKey, ResponseMode,
    Session, SessionId, SessionKey, Transaction, TransactionId,
};
use identety_domain::store::{
    Allowance, Answering, AttemptStore as _, BrowserLinkStore as _, Change, Count, GrantCreation,
    GrantStore as _, NewAnswer, Redeem, Rotate, SessionStore as _, TransactionStore as _,
};
use identety_domain::user::{AuthenticationEvent, AuthenticationMethod};
use identety_domain::{Scope, Timestamp};
use uuid::Uuid;

use super::GrantTable;
use crate::item::{TTL, key};
use crate::{Embedded, Tables, create_tables};

const NOW: u64 = 1_000_000;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// `seconds` after the time at which everything begins.
fn after(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(NOW + seconds)
}

fn made_of<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(text.into()).unwrap()
}

fn authentication() -> AuthenticationEvent {
    let method = AuthenticationMethod::Password;
    AuthenticationEvent { method, time: after(0), acr: "1".to_owned(), amr: Vec::new() }
}

async fn table() -> GrantTable {
    let dynamo = Embedded::in_memory().unwrap().client();
    let tables = Tables::with_prefix("");
    create_tables(&dynamo, &tables).await.unwrap();
    GrantTable::new(dynamo, tables.grants)
}

/// How many seconds after the beginning an item may be forgotten.
async fn forgotten_after(table: &GrantTable, pk: &str) -> u64 {
    let item = table.table.get(key(pk)).await.unwrap().unwrap();
    item[TTL].as_n().unwrap().parse::<u64>().unwrap() - NOW
}

#[tokio::test]
async fn a_grant_is_kept_for_a_day_and_once_redeemed_as_long_as_its_tokens_ask() {
    let table = table().await;
    let grant = Grant {
        id: GrantId::of_code("code"),
        client: Uuid::nil(),
        user: Uuid::nil(),
        scope: Scope::default(),
        claims: RequestedClaims::default(),
        resources: Vec::new(),
        redirect_uri: None,
        code_challenge: None,
        nonce: None,
        authentication: authentication(),
        session: made_of("id"),
        ends_with_session: false,
        consent: Generation::default(),
        issued_at: after(0),
        redeemed: None,
        ended_at: None,
    };
    let pk = format!("GRANT#{}", grant.id);
    assert_eq!(table.create_grant(&grant).await.unwrap(), GrantCreation::Created);
    assert_eq!(forgotten_after(&table, &pk).await, DAY);
    let redemption = Redemption { id: Uuid::nil(), at: after(1), forget_at: after(30 * DAY) };
    assert_eq!(table.redeem_code(&grant.id, &redemption).await.unwrap(), Redeem::Redeemed);
    assert_eq!(forgotten_after(&table, &pk).await, 30 * DAY);
    let rotation = Rotation { from: 1, at: after(2), forget_at: after(31 * DAY) };
    let rotated = table.rotate_refresh_token(&grant.id, &rotation).await.unwrap();
    assert_eq!(rotated, Rotate::Rotated);
    assert_eq!(forgotten_after(&table, &pk).await, 31 * DAY);
    let late = Rotation { from: 1, at: after(3), forget_at: after(32 * DAY) };
    assert_ne!(table.rotate_refresh_token(&grant.id, &late).await.unwrap(), Rotate::Rotated);
    table.end_grant(&grant.id, after(4)).await.unwrap();
    assert_eq!(forgotten_after(&table, &pk).await, 31 * DAY, "its tokens may be asked about");
}

#[tokio::test]
async fn a_session_is_kept_as_long_as_grants_may_hang_on_it_however_it_is_used() {
    let table = table().await;
    let key: SessionKey = made_of("key");
    let session = Session {
        key: key.clone(),
        id: made_of("id"),
        user: Uuid::nil(),
        authentication: authentication(),
        signed_in_for: Vec::new(),
        user_agent: None,
        address: String::new(),
        last_seen_at: after(0),
        ended_at: None,
    };
    table.create_session(&session).await.unwrap();
    assert_eq!(forgotten_after(&table, "SESSION#key").await, 400 * DAY);
    table.touch_session(&key, after(HOUR)).await.unwrap();
    assert_eq!(forgotten_after(&table, "SESSION#key").await, 400 * DAY);
    table.end_session(&key, after(2 * HOUR)).await.unwrap();
    assert_eq!(forgotten_after(&table, "SESSION#key").await, 400 * DAY, "for a form sent twice");
}

#[tokio::test]
async fn a_sign_out_is_kept_for_longer_than_any_refresh_token_lives() {
    let table = table().await;
    let id: SessionId = made_of("id");
    table.sign_out(&id, after(0)).await.unwrap();
    assert_eq!(forgotten_after(&table, "SIGNEDOUT#id").await, 400 * DAY);
}

#[tokio::test]
async fn a_transaction_is_kept_no_longer_than_a_sign_in_takes() {
    let table = table().await;
    let id: TransactionId = made_of("id");
    let key: RequestKey = made_of("key");
    let request = AuthorizationRequest {
        client: Uuid::nil(),
        client_id: ClientId::parse("public_1").unwrap(),
        redirect_uri: "https://b.example.com/cb".to_owned(),
        redirect_uri_was_sent: true,
        response_mode: ResponseMode::Query,
        scope: Scope::default(),
        resources: Vec::new(),
        state: None,
        nonce: None,
        code_challenge: None,
        is_silent: false,
        asks_for_login: false,
        asks_for_consent: false,
        max_age: None,
        login_hint: None,
        expected_user: None,
        claims: RequestedClaims::default(),
        subjects: None,
    };
    let query = String::new();
    let transaction =
        Transaction { id: id.clone(), key, query, request, created_at: after(0), answer: None };
    table.create_transaction(&transaction).await.unwrap();
    assert_eq!(forgotten_after(&table, "TRANSACTION#id").await, HOUR / 2);
    let denied = table.answer_transaction(&transaction, NewAnswer::Denied, after(1)).await.unwrap();
    assert_eq!(denied, Answering::Recorded);
    assert_eq!(forgotten_after(&table, "TRANSACTION#id").await, HOUR / 2);
}

#[tokio::test]
async fn a_counter_of_attempts_is_kept_for_as_long_after_its_last_attempt_as_that_counts() {
    let table = table().await;
    let allowance = Allowance { below: 1, apart: 0, kept: 3600 };
    assert_eq!(table.count_attempt("key", &allowance, after(0)).await.unwrap(), Count::Counted);
    assert_eq!(forgotten_after(&table, "key").await, HOUR);
    let refused = table.count_attempt("key", &allowance, after(10)).await.unwrap();
    assert!(matches!(refused, Count::Refused(_)));
    assert_eq!(forgotten_after(&table, "key").await, HOUR, "it did not count");
    // A part of a second is a whole one: never too early.
    let late = Timestamp::from_millis(after(2 * HOUR).millis() + 1);
    assert_eq!(table.count_attempt("key", &allowance, late).await.unwrap(), Count::Counted);
    assert_eq!(forgotten_after(&table, "key").await, 3 * HOUR + 1);
    table.reset_attempts("key", 7200, after(3 * HOUR)).await.unwrap();
    assert_eq!(forgotten_after(&table, "key").await, 5 * HOUR);
}

#[tokio::test]
async fn a_one_time_link_is_kept_for_a_day_after_its_end() {
    let table = table().await;
    let key: BrowserLinkKey = made_of("key");
    let link =
        BrowserLink { key: key.clone(), user: Uuid::nil(), expires_at: after(600), used_by: None };
    table.create_link(&link).await.unwrap();
    assert_eq!(forgotten_after(&table, "LINK#key").await, DAY + 600);
    let browser: DeviceKey = made_of("browser");
    assert_eq!(table.use_link(&key, &browser, after(1)).await.unwrap(), Change::Done);
    assert_eq!(forgotten_after(&table, "LINK#key").await, DAY + 600);
}
