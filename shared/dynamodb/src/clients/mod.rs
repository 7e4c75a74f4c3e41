//! The table of clients and of the administrators' API key.

mod changes;
mod list;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
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
use crate::item::{self, API_KEY, ID, Item, PK, SECRETS, VERSION, number, secret, text};

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

    /// Sends an update; `Err` inside of `Ok` is a condition that failed, with the item as it is.
    async fn send(
        &self,
        client_id: &ClientId,
        update: &Update,
        show_clash: bool,
    ) -> Result<Result<(), Option<Item>>, StoreError> {
        let sent = self
            .dynamo
            .update_item()
            .table_name(&self.table)
            .key(PK, text(item::client_pk(client_id)))
            .update_expression(update.expression())
            .condition_expression(update.condition())
            .set_expression_attribute_names(Some(update.names()))
            .set_expression_attribute_values(Some(update.values()))
            .set_return_values_on_condition_check_failure(show_clash.then_some(AllOld))
            .send()
            .await;
        let error = match sent {
            Ok(_) => return Ok(Ok(())),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(clash)) => {
                Ok(Err(clash.item().cloned()))
            }
            Some(_) | None => Err(failed(&error)),
        }
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
        let written = self
            .dynamo
            .transact_write_items()
            // The SDK adds a ClientRequestToken, the same for each of its attempts, by which DynamoDB
            // knows that an attempt whose answer was lost has been applied. A token made of the
            // client's id would outlive the call: a client created, deleted and created anew within
            // ten minutes would seem to be there, and not be.
            .transact_items(self.put_new(item::from_client(client)?)?)
            .transact_items(self.put_new(item::pointer(client)?)?)
            .send()
            .await;
        let error = match written {
            Ok(_) => return Ok(Creation::Created),
            Err(error) => error,
        };
        let Some(TransactWriteItemsError::TransactionCanceledException(transaction)) =
            error.as_service_error()
        else {
            return Err(failed(&error));
        };
        let reasons = transaction.cancellation_reasons();
        if !condition_failed(reasons, 0) {
            return Err(canceled(reasons));
        }
        // The caller, too, may repeat itself: what it finds is then its own client.
        let stored = reasons.first().and_then(|reason| reason.item()?.get(ID));
        if stored == Some(&text(client.id)) {
            Ok(Creation::Created)
        } else {
            Ok(Creation::ClientIdTaken)
        }
    }

    async fn update(&self, before: &Client, after: &Client) -> Result<Change, StoreError> {
        let update = changes::between(before, after)?;
        Ok(match self.send(&before.client_id, &update, true).await? {
            Ok(()) => Change::Done,
            Err(None) => Change::Conflict,
            Err(Some(stored)) => {
                // An earlier attempt of this very request may have written it, its answer lost.
                let written = changes::are_in(item::to_client(stored)?, after);
                if written { Change::Done } else { Change::Conflict }
            }
        })
    }

    async fn delete(&self, client: &Client) -> Result<Change, StoreError> {
        let delete = |pk| Delete::builder().table_name(&self.table).key(PK, text(pk));
        let client_itself = delete(item::client_pk(&client.client_id))
            // The id too: another client may have taken the clientId, and have the same version.
            .condition_expression("#id = :id AND #version = :version")
            .expression_attribute_names("#id", ID)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":id", text(client.id))
            .expression_attribute_values(":version", number(client.version));
        let mut transaction = self.dynamo.transact_write_items();
        for delete in [client_itself, delete(item::pointer_pk(client.id))] {
            let delete = delete.build().map_err(|error| StoreError::Other(error.into()))?;
            transaction =
                transaction.transact_items(TransactWriteItem::builder().delete(delete).build());
        }
        let error = match transaction.send().await {
            Ok(_) => return Ok(Change::Done),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(transaction)) => {
                let reasons = transaction.cancellation_reasons();
                if condition_failed(reasons, 0) {
                    Ok(Change::Conflict)
                } else {
                    Err(canceled(reasons))
                }
            }
            Some(_) | None => Err(failed(&error)),
        }
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
        let id = secret_id.to_string();
        let last_used_at = [SECRETS, &id, secret::LAST_USED_AT];
        let mut used = Update::default();
        used.set(&last_used_at, number(at.millis()));
        used.require_existing(&[SECRETS, &id]);
        used.require_at_most(&last_used_at, number(at.millis()));
        let Some(Rehashed { from, to }) = rehashed else {
            // That the condition failed means that there is nothing to record.
            let _ = self.send(client_id, &used, false).await?;
            return Ok(());
        };
        let rehash = |mut update: Update| {
            update.set(&[SECRETS, &id, secret::PHC], text(to.as_str()));
            update.require_equal(&[SECRETS, &id, secret::PHC], text(from.as_str()));
            update
        };
        if self.send(client_id, &rehash(used), false).await?.is_err() {
            // The secret may have been used later than `at`; its new hash is wanted all the same.
            let _ = self.send(client_id, &rehash(Update::default()), false).await?;
        }
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
