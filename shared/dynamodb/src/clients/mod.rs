//! The table of clients and of the administrators' API key.

mod changes;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use identety_domain::Timestamp;
use identety_domain::client::{Client, ClientId};
use identety_domain::hashing::PhcString;
use identety_domain::store::{
    ApiKeyStore, Change, ClientList, ClientStore, Creation, From, Order, Rehashed, StoreError,
};
use uuid::Uuid;

use crate::error::failed;
use crate::expression::Update;
use crate::item::{self, API_KEY, ID, Item, PK, VERSION, number, text};
use crate::listing::{Listed, Listing, Piece};
use crate::requests::{self, Transacted, Written};

/// The clients table: a [`ClientStore`] and an [`ApiKeyStore`].
#[derive(Clone, Debug)]
pub struct ClientTable {
    dynamo: DynamoDb,
    table: String,
}

impl ClientTable {
    /// The table of that name.
    pub fn new(dynamo: DynamoDb, table: impl Into<String>) -> Self {
        Self { dynamo, table: table.into() }
    }

    /// One item, strongly consistent.
    async fn get(&self, pk: String) -> Result<Option<Item>, StoreError> {
        requests::get(&self.dynamo, &self.table, key(pk)).await
    }

    fn listing(&self) -> Listing<'_, Client> {
        Listing::new(&self.dynamo, &self.table)
    }

    /// An update of a client.
    fn update_of(&self, client_id: &ClientId, update: &Update) -> UpdateItemFluentBuilder {
        self.dynamo
            .update_item()
            .table_name(&self.table)
            .key(PK, text(item::client_pk(client_id)))
            .update_expression(update.expression())
            .condition_expression(update.condition())
            .set_expression_attribute_names(Some(update.names()))
            .set_expression_attribute_values(Some(update.values()))
    }
}

/// The key of an item.
fn key(pk: String) -> Item {
    Item::from([(PK.to_owned(), text(pk))])
}

impl Listed for Client {
    const PARTITION: &'static str = item::LISTED;

    fn from_item(item: Item) -> Result<Self, StoreError> {
        item::to_client(item)
    }

    fn id(&self) -> Uuid {
        self.id
    }
}

#[async_trait]
impl ClientStore for ClientTable {
    async fn find(&self, client_id: &ClientId) -> Result<Option<Client>, StoreError> {
        self.get(item::client_pk(client_id)).await?.map(item::to_client).transpose()
    }

    async fn find_by_id(&self, id: Uuid) -> Result<Option<Client>, StoreError> {
        let Some(pointer) = self.get(item::pointer_pk(id)).await? else { return Ok(None) };
        let client = self.find(&item::pointed_to(pointer)?).await?;
        // Between the two reads, another client may have taken the clientId.
        Ok(client.filter(|client| client.id == id))
    }

    async fn create(&self, client: &Client) -> Result<Creation, StoreError> {
        let client_itself = requests::put_new(&self.table, item::from_client(client)?)?;
        let pointer = requests::put_new(&self.table, item::pointer(client)?)?;
        Ok(match requests::transact(&self.dynamo, [client_itself, pointer]).await? {
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
        let update = self.update_of(&before.client_id, &changes::between(before, after)?);
        let update = update.return_values_on_condition_check_failure(AllOld);
        let stored = match requests::update(update).await? {
            Written::Done => return Ok(Change::Done),
            Written::Clash(None) => return Ok(Change::Conflict),
            Written::Clash(Some(stored)) => item::to_client(stored)?,
        };
        // An earlier attempt of this very request may have written it, and its answer been lost.
        Ok(if changes::are_in(stored, after) { Change::Done } else { Change::Conflict })
    }

    async fn delete(&self, client: &Client) -> Result<Change, StoreError> {
        // The id too: another client may have taken the clientId, and have the same version.
        let mut unchanged = Update::default();
        unchanged.require_equal(&[ID], text(client.id));
        unchanged.require_equal(&[VERSION], number(client.version));
        let client_itself = key(item::client_pk(&client.client_id));
        let client_itself = requests::delete(&self.table, client_itself, Some(&unchanged))?;
        let pointer = requests::delete(&self.table, key(item::pointer_pk(client.id)), None)?;
        Ok(match requests::transact(&self.dynamo, [client_itself, pointer]).await? {
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
        let mut used = Update::default();
        changes::note_use(&mut used, secret_id, at);
        if let Some(rehashed) = rehashed {
            let (mut both, mut hash_alone) = (used.clone(), Update::default());
            changes::replace_hash(&mut both, secret_id, rehashed);
            if let Written::Done = requests::update(self.update_of(client_id, &both)).await? {
                return Ok(());
            }
            // One of the two no longer applies: another hash is stored, or a later use. The other may.
            changes::replace_hash(&mut hash_alone, secret_id, rehashed);
            requests::update(self.update_of(client_id, &hash_alone)).await?;
        }
        // A condition that fails means that there is nothing to record.
        requests::update(self.update_of(client_id, &used)).await?;
        Ok(())
    }
}

#[async_trait]
impl ApiKeyStore for ClientTable {
    async fn api_key(&self) -> Result<Option<PhcString>, StoreError> {
        self.get(API_KEY.to_owned()).await?.map(item::to_api_key).transpose()
    }

    async fn create_api_key(&self, phc: &PhcString) -> Result<Change, StoreError> {
        let put = self.dynamo.put_item().table_name(&self.table);
        let put = put.set_item(Some(item::from_api_key(phc)?));
        let put = put.condition_expression("attribute_not_exists(#pk)");
        let put = put.expression_attribute_names("#pk", PK);
        match requests::put(put.return_values_on_condition_check_failure(AllOld)).await? {
            Written::Done => Ok(Change::Done),
            // An earlier attempt of this very request wrote it, and its answer was lost.
            Written::Clash(Some(stored)) if item::to_api_key(stored.clone())? == *phc => {
                Ok(Change::Done)
            }
            Written::Clash(_) => Ok(Change::Conflict),
        }
    }

    async fn set_api_key(&self, phc: &PhcString) -> Result<(), StoreError> {
        let put = self.dynamo.put_item().table_name(&self.table);
        let put = put.set_item(Some(item::from_api_key(phc)?)).send().await;
        put.map(|_| ()).map_err(|error| failed(&error))
    }
}
