//! Authorization requests that wait for their user.

use async_trait::async_trait;
use identety_domain::Timestamp;
use identety_domain::session::{Answer, Transaction, TransactionId};
use identety_domain::store::{Answering, NewAnswer, StoreError, TransactionStore};

use super::items::{self, transaction as member};
use super::{GrantTable, is_own};
use crate::expression::{Condition, Update};
use crate::item::{PK, number, text};
use crate::requests::{New, Transacted};

#[async_trait]
impl TransactionStore for GrantTable {
    async fn create_transaction(&self, transaction: &Transaction) -> Result<(), StoreError> {
        // Strangers make these without signing in, so none is kept for longer than it is good for.
        let forget_at = transaction.ends_at();
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

    async fn answer_transaction(
        &self,
        transaction: &Transaction,
        answer: NewAnswer<'_>,
        at: Timestamp,
    ) -> Result<Answering, StoreError> {
        let mut update = Update::default();
        match answer {
            NewAnswer::Denied => update.set(&[member::DENIED_AT], number(at.millis())),
            NewAnswer::Grant(grant) => update.set(&[member::GRANT], text(grant.id.as_str())),
        }
        let key = items::transaction_key(&transaction.id);
        let mut parts = vec![self.table.updating(key, &update, &as_read(transaction))?];
        if let Some(Answer::Granted(earlier)) = &transaction.answer {
            parts.push(self.ending_code(earlier, at)?);
        }
        if let NewAnswer::Grant(grant) = answer {
            parts.push(self.putting_grant(grant)?);
        }
        Ok(match self.table.transact(parts).await? {
            Transacted::Done => Answering::Recorded,
            Transacted::Clash { index: 0, item: _ } => Answering::Overtaken,
            Transacted::Clash { .. } => Answering::Final,
        })
    }
}

/// Only if the transaction still has the answer that it had when it was read. A denial is never replaced.
fn as_read(transaction: &Transaction) -> Condition {
    let undenied = Condition::default().existing(&[PK]).absent(&[member::DENIED_AT]);
    match &transaction.answer {
        None | Some(Answer::Denied) => undenied.absent(&[member::GRANT]),
        Some(Answer::Granted(earlier)) => undenied.equal(&[member::GRANT], text(earlier.as_str())),
    }
}
