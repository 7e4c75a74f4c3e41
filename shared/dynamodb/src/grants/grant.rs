//! Grants. Each step of a grant's life is one conditional write of its one item.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;
use identety_domain::Timestamp;
use identety_domain::grant::{Grant, GrantId, Redemption, Rotation};
use identety_domain::store::{GrantCreation, GrantStore, Redeem, Rotate, StoreError};
use uuid::Uuid;

use super::items::{self, grant as member};
use super::{GrantTable, KEPT};
use crate::expression::{Condition, Update};
use crate::item::{PK, TTL, number, text, time_to_live};
use crate::requests::{New, Written};

impl GrantTable {
    /// A new grant as a part of a transaction.
    pub(super) fn putting_grant(&self, grant: &Grant) -> Result<TransactWriteItem, StoreError> {
        let mut item = items::from_grant(grant)?;
        item.insert(TTL.to_owned(), time_to_live(grant.issued_at.plus(KEPT)));
        self.table.putting_new(item)
    }

    /// The end of a grant as a part of a transaction, only if its code is unused.
    pub(super) fn ending_code(
        &self,
        id: &GrantId,
        at: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut update = Update::default();
        update.set(&[member::ENDED_AT], number(at.millis()));
        let only_if = Condition::default().existing(&[PK]).absent(&[member::REDEEMED_AT]);
        self.table.updating(items::grant_key(id), &update, &only_if)
    }
}

#[async_trait]
impl GrantStore for GrantTable {
    /// A creation repeated because its answer was lost finds its own grant.
    async fn create_grant(&self, grant: &Grant) -> Result<GrantCreation, StoreError> {
        match self.put_new(items::from_grant(grant)?, grant.issued_at.plus(KEPT)).await? {
            New::Written => Ok(GrantCreation::Created),
            New::There(stored) => {
                Ok(GrantCreation::Exists(Box::new(items::to_grant(&grant.id, stored)?)))
            }
        }
    }

    async fn find_grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreError> {
        let item = self.table.get(items::grant_key(id)).await?;
        item.map(|item| items::to_grant(id, item)).transpose()
    }

    async fn redeem_code(
        &self,
        id: &GrantId,
        redemption: &Redemption,
    ) -> Result<Redeem, StoreError> {
        let Redemption { id: attempt, at, forget_at } = redemption;
        let mut update = Update::default();
        update.set(&[member::REDEEMED_AT], number(at.millis()));
        update.set(&[member::REDEMPTION], text(*attempt));
        update.set(&[member::GENERATION], number(1));
        update.set(&[member::ROTATED_AT], number(at.millis()));
        update.set(&[TTL], time_to_live(*forget_at));
        let only_if = Condition::default()
            .existing(&[PK])
            .absent(&[member::REDEEMED_AT])
            .absent(&[member::ENDED_AT]);
        match self.table.update(items::grant_key(id), &update, &only_if).await? {
            Written::Done(_) => Ok(Redeem::Redeemed),
            Written::Clash(None) => Ok(Redeem::Refused),
            // An earlier attempt of this very request may have redeemed it, and its answer been lost.
            Written::Clash(Some(stored)) => Ok(if items::is_redeemed_by(stored, *attempt)? {
                Redeem::Redeemed
            } else {
                Redeem::Refused
            }),
        }
    }

    /// A rotation repeated because its answer was lost is refused, and shows the generation that it made
    /// itself.
    async fn rotate_refresh_token(
        &self,
        id: &GrantId,
        rotation: &Rotation,
    ) -> Result<Rotate, StoreError> {
        let Rotation { from, at, forget_at } = rotation;
        let Some(next) = from.checked_add(1) else {
            // Nothing comes after the last number, so nothing can be written.
            return Ok(Rotate::Refused(self.find_grant(id).await?.map(Box::new)));
        };
        let mut update = Update::default();
        update.set(&[member::GENERATION], number(next.into()));
        update.set(&[member::ROTATED_AT], number(at.millis()));
        update.set(&[TTL], time_to_live(*forget_at));
        let only_if = Condition::default()
            .equal(&[member::GENERATION], number((*from).into()))
            .absent(&[member::ENDED_AT]);
        match self.table.update(items::grant_key(id), &update, &only_if).await? {
            Written::Done(_) => Ok(Rotate::Rotated),
            Written::Clash(stored) => {
                let stored = stored.map(|stored| items::to_grant(id, stored)).transpose()?;
                Ok(Rotate::Refused(stored.map(Box::new)))
            }
        }
    }

    /// The time to live stays: a grant that has ended has to be there for as long as its tokens are.
    async fn end_grant(&self, id: &GrantId, at: Timestamp) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.set(&[member::ENDED_AT], number(at.millis()));
        let only_if = Condition::default().existing(&[PK]).absent(&[member::ENDED_AT]);
        match self.table.update(items::grant_key(id), &update, &only_if).await? {
            // A condition that fails means that there is nothing to end.
            Written::Done(_) | Written::Clash(_) => Ok(()),
        }
    }

    async fn grants_of(
        &self,
        user: Uuid,
        after: Option<&GrantId>,
        limit: u32,
    ) -> Result<Vec<Grant>, StoreError> {
        let after = after.map(items::grant_pk);
        let items = self.owned(user, items::GRANT, after, limit as usize).await?;
        items.into_iter().map(items::to_owned_grant).collect()
    }
}
