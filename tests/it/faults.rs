//! What happens when the store fails: nothing is granted, and the caller hears the truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

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
use identety_tests::app::TestApp;
use identety_tests::call::Answer;
use rstest::rstest;
use serde_json::json;
use uuid::Uuid;

/// How the stores fail at the moment.
#[derive(Clone, Default)]
struct Fault(Arc<AtomicU8>);

const NONE: u8 = 0;
const UNAVAILABLE: u8 = 1;
const CORRUPT: u8 = 2;
const UNAVAILABLE_FOR_WRITES: u8 = 3;

impl Fault {
    fn set(&self, fault: u8) {
        self.0.store(fault, Ordering::SeqCst);
    }

    fn read(&self) -> Result<(), StoreError> {
        let cause = || Cause::from("an injected fault with internals");
        match self.0.load(Ordering::SeqCst) {
            UNAVAILABLE => Err(StoreError::Unavailable(cause())),
            CORRUPT => Err(StoreError::Corrupt(cause())),
            _ => Ok(()),
        }
    }

    fn write(&self) -> Result<(), StoreError> {
        self.read()?;
        match self.0.load(Ordering::SeqCst) {
            UNAVAILABLE_FOR_WRITES => Err(StoreError::Unavailable(Cause::from("a fault"))),
            _ => Ok(()),
        }
    }
}

/// A store behind a fault.
struct Faulty<S: ?Sized>(Arc<S>, Fault);

/// Implements a trait for [`Faulty`]: each verb fails as reads or as writes do at the moment, or goes on
/// to the store.
macro_rules! faulty {
    ($trait:ident {
        $($kind:ident $verb:ident($($name:ident: $type:ty),*) -> $answer:ty;)*
    }) => {
        #[async_trait]
        impl $trait for Faulty<dyn $trait> {
            $(
                async fn $verb(&self, $($name: $type),*) -> Result<$answer, StoreError> {
                    self.1.$kind()?;
                    self.0.$verb($($name),*).await
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
