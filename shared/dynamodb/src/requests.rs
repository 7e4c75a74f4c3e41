//! The requests that several tables make, and how conditional ones end.

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use identety_domain::store::StoreError;

use crate::error::{canceled, condition_failed, failed};
use crate::expression::Update;
use crate::item::{Item, PK};

/// How a conditional write ended.
pub(crate) enum Written {
    /// It is written.
    Done,
    /// Its condition failed. The item as it is, if there is one and the request asked for it.
    Clash(Option<Item>),
}

/// How a transaction ended.
pub(crate) enum Transacted {
    /// All of it is written.
    Done,
    /// A condition failed, and nothing is written.
    Clash {
        /// The first write whose condition failed.
        index: usize,
        /// The item as it is, if there is one and the write asked for it.
        item: Option<Item>,
    },
}

/// The item with this key, strongly consistent.
pub(crate) async fn get(
    dynamo: &DynamoDb,
    table: &str,
    key: Item,
) -> Result<Option<Item>, StoreError> {
    let get = dynamo.get_item().table_name(table).set_key(Some(key)).consistent_read(true);
    Ok(get.send().await.map_err(|error| failed(&error))?.item)
}

/// Sends an update.
pub(crate) async fn update(update: UpdateItemFluentBuilder) -> Result<Written, StoreError> {
    let Err(error) = update.send().await else { return Ok(Written::Done) };
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(clash)) => {
            Ok(Written::Clash(clash.item().cloned()))
        }
        Some(_) | None => Err(failed(&error)),
    }
}

/// Sends a write of a whole item.
pub(crate) async fn put(put: PutItemFluentBuilder) -> Result<Written, StoreError> {
    let Err(error) = put.send().await else { return Ok(Written::Done) };
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(clash)) => {
            Ok(Written::Clash(clash.item().cloned()))
        }
        Some(_) | None => Err(failed(&error)),
    }
}

/// A write of an item that must not be there yet.
pub(crate) fn put_new(table: &str, item: Item) -> Result<TransactWriteItem, StoreError> {
    let mut absent = Update::default();
    absent.require_absent(&[PK]);
    put_if(table, item, &absent)
}

/// A write of an item under the condition of `only_if`.
pub(crate) fn put_if(
    table: &str,
    item: Item,
    only_if: &Update,
) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression(only_if.condition())
        .set_expression_attribute_names(Some(only_if.names()))
        .set_expression_attribute_values(only_if.values_if_any())
        .return_values_on_condition_check_failure(AllOld)
        .build()
        .map_err(|error| StoreError::Other(error.into()))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// A deletion, under the condition of `only_if` if there is one.
pub(crate) fn delete(
    table: &str,
    key: Item,
    only_if: Option<&Update>,
) -> Result<TransactWriteItem, StoreError> {
    let delete = Delete::builder()
        .table_name(table)
        .set_key(Some(key))
        .set_condition_expression(only_if.map(Update::condition))
        .set_expression_attribute_names(only_if.map(Update::names))
        .set_expression_attribute_values(only_if.and_then(Update::values_if_any))
        .build()
        .map_err(|error| StoreError::Other(error.into()))?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// Writes all or none of `items`. Of several conditions that fail, the first one decides.
///
/// The SDK adds a `ClientRequestToken`, the same for each of its attempts, by which DynamoDB knows
/// that an attempt whose answer was lost has been applied. A token made of the client's id would
/// outlive the call: a client created, deleted and created anew within ten minutes would seem to
/// be there, and not be.
pub(crate) async fn transact<const N: usize>(
    dynamo: &DynamoDb,
    items: [TransactWriteItem; N],
) -> Result<Transacted, StoreError> {
    let sent = dynamo.transact_write_items().set_transact_items(Some(items.into())).send().await;
    let Err(error) = sent else { return Ok(Transacted::Done) };
    let Some(TransactWriteItemsError::TransactionCanceledException(transaction)) =
        error.as_service_error()
    else {
        return Err(failed(&error));
    };
    let reasons = transaction.cancellation_reasons();
    let is_one = |code: Option<&str>| code.is_some_and(|code| code != "None");
    match reasons.iter().enumerate().find(|(_, reason)| is_one(reason.code())) {
        Some((index, reason)) if condition_failed(reason) => {
            Ok(Transacted::Clash { index, item: reason.item().cloned() })
        }
        Some(_) | None => Err(canceled(reasons)),
    }
}
