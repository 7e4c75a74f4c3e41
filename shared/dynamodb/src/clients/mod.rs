//! The table of clients and of the administrators' API key.

mod changes;
mod items;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client as DynamoDb;
use identety_domain::Timestamp;
use identety_domain::client::{Client, ClientId};
use identety_domain::hashing::PhcString;
use identety_domain::store::{
    ApiKeyStore, Change, ClientList, ClientStore, Creation, From, Order, Rehashed, StoreError,
};
use uuid::Uuid;

use crate::error::corrupt;
use crate::expression::{Condition, Update};
use crate::item::{ID, Item, text};
use crate::layout;
use crate::listing::{Listed, Listing, Piece};
use crate::requests::{Table, Transacted, Written};
use changes::SecretChange;

/// The clients table: a [`ClientStore`] and an [`ApiKeyStore`].
#[derive(Clone, Debug)]
pub struct ClientTable {
    table: Table,
}

impl ClientTable {
    /// The table of that name.
    pub fn new(dynamo: DynamoDb, table: impl Into<String>) -> Self {
        Self { table: Table::new(dynamo, table) }
    }

    fn listing(&self) -> Listing<'_, Client> {
        Listing::new(&self.table)
    }

    async fn change_secret(
        &self,
        client_id: &ClientId,
        change: SecretChange,
    ) -> Result<Written, StoreError> {
        let SecretChange { update, only_if } = change;
        self.table.update_unseen(items::client_key(client_id), &update, &only_if).await
    }
}

impl Listed for Client {
    const PARTITION: &'static str = items::LISTED;

    fn from_item(item: Item) -> Result<Self, StoreError> {
        items::to_client(item)
    }

    fn id(&self) -> Uuid {
        self.id
    }
}

#[async_trait]
impl ClientStore for ClientTable {
    async fn find(&self, client_id: &ClientId) -> Result<Option<Client>, StoreError> {
        self.table.get(items::client_key(client_id)).await?.map(items::to_client).transpose()
    }

    async fn find_by_id(&self, id: Uuid) -> Result<Option<Client>, StoreError> {
        let Some(pointer) = self.table.get(items::pointer_key(id)).await? else { return Ok(None) };
        let client = self.find(&items::pointed_to(pointer)?).await?;
        // Between the two reads, another client may have taken the clientId.
        Ok(client.filter(|client| client.id == id))
    }

    async fn create(&self, client: &Client) -> Result<Creation, StoreError> {
        let client_itself = self.table.putting_new(items::from_client(client)?)?;
        let pointer = self.table.putting_new(items::pointer(client)?)?;
        Ok(match self.table.transact([client_itself, pointer]).await? {
            Transacted::Done => Creation::Created,
            // The caller, too, may repeat itself: what it finds is then its own client.
            Transacted::Clash { index: 0, item: Some(stored) }
                if stored.get(ID) == Some(&text(client.id)) =>
            {
                Creation::Created
            }
            Transacted::Clash { index: 0, .. } => Creation::ClientIdTaken,
            Transacted::Clash { .. } => {
                return Err(StoreError::Other("the id of a new client is taken".into()));
            }
        })
    }

    async fn update(&self, before: &Client, after: &Client) -> Result<Change, StoreError> {
        let key = items::client_key(&before.client_id);
        let update = changes::between(before, after)?;
        let only_if = changes::is_unchanged(before);
        let stored = match self.table.update(key, &update, &only_if).await? {
            Written::Done(_) => return Ok(Change::Done),
            Written::Clash(None) => return Ok(Change::Conflict),
            Written::Clash(Some(stored)) => items::to_client(stored)?,
        };
        // An earlier attempt of this very request may have written it, and its answer been lost.
        Ok(if changes::are_in(stored, after) { Change::Done } else { Change::Conflict })
    }

    async fn delete(&self, client: &Client) -> Result<Change, StoreError> {
        let key = items::client_key(&client.client_id);
        let client_itself = self.table.deleting(key, &changes::is_unchanged(client))?;
        let key = items::pointer_key(client.id);
        let pointer = self.table.deleting(key, &Condition::default())?;
        Ok(match self.table.transact([client_itself, pointer]).await? {
            Transacted::Done => Change::Done,
            Transacted::Clash { .. } => Change::Conflict,
        })
    }

    async fn list(&self, order: Order, from: From, limit: u32) -> Result<ClientList, StoreError> {
        let Piece { nodes: clients, next } = self.listing().piece(order, from, limit).await?;
        Ok(ClientList { clients, next })
    }

    async fn count(&self) -> Result<u64, StoreError> {
        self.listing().count().await
    }

    /// Touches only the attributes `pk` and `secrets`, so that a policy can hold the caller to those.
    async fn record_secret_use(
        &self,
        client_id: &ClientId,
        secret_id: Uuid,
        at: Timestamp,
        rehashed: Option<Rehashed<'_>>,
    ) -> Result<(), StoreError> {
        let used = SecretChange::note_use(secret_id, at);
        if let Some(rehashed) = rehashed {
            let both = SecretChange::note_use(secret_id, at).and_replace_hash(secret_id, rehashed);
            if let Written::Done(_) = self.change_secret(client_id, both).await? {
                return Ok(());
            }
            // One of the two no longer applies: another hash is stored, or a later use. The other may.
            let hash_alone = SecretChange::replace_hash(secret_id, rehashed);
            self.change_secret(client_id, hash_alone).await?;
        }
        // A condition that fails means that there is nothing to record.
        self.change_secret(client_id, used).await?;
        Ok(())
    }
}

#[async_trait]
impl ApiKeyStore for ClientTable {
    async fn api_key(&self) -> Result<Option<PhcString>, StoreError> {
        self.table.get(items::api_key_key()).await?.map(items::to_api_key).transpose()
    }

    async fn create_api_key(&self, phc: &PhcString) -> Result<Change, StoreError> {
        self.table.put_once(phc, items::from_api_key(phc)?, items::to_api_key).await
    }

    async fn set_api_key(&self, phc: &PhcString) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.set(&[items::api_key::PHC], text(phc.as_str()));
        layout::stamp(&mut update);
        let only_if = layout::is_new_or_known();
        match self.table.update(items::api_key_key(), &update, &only_if).await? {
            Written::Done(_) => Ok(()),
            Written::Clash(_) => Err(corrupt("APIKEY", "another layout than this release knows")),
        }
    }
}
