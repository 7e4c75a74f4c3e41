//! Authorization requests that wait for their user.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use identety_domain::session::{TRANSACTION_LIFETIME, Transaction, TransactionId};
use identety_domain::store::{StoreError, TransactionStore};

use super::items::{self, transaction as member};
use super::{GrantTable, KEPT};
use crate::error::failed;
use crate::expression::Update;
use crate::item::PK;
use crate::requests::Written;

#[async_trait]
impl TransactionStore for GrantTable {
    async fn create_transaction(&self, transaction: &Transaction) -> Result<(), StoreError> {
        let forget_at = transaction.created_at.plus(TRANSACTION_LIFETIME).plus(KEPT);
        let put = self.put(items::from_transaction(transaction)?, forget_at);
        put.send().await.map(|_| ()).map_err(|error| failed(&error))
    }

    async fn find_transaction(
        &self,
        id: &TransactionId,
    ) -> Result<Option<Transaction>, StoreError> {
        let item = self.get(items::transaction_pk(id)).await?;
        item.map(|item| items::to_transaction(id, item)).transpose()
    }

    async fn deny_transaction(&self, id: &TransactionId) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.require_existing(&[PK]);
        update.set(&[member::IS_DENIED], AttributeValue::Bool(true));
        match self.update(items::transaction_pk(id), &update).await? {
            Written::Done | Written::Clash(_) => Ok(()),
        }
    }
}
