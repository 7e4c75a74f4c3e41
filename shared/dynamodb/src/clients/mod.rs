//! The table of clients and of the administrators' API key.

mod changes;
mod list;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::builders::DeleteBuilder;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use identety_domain::Timestamp;
use identety_domain::client::{Client, ClientId};
use identety_domain::hashing::PhcString;
use identety_domain::store::{
    ApiKeyStore, Change, ClientList, ClientStore, Creation, From, Order, Rehashed, StoreError,
};
use uuid::Uuid;

use crate::error::{canceled, condition_failed, failed};
use crate::expression::Update;
use crate::item::{self, API_KEY, ID, Item, PK, VERSION, number, text};
use crate::written::{Written, send};

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
        let got = self
            .dynamo
            .get_item()
            .table_name(&self.table)
            .key(PK, text(pk))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        Ok(got.item)
    }

    /// A write of an item that must not be there yet.
    fn put_new(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(|error| StoreError::Other(error.into()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// A deletion, as yet unconditional.
    fn delete_of(&self, pk: String) -> DeleteBuilder {
        Delete::builder().table_name(&self.table).key(PK, text(pk))
    }

    /// Writes all or none of `items`, of which the first decides.
    ///
    /// The SDK adds a `ClientRequestToken`, the same for each of its attempts, by which DynamoDB knows
    /// that an attempt whose answer was lost has been applied. A token made of the client's id would
    /// outlive the call: a client created, deleted and created anew within ten minutes would seem to
    /// be there, and not be.
    async fn transact(&self, items: [TransactWriteItem; 2]) -> Result<Written, StoreError> {
        let sent =
            self.dynamo.transact_write_items().set_transact_items(Some(items.into())).send().await;
        let Err(error) = sent else { return Ok(Written::Done) };
        let Some(TransactWriteItemsError::TransactionCanceledException(transaction)) =
            error.as_service_error()
        else {
            return Err(failed(&error));
        };
        match transaction.cancellation_reasons() {
            [first, ..] if condition_failed(first) => Ok(Written::Clash(first.item().cloned())),
            reasons => Err(canceled(reasons)),
        }
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
        let client_itself = self.put_new(item::from_client(client)?)?;
        let pointer = self.put_new(item::pointer(client)?)?;
        Ok(match self.transact([client_itself, pointer]).await? {
            Written::Done => Creation::Created,
            // The caller, too, may repeat itself: what it finds is then its own client.
            Written::Clash(Some(stored)) if stored.get(ID) == Some(&text(client.id)) => {
                Creation::Created
            }
            Written::Clash(_) => Creation::ClientIdTaken,
        })
    }

    async fn update(&self, before: &Client, after: &Client) -> Result<Change, StoreError> {
        let update = self.update_of(&before.client_id, &changes::between(before, after)?);
        let update = update.return_values_on_condition_check_failure(AllOld);
        let stored = match send(update).await? {
            Written::Done => return Ok(Change::Done),
            Written::Clash(None) => return Ok(Change::Conflict),
            Written::Clash(Some(stored)) => item::to_client(stored)?,
        };
        // An earlier attempt of this very request may have written it, and its answer been lost.
        Ok(if changes::are_in(stored, after) { Change::Done } else { Change::Conflict })
    }

    async fn delete(&self, client: &Client) -> Result<Change, StoreError> {
        let client_itself = self
            .delete_of(item::client_pk(&client.client_id))
            // The id too: another client may have taken the clientId, and have the same version.
            .condition_expression("#id = :id AND #version = :version")
            .expression_attribute_names("#id", ID)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":id", text(client.id))
            .expression_attribute_values(":version", number(client.version));
        let pointer = self.delete_of(item::pointer_pk(client.id));
        let delete = |delete: DeleteBuilder| {
            let delete = delete.build().map_err(|error| StoreError::Other(error.into()))?;
            Ok(TransactWriteItem::builder().delete(delete).build())
        };
        Ok(match self.transact([delete(client_itself)?, delete(pointer)?]).await? {
            Written::Done => Change::Done,
            Written::Clash(_) => Change::Conflict,
        })
    }

    async fn list(&self, order: Order, from: From, limit: u32) -> Result<ClientList, StoreError> {
        self.list_clients(order, from, limit).await
    }

    async fn count(&self) -> Result<u64, StoreError> {
        self.count_clients().await
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
            if let Written::Done = send(self.update_of(client_id, &both)).await? {
                return Ok(());
            }
            // One of the two no longer applies: another hash is stored, or a later use. The other may.
            changes::replace_hash(&mut hash_alone, secret_id, rehashed);
            send(self.update_of(client_id, &hash_alone)).await?;
        }
        // A condition that fails means that there is nothing to record.
        send(self.update_of(client_id, &used)).await?;
        Ok(())
    }
}

#[async_trait]
impl ApiKeyStore for ClientTable {
    async fn api_key(&self) -> Result<Option<PhcString>, StoreError> {
        self.get(API_KEY.to_owned()).await?.map(item::to_api_key).transpose()
    }

    async fn set_api_key(&self, phc: &PhcString) -> Result<(), StoreError> {
        let put = self.dynamo.put_item().table_name(&self.table);
        let put = put.set_item(Some(item::from_api_key(phc)?)).send().await;
        put.map(|_| ()).map_err(|error| failed(&error))
    }
}
