//! Authorization requests that wait for their user.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use identety_domain::session::{TRANSACTION_LIFETIME, Transaction, TransactionId};
use identety_domain::store::{StoreError, TransactionStore};

use super::items::{self, transaction as member};
use super::{GrantTable, KEPT, is_own};
use crate::expression::{Condition, Update};
use crate::item::PK;
use crate::requests::{New, Written};

#[async_trait]
impl TransactionStore for GrantTable {
    async fn create_transaction(&self, transaction: &Transaction) -> Result<(), StoreError> {
        let forget_at = transaction.created_at.plus(TRANSACTION_LIFETIME).plus(KEPT);
        match self.put_new(items::from_transaction(transaction)?, forget_at).await? {
            New::Written => Ok(()),
            New::There(stored) => {
                is_own(&items::to_transaction(&transaction.id, stored)?, transaction)
            }
        }
    }

    async fn find_transaction(
        &self,
        id: &TransactionId,
    ) -> Result<Option<Transaction>, StoreError> {
        let item = self.table.get(items::transaction_key(id)).await?;
        item.map(|item| items::to_transaction(id, item)).transpose()
    }

    async fn deny_transaction(&self, id: &TransactionId) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.set(&[member::IS_DENIED], AttributeValue::Bool(true));
        let only_if = Condition::default().existing(&[PK]);
        match self.table.update(items::transaction_key(id), &update, &only_if).await? {
            Written::Done(_) | Written::Clash(_) => Ok(()),
        }
    }
}
