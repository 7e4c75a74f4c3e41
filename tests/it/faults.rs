//! What happens when the store fails: nothing is granted, and the caller hears the truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use async_trait::async_trait;
use identety::app::Stores;
use identety_domain::authorization::{Session, SessionId, SessionKey, Transaction, TransactionId};
use identety_domain::client::{Client, ClientId};
use identety_domain::grant::{Grant, GrantId, Redemption, Rotation};
use identety_domain::hashing::PhcString;
use identety_domain::keys::{KeyRing, WrappedKey};
use identety_domain::store::{
    ApiKeyStore, AttemptStore, Attempts, Cause, Change, ClientList, ClientStore, ConsentStore,
    Creation, FailureStore, From, GrantCreation, GrantStore, KeyStore, Order, Redeem, Rehashed,
    Rotate, SessionStore, StoreError, StoredKeys, TransactionStore, UserList, UserStore, UserWrite,
};
use identety_domain::user::{EmailAddress, User};
use identety_domain::{Scope, Timestamp};
use identety_tests::app::{TestApp, TestClient};
use identety_tests::call::Answer;
use rstest::rstest;
use serde_json::json;
use uuid::Uuid;

/// How the stores fail at the moment.
#[derive(Clone, Default)]
struct Fault {
    kind: Arc<AtomicU8>,
    /// How many calls still go well.
    passes: Arc<AtomicU32>,
}

const NONE: u8 = 0;
const UNAVAILABLE: u8 = 1;
const CORRUPT: u8 = 2;
const UNAVAILABLE_FOR_WRITES: u8 = 3;
/// Writes are made, and their answers do not arrive.
const ANSWERS_LOST: u8 = 4;

impl Fault {
    fn set(&self, fault: u8) {
        self.set_after(0, fault);
    }

    /// Lets some more calls go well.
    fn set_after(&self, passes: u32, fault: u8) {
        self.passes.store(passes, Ordering::SeqCst);
        self.kind.store(fault, Ordering::SeqCst);
    }

    fn read(&self) -> Result<(), StoreError> {
        self.strike(&[UNAVAILABLE, CORRUPT])
    }

    fn write(&self) -> Result<(), StoreError> {
        self.strike(&[UNAVAILABLE, CORRUPT, UNAVAILABLE_FOR_WRITES])
    }

    fn read_done(&self) -> Result<(), StoreError> {
        self.strike(&[])
    }

    fn write_done(&self) -> Result<(), StoreError> {
        self.strike(&[ANSWERS_LOST])
    }

    /// Fails if the fault is one of `those`.
    fn strike(&self, those: &[u8]) -> Result<(), StoreError> {
        let kind = self.kind.load(Ordering::SeqCst);
        let pass = |passes: u32| passes.checked_sub(1);
        if !those.contains(&kind)
            || self.passes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, pass).is_ok()
        {
            return Ok(());
        }
        let cause = Cause::from("an injected fault with internals");
        Err(if kind == CORRUPT {
            StoreError::Corrupt(cause)
        } else {
            StoreError::Unavailable(cause)
        })
    }
}

/// A store behind a fault.
struct Faulty<S: ?Sized>(Arc<S>, Fault);

/// Implements a trait for [`Faulty`]: each verb fails as reads or as writes do at the moment, or goes on
/// to the store.
macro_rules! faulty {
    (@done read $store:ident) => {
        $store.1.read_done()?;
    };
    (@done write $store:ident) => {
        $store.1.write_done()?;
    };
    ($trait:ident {
        $($kind:ident $verb:ident($($name:ident: $type:ty),*) -> $answer:ty;)*
    }) => {
        #[async_trait]
        impl $trait for Faulty<dyn $trait> {
            $(
                async fn $verb(&self, $($name: $type),*) -> Result<$answer, StoreError> {
                    self.1.$kind()?;
                    let answer = self.0.$verb($($name),*).await?;
                    faulty!(@done $kind self);
                    Ok(answer)
                }
            )*
        }
    };
}

faulty!(ClientStore {
    read find(client_id: &ClientId) -> Option<Client>;
    read find_by_id(id: Uuid) -> Option<Client>;
    write create(client: &Client) -> Creation;
    write update(before: &Client, after: &Client) -> Change;
    write delete(client: &Client) -> Change;
    read list(order: Order, from: From, limit: u32) -> ClientList;
    read count() -> u64;
    write record_secret_use(
        client_id: &ClientId,
        secret_id: Uuid,
        at: Timestamp,
        rehashed: Option<Rehashed<'_>>
    ) -> ();
});

faulty!(ApiKeyStore {
    read api_key() -> Option<PhcString>;
    write set_api_key(phc: &PhcString) -> ();
});

faulty!(UserStore {
    read find(id: Uuid) -> Option<User>;
    read find_by_email(email: &EmailAddress) -> Option<User>;
    write create(user: &User) -> UserWrite;
    write update(before: &User, after: &User) -> UserWrite;
    write record_rehash(id: Uuid, rehashed: Rehashed<'_>) -> ();
    write delete(user: &User) -> Change;
    read list(order: Order, from: From, limit: u32) -> UserList;
    read count() -> u64;
});

faulty!(ConsentStore {
    read consented(user: Uuid, client: Uuid) -> Option<Scope>;
    write consent(user: Uuid, client: Uuid, scope: &Scope, at: Timestamp) -> ();
    write forget_consents(user: Uuid) -> ();
});

faulty!(FailureStore {
    write count_failure(key: &str, forget_at: Timestamp) -> u32;
});

faulty!(AttemptStore {
    write count_attempt(key: &str, limit: u32, forget_at: Timestamp) -> Option<Attempts>;
    write count_late_attempt(
        key: &str,
        seen: &Attempts,
        blocked_until: Timestamp,
        forget_at: Timestamp
    ) -> bool;
    write uncount_attempt(key: &str) -> ();
});

faulty!(GrantStore {
    write create_grant(grant: &Grant) -> GrantCreation;
    read find_grant(id: &GrantId) -> Option<Grant>;
    write redeem_code(id: &GrantId, redemption: &Redemption) -> Redeem;
    write rotate_refresh_token(id: &GrantId, rotation: &Rotation) -> Rotate;
    write end_grant(id: &GrantId, at: Timestamp) -> ();
});

faulty!(SessionStore {
    write create_session(session: &Session) -> ();
    read find_session(key: &SessionKey) -> Option<Session>;
    write touch_session(key: &SessionKey, at: Timestamp) -> ();
    write remove_session(key: &SessionKey) -> ();
    write sign_out(id: &SessionId, at: Timestamp) -> ();
    read is_signed_out(id: &SessionId) -> bool;
});

faulty!(TransactionStore {
    write create_transaction(transaction: &Transaction) -> ();
    read find_transaction(id: &TransactionId) -> Option<Transaction>;
    write deny_transaction(id: &TransactionId) -> ();
});

faulty!(KeyStore {
    read load() -> StoredKeys;
    write put_ring(ring: &KeyRing) -> Change;
    write put_wrapped_key(key: &WrappedKey) -> Change;
});

async fn faulty_app() -> (TestApp, Fault) {
    let fault = Fault::default();
    let behind = fault.clone();
    let app = TestApp::start_with(move |stores| Stores {
        clients: Arc::new(Faulty(stores.clients, behind.clone())),
        api_keys: Arc::new(Faulty(stores.api_keys, behind.clone())),
        users: Arc::new(Faulty(stores.users, behind.clone())),
        consents: Arc::new(Faulty(stores.consents, behind.clone())),
        keys: Arc::new(Faulty(stores.keys, behind.clone())),
        failures: Arc::new(Faulty(stores.failures, behind.clone())),
        attempts: Arc::new(Faulty(stores.attempts, behind.clone())),
        grants: Arc::new(Faulty(stores.grants, behind.clone())),
        sessions: Arc::new(Faulty(stores.sessions, behind.clone())),
        transactions: Arc::new(Faulty(stores.transactions, behind)),
    })
    .await;
    (app, fault)
}

fn no_internals(answer: &Answer) {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(!body.contains("injected"), "{body}");
}

#[tokio::test]
async fn a_store_that_is_down_is_503_with_retry_after_and_no_token() {
    let (app, fault) = faulty_app().await;
    let client = app.m2m_client(&["read"]).await;
    assert_eq!(app.token(&client, &[]).await.status, 200);
    fault.set(UNAVAILABLE);
    let answer = app.token(&client, &[]).await;
    assert_eq!(answer.outcome(), (503, "temporarily_unavailable".into()));
    assert_eq!(answer.header("retry-after"), "1");
    no_internals(&answer);
    fault.set(NONE);
    assert_eq!(app.token(&client, &[]).await.status, 200);
}

#[tokio::test]
async fn an_unreadable_item_is_500_with_an_id_to_quote_and_no_token() {
    let (app, fault) = faulty_app().await;
    let client = app.m2m_client(&["read"]).await;
    assert_eq!(app.token(&client, &[]).await.status, 200);
    fault.set(CORRUPT);
    let answer = app.token(&client, &[]).await;
    assert_eq!(answer.outcome(), (500, "server_error".into()));
    assert!(answer.text("error_description").contains(answer.header("x-request-id")));
    no_internals(&answer);
}

#[rstest]
#[case(UNAVAILABLE, 503)]
#[case(CORRUPT, 500)]
#[tokio::test]
async fn the_administration_says_the_same_and_lets_nobody_in(
    #[case] what: u8,
    #[case] status: u16,
) {
    let (app, fault) = faulty_app().await;
    let client = app.m2m_client(&["clients:read"]).await;
    let token = app.access_token(&client, &[]).await;
    fault.set(what);
    for call in
        [app.admin("GET", "/admin/clients"), app.server.get("/admin/clients").bearer(&token)]
    {
        let answer = call.send().await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("retry-after"), if status == 503 { "1" } else { "" });
        no_internals(&answer);
    }
}

#[tokio::test]
async fn a_write_that_fails_is_503_and_writes_nothing() {
    let (app, fault) = faulty_app().await;
    let client = app.m2m_client(&["read"]).await;
    fault.set(UNAVAILABLE_FOR_WRITES);
    let path = format!("/admin/clients/{}", client.id);
    for (method, path) in [
        ("POST", "/admin/clients".to_owned()),
        ("PATCH", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/secrets")),
    ] {
        let members = if path.ends_with("/secrets") {
            json!({})
        } else {
            json!({"name": "Changed", "type": "m2m"})
        };
        let answer = app.admin(method, &path).json(&members).send().await;
        assert_eq!(answer.status, 503, "{method} {path}");
    }
    fault.set(NONE);
    let list = app.admin("GET", "/admin/clients").send().await.json();
    assert_eq!(list["meta"]["total"], 1);
    assert_eq!(list["nodes"][0]["name"], "Orders");
    assert_eq!(list["nodes"][0]["version"], 1);
}

#[tokio::test]
async fn a_write_of_a_user_that_fails_is_503_and_writes_nothing() {
    let (app, fault) = faulty_app().await;
    let user = app.user("ada@example.com", "correct horse").await;
    let path = format!("/admin/users/{}", user.id);
    let before = app.admin("GET", &path).send().await.json();
    fault.set(UNAVAILABLE_FOR_WRITES);
    for (method, path, members) in [
        ("POST", "/admin/users", json!({"email": "other@example.com"})),
        ("PATCH", &path, json!({"name": "Changed"})),
        ("PUT", &path, json!({"name": "Changed"})),
        ("PUT", &format!("{path}/password"), json!({"password": "battery staple"})),
        ("DELETE", &path, json!({})),
    ] {
        let answer = app.admin(method, path).json(&members).send().await;
        assert_eq!(answer.status, 503, "{method} {path}");
        no_internals(&answer);
    }
    fault.set(NONE);
    assert_eq!(app.admin("GET", &path).send().await.json(), before);
    assert_eq!(app.admin("GET", "/admin/users").send().await.json()["meta"]["total"], 1);
}

#[tokio::test]
async fn a_right_secret_passes_while_its_use_cannot_be_written_down() {
    let (app, fault) = faulty_app().await;
    let client = app.m2m_client(&["read"]).await;
    assert_eq!(app.token(&client, &[]).await.status, 200);
    // An hour later its use is to be written down again.
    app.advance(3600);
    fault.set(UNAVAILABLE_FOR_WRITES);
    assert_eq!(app.token(&client, &[]).await.status, 200);
    let call = app.server.post("/oauth2/token").basic(&client.client_id, "wrong");
    let wrong = call.form(&[("grant_type", "client_credentials")]).send().await;
    assert_eq!(wrong.status, 503, "a guess that cannot be counted is not judged");
}

/// A server with a fault and with its keys, a client, and a code that was not used.
async fn code_in_hand(kind: &str) -> (TestApp, Fault, TestClient, String) {
    let (app, fault) = faulty_app().await;
    assert_eq!(app.server.get("/.well-known/jwks.json").send().await.status, 200);
    let client = app.users_client(json!({"type": kind})).await;
    let code = app.code(&mut app.browser(), &client, &app.alice().await, &[]).await;
    (app, fault, client, code)
}

async fn stored(app: &TestApp, code: &str) -> Grant {
    app.stores.grants.find_grant(&GrantId::of_code(code)).await.unwrap().unwrap()
}

/// What the caller hears of `fault`.
fn assert_failed(answer: &Answer, fault: u8, what: &str) {
    if fault == CORRUPT {
        assert_eq!(answer.outcome(), (500, "server_error".into()), "{what}");
        assert!(answer.text("error_description").contains(answer.header("x-request-id")));
    } else {
        assert_eq!(answer.outcome(), (503, "temporarily_unavailable".into()), "{what}");
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.json().as_object().unwrap().len() == 2, "{what}: {}", answer.json());
    no_internals(answer);
}

#[rstest]
#[case("public", UNAVAILABLE)]
#[case("public", CORRUPT)]
#[case("private", UNAVAILABLE)]
#[case("private", CORRUPT)]
#[tokio::test]
async fn an_exchange_that_fails_at_any_call_of_a_store_burns_no_code(
    #[case] kind: &str,
    #[case] what: u8,
) {
    let (app, fault, client, code) = code_in_hand(kind).await;
    for calls in 0.. {
        fault.set_after(calls, what);
        let answer = app.redeem(&client, &code, &[]).await;
        fault.set(NONE);
        if answer.status == 200 {
            assert!(calls >= 5, "client, grant, session, user, redemption: {calls}");
            break;
        }
        assert_failed(&answer, what, &format!("after {calls} calls"));
        let grant = stored(&app, &code).await;
        assert_eq!((grant.redeemed, grant.ended_at), (None, None), "after {calls} calls");
    }
}

#[rstest]
#[case(UNAVAILABLE)]
#[case(CORRUPT)]
#[tokio::test]
async fn an_exchange_without_keys_is_503_and_burns_no_code(#[case] what: u8) {
    let (app, fault) = faulty_app().await;
    let client = app.public_client().await;
    let code = app.code(&mut app.browser(), &client, &app.alice().await, &[]).await;
    // The keys are opened before anything else is asked of a store.
    fault.set(what);
    assert_failed(&app.redeem(&client, &code, &[]).await, UNAVAILABLE, "the keys");
    fault.set(NONE);
    assert_eq!(app.redeem(&client, &code, &[]).await.status, 200);
}

#[rstest]
#[case(UNAVAILABLE)]
#[case(CORRUPT)]
#[tokio::test]
async fn a_refresh_that_fails_at_any_call_of_a_store_rotates_nothing(#[case] what: u8) {
    let (app, fault, client, code) = code_in_hand("public").await;
    let tokens = app.redeem(&client, &code, &[]).await;
    for calls in 0.. {
        fault.set_after(calls, what);
        let answer = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
        fault.set(NONE);
        if answer.status == 200 {
            assert!(calls >= 4, "client, grant, session, user, rotation: {calls}");
            break;
        }
        assert_failed(&answer, what, &format!("after {calls} calls"));
        let grant = stored(&app, &code).await;
        assert_eq!(grant.redeemed.unwrap().generation, 1, "after {calls} calls");
        assert_eq!(grant.ended_at, None);
    }
}

#[rstest]
#[case(UNAVAILABLE)]
#[case(CORRUPT)]
#[tokio::test]
async fn a_token_that_cannot_be_judged_is_neither_accepted_nor_called_invalid(#[case] what: u8) {
    let (app, fault, client, code) = code_in_hand("private").await;
    let tokens = app.redeem(&client, &code, &[]).await;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    for (path, token) in [
        ("/oauth2/userinfo", &access),
        ("/oauth2/introspect", &access),
        ("/oauth2/introspect", &refresh),
    ] {
        for calls in 0.. {
            fault.set_after(calls, what);
            let answer = if path == "/oauth2/userinfo" {
                app.userinfo(token).await
            } else {
                app.introspect(&client, token).await
            };
            fault.set(NONE);
            if answer.status == 200 {
                assert!(calls >= 4, "client, grant, session, user: {calls}");
                assert_ne!(answer.json()["active"], false);
                break;
            }
            assert_failed(&answer, what, &format!("{path} after {calls} calls"));
        }
    }
}

#[rstest]
#[case(UNAVAILABLE)]
#[case(CORRUPT)]
#[case(UNAVAILABLE_FOR_WRITES)]
#[tokio::test]
async fn a_revocation_that_fails_says_so_and_may_be_repeated(#[case] what: u8) {
    let (app, fault, client, code) = code_in_hand("public").await;
    let tokens = app.redeem(&client, &code, &[]).await;
    for calls in 0.. {
        fault.set_after(calls, what);
        let answer = app.revoke(&client, &tokens.text("refresh_token")).await;
        fault.set(NONE);
        if answer.status == 200 {
            assert!(calls >= 1, "{calls}");
            break;
        }
        assert_failed(&answer, what, &format!("after {calls} calls"));
        app.assert_alive(&client, &tokens).await;
    }
    app.assert_dead(&client, &[&tokens]).await;
}

#[tokio::test]
async fn reuse_that_cannot_be_punished_is_not_answered_as_if_it_were() {
    let (app, fault, client, code) = code_in_hand("public").await;
    let first = app.redeem(&client, &code, &[]).await;
    let second = app.refresh(&client, &first.text("refresh_token"), &[]).await;
    app.advance(10);
    fault.set(UNAVAILABLE_FOR_WRITES);
    let answers = [
        app.redeem(&client, &code, &[]).await,
        app.refresh(&client, &first.text("refresh_token"), &[]).await,
    ];
    fault.set(NONE);
    for answer in answers {
        assert_failed(&answer, UNAVAILABLE_FOR_WRITES, "reuse");
    }
    app.assert_alive(&client, &second).await;
    assert_eq!(app.redeem(&client, &code, &[]).await.outcome(), (400, "invalid_grant".into()));
    app.assert_dead(&client, &[&first, &second]).await;
}

#[tokio::test]
async fn an_exchange_whose_answer_is_lost_gives_no_second_family() {
    let (app, fault, client, code) = code_in_hand("public").await;
    fault.set(ANSWERS_LOST);
    assert_failed(&app.redeem(&client, &code, &[]).await, ANSWERS_LOST, "the exchange");
    fault.set(NONE);
    assert!(stored(&app, &code).await.redeemed.is_some());
    // The code is used, and who shows it again may be anybody.
    let again = app.redeem(&client, &code, &[]).await;
    assert_eq!(again.outcome(), (400, "invalid_grant".into()));
    assert!(stored(&app, &code).await.ended_at.is_some());
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_is_repeated_and_goes_on() {
    let (app, fault, client, code) = code_in_hand("public").await;
    let tokens = app.redeem(&client, &code, &[]).await;
    fault.set(ANSWERS_LOST);
    let lost = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_failed(&lost, ANSWERS_LOST, "the refresh");
    fault.set(NONE);
    let again = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(again.status, 200);
    assert_eq!(stored(&app, &code).await.redeemed.unwrap().generation, 2, "one rotation");
    app.assert_alive(&client, &again).await;
    assert_eq!(app.refresh(&client, &again.text("refresh_token"), &[]).await.status, 200);
}

#[tokio::test]
async fn discovery_and_keys_do_not_touch_the_store() {
    let (app, fault) = faulty_app().await;
    assert_eq!(app.server.get("/.well-known/jwks.json").send().await.status, 200);
    for what in [UNAVAILABLE, CORRUPT] {
        fault.set(what);
        for path in ["/.well-known/jwks.json", "/.well-known/openid-configuration"] {
            assert_eq!(app.server.get(path).send().await.status, 200, "{path}");
        }
    }
}
