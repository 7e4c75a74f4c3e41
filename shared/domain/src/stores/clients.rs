//! The registered clients, and the administrators' API key.

use async_trait::async_trait;
use uuid::Uuid;

use super::{Change, From, Order, Rehashed, StoreError};
use crate::models::client::Client;
use crate::values::{ClientId, PhcString, Timestamp};

/// How a creation ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Creation {
    /// It is there now.
    Created,
    /// A client with that `clientId` was there before; nothing was written.
    ClientIdTaken,
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
