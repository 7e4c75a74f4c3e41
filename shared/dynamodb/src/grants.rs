//! The table of what does not last: counters of failures.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use identety_domain::Timestamp;
use identety_domain::store::{FailureStore, StoreError};

use crate::error::{corrupt, failed};
use crate::item::{PK, TTL, number, text};

/// The grants table: a [`FailureStore`].
#[derive(Clone, Debug)]
pub struct GrantTable {
    dynamo: DynamoDb,
    table: String,
}

impl GrantTable {
    /// The table of that name.
    pub fn new(dynamo: DynamoDb, table: impl Into<String>) -> Self {
        Self { dynamo, table: table.into() }
    }
}

/// The count of failures.
const COUNT: &str = "n";

#[async_trait]
impl FailureStore for GrantTable {
    /// A repeated request counts twice when the first answer was lost: a counter of failures may err
    /// that way.
    async fn count_failure(&self, key: &str, forget_at: Timestamp) -> Result<u32, StoreError> {
        let forget_at = forget_at.millis().div_ceil(1000);
        let updated = self
            .dynamo
            .update_item()
            .table_name(&self.table)
            .key(PK, text(key))
            .update_expression("ADD #n :one SET #ttl = :ttl")
            .expression_attribute_names("#n", COUNT)
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":ttl", number(forget_at))
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
