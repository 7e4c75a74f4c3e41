//! The table of what does not last: grants, sessions, authorization requests, and counters.

mod attempts;
mod grant;
mod items;
mod session;
#[cfg(feature = "embedded")]
#[cfg(test)]
mod times_to_live;
mod transaction;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use identety_domain::store::{FailureStore, StoreError};
use identety_domain::{Seconds, Timestamp};

use crate::error::{corrupt, failed};
use crate::expression::Update;
use crate::item::{Item, PK, TTL, number, text, time_to_live};
use crate::requests::{self, Written};

/// The grants table: a [`GrantStore`](identety_domain::store::GrantStore), a
/// [`SessionStore`](identety_domain::store::SessionStore), a
/// [`TransactionStore`](identety_domain::store::TransactionStore), an
/// [`AttemptStore`](identety_domain::store::AttemptStore) and a [`FailureStore`].
#[derive(Clone, Debug)]
pub struct GrantTable {
    dynamo: DynamoDb,
    table: String,
}

/// The count of failures or attempts.
const COUNT: &str = "n";

/// How long an item is kept after it has become meaningless, for whoever looks into a case.
const KEPT: Seconds = 86_400;

impl GrantTable {
    /// The table of that name.
    pub fn new(dynamo: DynamoDb, table: impl Into<String>) -> Self {
        Self { dynamo, table: table.into() }
    }

    /// One item, strongly consistent.
    async fn get(&self, pk: String) -> Result<Option<Item>, StoreError> {
        requests::get(&self.dynamo, &self.table, Item::from([(PK.to_owned(), text(pk))])).await
    }

    /// A write of a whole item that may be forgotten from `forget_at` on.
    fn put(&self, mut item: Item, forget_at: Timestamp) -> PutItemFluentBuilder {
        item.insert(TTL.to_owned(), time_to_live(forget_at));
        self.dynamo.put_item().table_name(&self.table).set_item(Some(item))
    }

    /// Changes an item under a condition. Where that fails, the item comes back as it is.
    async fn update(&self, pk: String, update: &Update) -> Result<Written, StoreError> {
        let update = self
            .dynamo
            .update_item()
            .table_name(&self.table)
            .key(PK, text(pk))
            .update_expression(update.expression())
            .condition_expression(update.condition())
            .set_expression_attribute_names(Some(update.names()))
            .set_expression_attribute_values(Some(update.values()))
            .return_values_on_condition_check_failure(AllOld);
        requests::update(update).await
    }
}

#[async_trait]
impl FailureStore for GrantTable {
    /// A repeated request counts twice when the first answer was lost: a counter of failures may err
    /// that way.
    async fn count_failure(&self, key: &str, forget_at: Timestamp) -> Result<u32, StoreError> {
        let updated = self
            .dynamo
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key))
            .update_expression("ADD #n :one SET #ttl = :ttl")
            .expression_attribute_names("#n", COUNT)
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":ttl", time_to_live(forget_at))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        updated
            .attributes()
            .and_then(|attributes| attributes.get(COUNT))
            .and_then(|count| AttributeValue::as_n(count).ok())
            .and_then(|count| count.parse().ok())
            .ok_or_else(|| corrupt(key, "no count"))
    }
}
