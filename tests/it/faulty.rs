//! Stores that fail when a test says so.

use std::sync::{Arc, Mutex};

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
use identety_tests::app::{Setup, TestApp};
use uuid::Uuid;

/// How a call fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum How {
    /// Throttled, down, out of time.
    Unavailable,
    /// What is stored cannot be read.
    Corrupt,
    /// It is made, and its answer does not arrive.
    AnswerLost,
}

/// Which calls fail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Which {
    All,
    Writes,
    /// Those of one verb, such as `SessionStore::find_session`.
    Of(&'static str),
}

/// Which calls fail, and how.
pub(crate) type Failure = (Which, How);

pub(crate) const UNAVAILABLE: Failure = (Which::All, How::Unavailable);
pub(crate) const CORRUPT: Failure = (Which::All, How::Corrupt);
pub(crate) const UNAVAILABLE_FOR_WRITES: Failure = (Which::Writes, How::Unavailable);
pub(crate) const ANSWERS_LOST: Failure = (Which::Writes, How::AnswerLost);

/// What fails at the moment, and how many such calls still go well.
#[derive(Clone, Default)]
pub(crate) struct Fault(Arc<Mutex<Option<(Failure, u32)>>>);

/// A call of a store.
struct Call {
    is_write: bool,
    verb: &'static str,
}

impl Fault {
    /// Lets calls fail from now on.
    pub(crate) fn set(&self, failure: Failure) {
        self.set_after(0, failure);
    }

    /// The same, after some more calls that go well.
    pub(crate) fn set_after(&self, passes: u32, failure: Failure) {
        *self.0.lock().unwrap() = Some((failure, passes));
    }

    /// Lets everything work again.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap() = None;
    }

    fn before(&self, call: &Call) -> Result<(), StoreError> {
        self.strike(call, |how| how != How::AnswerLost)
    }

    fn after(&self, call: &Call) -> Result<(), StoreError> {
        self.strike(call, |how| how == How::AnswerLost)
    }

    fn strike(&self, call: &Call, now: impl Fn(How) -> bool) -> Result<(), StoreError> {
        let mut failing = self.0.lock().unwrap();
        let Some(((which, how), passes)) = failing.as_mut() else { return Ok(()) };
        let is_meant = match *which {
            Which::All => true,
            Which::Writes => call.is_write,
            Which::Of(verb) => verb == call.verb,
        };
        if !is_meant || !now(*how) {
            return Ok(());
        }
        if let Some(fewer) = passes.checked_sub(1) {
            *passes = fewer;
            return Ok(());
        }
        let cause = Cause::from("an injected fault with internals");
        Err(match how {
            How::Corrupt => StoreError::Corrupt(cause),
            How::Unavailable | How::AnswerLost => StoreError::Unavailable(cause),
        })
    }
}

/// A store behind a fault.
struct Faulty<S: ?Sized>(Arc<S>, Fault);

/// Implements a trait for [`Faulty`]: each verb fails as the fault says, or goes on to the store.
macro_rules! faulty {
    ($trait:ident {
        $($kind:ident $verb:ident($($name:ident: $type:ty),*) -> $answer:ty;)*
    }) => {
        #[async_trait]
        impl $trait for Faulty<dyn $trait> {
            $(
                async fn $verb(&self, $($name: $type),*) -> Result<$answer, StoreError> {
                    let call = Call {
                        is_write: stringify!($kind) == "write",
                        verb: concat!(stringify!($trait), "::", stringify!($verb)),
                    };
                    self.1.before(&call)?;
                    let answer = self.0.$verb($($name),*).await?;
                    self.1.after(&call)?;
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
    write end_session(key: &SessionKey, at: Timestamp) -> ();
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

/// A server on stores that fail as the fault says.
pub(crate) async fn faulty_app() -> (TestApp, Fault) {
    faulty_app_as(Setup::default()).await
}

/// The same, set up in another way.
pub(crate) async fn faulty_app_as(setup: Setup) -> (TestApp, Fault) {
    let fault = Fault::default();
    let behind = fault.clone();
    let app = TestApp::start_as(setup, move |stores| Stores {
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
