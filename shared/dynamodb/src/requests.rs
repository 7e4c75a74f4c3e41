//! The requests that several tables make, and how conditional ones end.

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{Delete, Put, ReturnValue, TransactWriteItem, Update as UpdatePart};
use identety_domain::store::{Change, StoreError};

use crate::conflicts::{Tries, is_worth_another, met_another};
use crate::error::{canceled, condition_failed, failed};
use crate::expression::{Condition, Expressions, Update};
use crate::item::{Item, PK};

/// A table, and the way to it.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    dynamo: DynamoDb,
    name: String,
}

/// How a conditional write ended.
pub(crate) enum Written {
    /// It is written. The attributes that it wrote, if the request asked for them.
    Done(Item),
    /// Its condition failed. The item as it is, if there is one and the request asked for it.
    Clash(Option<Item>),
}

/// How a write of a new item ended.
pub(crate) enum New {
    /// It is written.
    Written,
    /// An item with that key is there already, and nothing is written.
    There(Item),
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

impl Table {
    /// The table of that name.
    pub(crate) fn new(dynamo: DynamoDb, name: impl Into<String>) -> Self {
        Self { dynamo, name: name.into() }
    }

    /// For requests that no other table makes.
    pub(crate) fn dynamo(&self) -> &DynamoDb {
        &self.dynamo
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The item with this key, strongly consistent.
    pub(crate) async fn get(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let get = self.dynamo.get_item().table_name(&self.name).set_key(Some(key));
        Ok(get.consistent_read(true).send().await.map_err(|error| failed(&error))?.item)
    }

    /// Writes an item if none with its key is there.
    pub(crate) async fn put_new(&self, item: Item) -> Result<New, StoreError> {
        let expressions = Expressions::of_condition(&is_absent());
        let put = self
            .dynamo
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .set_condition_expression(expressions.condition)
            .set_expression_attribute_names(expressions.names)
            .return_values_on_condition_check_failure(AllOld);
        let mut tries = Tries::default();
        let error = loop {
            let Err(error) = put.clone().send().await else { return Ok(New::Written) };
            if !met_another(&error) || !tries.another().await {
                break error;
            }
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(clash)) => {
                // DynamoDB shows the item for which the condition failed.
                clash.item().cloned().map(New::There).ok_or_else(|| failed(&error))
            }
            Some(_) | None => Err(failed(&error)),
        }
    }

    /// The same as a part of a transaction.
    pub(crate) fn putting_new(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        let expressions = Expressions::of_condition(&is_absent());
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .set_condition_expression(expressions.condition)
            .set_expression_attribute_names(expressions.names)
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(incomplete)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Writes the item of `model` if none with its key is there. Where the one that is there says the
    /// same, an earlier attempt of this very request wrote it, and its answer was lost.
    pub(crate) async fn put_once<T: PartialEq>(
        &self,
        model: &T,
        item: Item,
        read: impl FnOnce(Item) -> Result<T, StoreError>,
    ) -> Result<Change, StoreError> {
        let is_done = match self.put_new(item).await? {
            New::Written => true,
            New::There(stored) => read(stored)? == *model,
        };
        Ok(if is_done { Change::Done } else { Change::Conflict })
    }

    /// Changes an item if the condition holds. Where it does not, the item comes back as it is.
    pub(crate) async fn update(
        &self,
        key: Item,
        update: &Update,
        only_if: &Condition,
    ) -> Result<Written, StoreError> {
        let update = self.updated(key, update, only_if);
        send(update.return_values_on_condition_check_failure(AllOld)).await
    }

    /// The same, and the attributes that are written come back.
    pub(crate) async fn update_and_see(
        &self,
        key: Item,
        update: &Update,
        only_if: &Condition,
    ) -> Result<Written, StoreError> {
        let update = self.updated(key, update, only_if).return_values(ReturnValue::UpdatedNew);
        send(update.return_values_on_condition_check_failure(AllOld)).await
    }

    /// The same, and nothing comes back: a policy may hold the caller to a few attributes, and it must not
    /// see the others.
    pub(crate) async fn update_unseen(
        &self,
        key: Item,
        update: &Update,
        only_if: &Condition,
    ) -> Result<Written, StoreError> {
        send(self.updated(key, update, only_if)).await
    }

    fn updated(&self, key: Item, update: &Update, only_if: &Condition) -> UpdateItemFluentBuilder {
        let expressions = Expressions::of(update, only_if);
        self.dynamo
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key))
            .set_update_expression(expressions.update)
            .set_condition_expression(expressions.condition)
            .set_expression_attribute_names(expressions.names)
            .set_expression_attribute_values(expressions.values)
    }

    /// A change as a part of a transaction.
    pub(crate) fn updating(
        &self,
        key: Item,
        update: &Update,
        only_if: &Condition,
    ) -> Result<TransactWriteItem, StoreError> {
        let expressions = Expressions::of(update, only_if);
        let update = UpdatePart::builder()
            .table_name(&self.name)
            .set_key(Some(key))
            .set_update_expression(expressions.update)
            .set_condition_expression(expressions.condition)
            .set_expression_attribute_names(expressions.names)
            .set_expression_attribute_values(expressions.values)
            .return_values_on_condition_check_failure(AllOld)
            .build()
            .map_err(incomplete)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// A deletion as a part of a transaction.
    pub(crate) fn deleting(
        &self,
        key: Item,
        only_if: &Condition,
    ) -> Result<TransactWriteItem, StoreError> {
        let expressions = Expressions::of_condition(only_if);
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(key))
            .set_condition_expression(expressions.condition)
            .set_expression_attribute_names(expressions.names)
            .set_expression_attribute_values(expressions.values)
            .build()
            .map_err(incomplete)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Writes all or none of `parts`. If several conditions fail, the first one decides. A transaction that is
    /// canceled because it met another one is tried again.
    ///
    /// The SDK adds a `ClientRequestToken`, the same for each of its attempts, by which DynamoDB knows
    /// that an attempt whose answer was lost has been applied. A token made of the client's id would
    /// outlive the call: a client created, deleted and created anew within ten minutes would seem to
    /// be there, and not be.
    pub(crate) async fn transact(
        &self,
        parts: impl Into<Vec<TransactWriteItem>>,
    ) -> Result<Transacted, StoreError> {
        let write = self.dynamo.transact_write_items().set_transact_items(Some(parts.into()));
        let is_one = |code: Option<&str>| code.is_some_and(|code| code != "None");
        let mut tries = Tries::default();
        loop {
            let Err(error) = write.clone().send().await else { return Ok(Transacted::Done) };
            let Some(TransactWriteItemsError::TransactionCanceledException(transaction)) =
                error.as_service_error()
            else {
                return Err(failed(&error));
            };
            let reasons = transaction.cancellation_reasons();
            match reasons.iter().enumerate().find(|(_, reason)| is_one(reason.code())) {
                Some((index, reason)) if condition_failed(reason) => {
                    return Ok(Transacted::Clash { index, item: reason.item().cloned() });
                }
                // Nothing of it is written, so it may be tried as if for the first time.
                Some(_) if is_worth_another(reasons) && tries.another().await => {}
                Some(_) | None => return Err(canceled(reasons)),
            }
        }
    }
}

/// Only if there is no such item.
fn is_absent() -> Condition {
    Condition::default().absent(&[PK])
}

async fn send(update: UpdateItemFluentBuilder) -> Result<Written, StoreError> {
    let mut tries = Tries::default();
    let error = loop {
        match update.clone().send().await {
            Ok(output) => return Ok(Written::Done(output.attributes.unwrap_or_default())),
            Err(error) if met_another(&error) && tries.another().await => {}
            Err(error) => break error,
        }
    };
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(clash)) => {
            Ok(Written::Clash(clash.item().cloned()))
        }
        Some(_) | None => Err(failed(&error)),
    }
}

/// A part of a transaction lacks what the SDK asks for.
fn incomplete(error: BuildError) -> StoreError {
    StoreError::Other(error.into())
}
