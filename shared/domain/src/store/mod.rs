//! What the rules ask of storage. Atomicity is part of the meaning of each verb: an implementation
//! that reads, decides and then writes breaks the contract.
//!
//! "Not found" is an answer, never an error: `Err` means that the store failed.

mod accounts;
mod grants;

use async_trait::async_trait;
use uuid::Uuid;

pub use accounts::{ConsentStore, UserList, UserStore, UserWrite};
pub use grants::{
    AttemptStore, Attempts, GrantCreation, GrantStore, Redeem, Rotate, SessionStore,
    TransactionStore,
};

use crate::Timestamp;
use crate::client::{Client, ClientId};
use crate::hashing::PhcString;
use crate::keys::{KeyRing, WrappedKey};

/// The store failed: what was asked may or may not have happened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Throttled, timed out or out of reach: the same may succeed a little later.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] Cause),
    /// It answered with something that this version does not understand.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(#[source] Cause),
    /// Anything else, such as a missing table or permission.
    #[error("the store failed: {0}")]
    Other(#[source] Cause),
}

/// What lies behind a [`StoreError`], for the log alone.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// How a creation ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Creation {
    /// It is there now.
    Created,
    /// A client with that `clientId` was there before; nothing was written.
    ClientIdTaken,
}

/// How a conditional change ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Change {
    /// It is written.
    Done,
    /// What is stored is no longer what the change was made from; nothing was written.
    Conflict,
}

/// Where a list begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum From {
    /// Behind the client with this id, in the order of the list.
    After(Uuid),
    /// Behind this many clients.
    Offset(u32),
}

/// The order of a list, by the time that the clients were made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Order {
    /// The default.
    #[default]
    NewestFirst,
    /// The reverse.
    OldestFirst,
}

/// A piece of the list of clients.
#[derive(Clone, Debug)]
pub struct ClientList {
    /// At most as many as were asked for. A client deleted meanwhile leaves a gap.
    pub clients: Vec<Client>,
    /// The id after which the next piece begins; `None` at the end.
    pub next: Option<Uuid>,
}

/// The registered clients.
#[async_trait]
pub trait ClientStore: Send + Sync {
    /// The client with this `clientId`: one strongly consistent read, for disabling must bite at once.
    async fn find(&self, client_id: &ClientId) -> Result<Option<Client>, StoreError>;

    /// The client with this id, as consistent as [`ClientStore::find`].
    async fn find_by_id(&self, id: Uuid) -> Result<Option<Client>, StoreError>;

    /// Writes a new client and its id, both or neither, and only if its `clientId` is free.
    async fn create(&self, client: &Client) -> Result<Creation, StoreError>;

    /// Writes what differs between `before` and `after`, if `before.version` is still the stored one.
    async fn update(&self, before: &Client, after: &Client) -> Result<Change, StoreError>;

    /// Takes the client and its id away, both or neither, if its version is still the stored one.
    async fn delete(&self, client: &Client) -> Result<Change, StoreError>;

    /// At most `limit` clients in `order`. Eventually consistent: one made just now may be missing.
    async fn list(&self, order: Order, from: From, limit: u32) -> Result<ClientList, StoreError>;

    /// How many clients there are, as consistent as [`ClientStore::list`].
    async fn count(&self) -> Result<u64, StoreError>;

    /// Notes that a secret was used, and replaces its hash if a new one came along and the old one is
    /// still stored. Changes no version; does nothing when the secret is gone.
    async fn record_secret_use(
        &self,
        client_id: &ClientId,
        secret_id: Uuid,
        at: Timestamp,
        rehashed: Option<Rehashed<'_>>,
    ) -> Result<(), StoreError>;
}

/// A hash to put in the place of another.
#[derive(Clone, Copy, Debug)]
pub struct Rehashed<'a> {
    /// The hash that must still be stored.
    pub from: &'a PhcString,
    /// The hash of the same secret at today's cost.
    pub to: &'a PhcString,
}

/// The administrators' API key, of which a deployment has at most one.
#[async_trait]
pub trait ApiKeyStore: Send + Sync {
    /// Its hash: one strongly consistent read.
    async fn api_key(&self) -> Result<Option<PhcString>, StoreError>;

    /// Sets it if there is none: of two who try, one does.
    async fn create_api_key(&self, phc: &PhcString) -> Result<Change, StoreError>;

    /// Sets it, in the place of any other.
    async fn set_api_key(&self, phc: &PhcString) -> Result<(), StoreError>;
}

/// Counters of failed attempts.
#[async_trait]
pub trait FailureStore: Send + Sync {
    /// Counts one more failure under `key` and tells how many there are now. The counter starts anew
    /// under another key and is forgotten some time after `forget_at`.
    async fn count_failure(&self, key: &str, forget_at: Timestamp) -> Result<u32, StoreError>;
}

/// The signing keys: one ring for each algorithm, and the key that seals their private parts.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// All rings, strongly consistent, and the wrapped sealing key, where there are any.
    async fn load(&self) -> Result<StoredKeys, StoreError>;

    /// Writes a ring if the stored one of that algorithm has version `ring.version - 1`, where 0 stands
    /// for none: of two writers, one wins.
    async fn put_ring(&self, ring: &KeyRing) -> Result<Change, StoreError>;

    /// Writes the wrapped sealing key if there is none.
    async fn put_wrapped_key(&self, key: &WrappedKey) -> Result<Change, StoreError>;
}

/// All that the key store holds.
#[derive(Clone, Debug, Default)]
pub struct StoredKeys {
    /// At most one for each algorithm.
    pub rings: Vec<KeyRing>,
    /// The sealing key, wrapped by a key management service; `None` where a local file holds it.
    pub wrapped_key: Option<WrappedKey>,
}
