//! Stores of which one verb fails at a time.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use identety::app::Stores;
use identety_domain::authorization::{Session, SessionId, SessionKey, Transaction, TransactionId};
use identety_domain::client::{Client, ClientId};
use identety_domain::grant::{Grant, GrantId, Redemption, Rotation};
use identety_domain::store::{
    AttemptStore, Attempts, Cause, Change, ClientList, ClientStore, ConsentStore, Creation, From,
    GrantCreation, GrantStore, Order, Redeem, Rehashed, Rotate, SessionStore, StoreError,
    TransactionStore, UserList, UserStore, UserWrite,
};
use identety_domain::user::{EmailAddress, User};
use identety_domain::{Scope, Timestamp};
use identety_tests::app::TestApp;
use uuid::Uuid;

/// How a verb fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum How {
    /// Throttled, down, out of time.
    Unavailable,
    /// What is stored cannot be read.
    Corrupt,
}

/// What fails at the moment.
#[derive(Clone, Default)]
pub(crate) struct Fault(Arc<Mutex<Option<(&'static str, How)>>>);

impl Fault {
    /// Lets `verb`, such as `SessionStore::find_session`, fail from now on.
    pub(crate) fn set(&self, verb: &'static str, how: How) {
        *self.0.lock().expect("a lock") = Some((verb, how));
    }

    /// Lets everything work again.
    pub(crate) fn clear(&self) {
        *self.0.lock().expect("a lock") = None;
    }

    fn check(&self, verb: &str) -> Result<(), StoreError> {
        let cause = || Cause::from("an injected fault with internals");
        match *self.0.lock().expect("a lock") {
            Some((failing, How::Unavailable)) if failing == verb => {
                Err(StoreError::Unavailable(cause()))
            }
            Some((failing, How::Corrupt)) if failing == verb => Err(StoreError::Corrupt(cause())),
            Some(_) | None => Ok(()),
        }
    }
}

/// A store behind a fault.
struct Faulty<S: ?Sized>(Arc<S>, Fault);

/// Implements a trait for [`Faulty`]: each verb fails, or goes on to the store.
macro_rules! faulty {
    ($trait:ident { $($verb:ident($($name:ident: $type:ty),*) -> $answer:ty;)* }) => {
        #[async_trait]
        impl $trait for Faulty<dyn $trait> {
            $(
                async fn $verb(&self, $($name: $type),*) -> Result<$answer, StoreError> {
                    self.1.check(concat!(stringify!($trait), "::", stringify!($verb)))?;
                    self.0.$verb($($name),*).await
                }
            )*
        }
    };
}

faulty!(ClientStore {
    find(client_id: &ClientId) -> Option<Client>;
    find_by_id(id: Uuid) -> Option<Client>;
    create(client: &Client) -> Creation;
    update(before: &Client, after: &Client) -> Change;
    delete(client: &Client) -> Change;
    list(order: Order, from: From, limit: u32) -> ClientList;
    count() -> u64;
    record_secret_use(
        client_id: &ClientId,
        secret_id: Uuid,
        at: Timestamp,
        rehashed: Option<Rehashed<'_>>
    ) -> ();
});

faulty!(UserStore {
    find(id: Uuid) -> Option<User>;
    find_by_email(email: &EmailAddress) -> Option<User>;
    create(user: &User) -> UserWrite;
    update(before: &User, after: &User) -> UserWrite;
    record_rehash(id: Uuid, rehashed: Rehashed<'_>) -> ();
    delete(user: &User) -> Change;
    list(order: Order, from: From, limit: u32) -> UserList;
    count() -> u64;
});

faulty!(ConsentStore {
    consented(user: Uuid, client: Uuid) -> Option<Scope>;
    consent(user: Uuid, client: Uuid, scope: &Scope, at: Timestamp) -> ();
    forget_consents(user: Uuid) -> ();
});

faulty!(AttemptStore {
    count_attempt(key: &str, limit: u32, forget_at: Timestamp) -> Option<Attempts>;
    count_late_attempt(
        key: &str,
        seen: &Attempts,
        blocked_until: Timestamp,
        forget_at: Timestamp
    ) -> bool;
    uncount_attempt(key: &str) -> ();
});

faulty!(GrantStore {
    create_grant(grant: &Grant) -> GrantCreation;
    find_grant(id: &GrantId) -> Option<Grant>;
    redeem_code(id: &GrantId, redemption: &Redemption) -> Redeem;
    rotate_refresh_token(id: &GrantId, rotation: &Rotation) -> Rotate;
    end_grant(id: &GrantId, at: Timestamp) -> ();
});

faulty!(SessionStore {
    create_session(session: &Session) -> ();
    find_session(key: &SessionKey) -> Option<Session>;
    touch_session(key: &SessionKey, at: Timestamp) -> ();
    remove_session(key: &SessionKey) -> ();
    sign_out(id: &SessionId, at: Timestamp) -> ();
    is_signed_out(id: &SessionId) -> bool;
});

faulty!(TransactionStore {
    create_transaction(transaction: &Transaction) -> ();
    find_transaction(id: &TransactionId) -> Option<Transaction>;
    deny_transaction(id: &TransactionId) -> ();
});

/// A server, and what fails of its stores.
pub(crate) async fn faulty_app() -> (TestApp, Fault) {
    let fault = Fault::default();
    let behind = fault.clone();
    let app = TestApp::start_with(move |stores| Stores {
        clients: Arc::new(Faulty(stores.clients, behind.clone())),
        users: Arc::new(Faulty(stores.users, behind.clone())),
        consents: Arc::new(Faulty(stores.consents, behind.clone())),
        attempts: Arc::new(Faulty(stores.attempts, behind.clone())),
        grants: Arc::new(Faulty(stores.grants, behind.clone())),
        sessions: Arc::new(Faulty(stores.sessions, behind.clone())),
        transactions: Arc::new(Faulty(stores.transactions, behind)),
        ..stores
    })
    .await;
    (app, fault)
}
