//! Users and their addresses: written together, so that an address never leads to two.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use identety_domain::store::{
    Change, From, Order, Rehashed, StoreError, UserList, UserStore, UserWrite,
};
use identety_domain::user::{EmailAddress, User};
use uuid::Uuid;

use super::{AccountTable, item};
use crate::expression::Update;
use crate::item::{Item, VERSION, number, text};
use crate::listing::{Listed, Listing, Piece};
use crate::requests::{self, Transacted, Written};

impl AccountTable {
    fn listing(&self) -> Listing<'_, User> {
        Listing::new(&self.dynamo, &self.table)
    }

    /// Writes `after`, whose address is that of `unchanged`.
    async fn replace(&self, after: &User, unchanged: &Update) -> Result<UserWrite, StoreError> {
        let put = self
            .dynamo
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item::from_user(after)?))
            .condition_expression(unchanged.condition())
            .set_expression_attribute_names(Some(unchanged.names()))
            .set_expression_attribute_values(Some(unchanged.values()))
            .return_values_on_condition_check_failure(AllOld);
        match requests::put(put).await? {
            Written::Done => Ok(UserWrite::Done),
            Written::Clash(stored) => clash(stored, after),
        }
    }
}

/// Only if `user` is what is stored.
fn unchanged(user: &User) -> Update {
    let mut unchanged = Update::default();
    unchanged.require_equal(&[VERSION], number(user.version));
    unchanged
}

/// What it means that the user is not what a write of `wanted` began with. An earlier attempt of this
/// very write may have written it, and its answer been lost.
fn clash(stored: Option<Item>, wanted: &User) -> Result<UserWrite, StoreError> {
    let stored = stored.map(item::to_user).transpose()?;
    Ok(if stored.as_ref() == Some(wanted) { UserWrite::Done } else { UserWrite::Conflict })
}

/// How a transaction ended that writes `wanted` first, and then its address.
fn ended(transacted: Transacted, wanted: &User) -> Result<UserWrite, StoreError> {
    match transacted {
        Transacted::Done => Ok(UserWrite::Done),
        Transacted::Clash { index: 0, item } => clash(item, wanted),
        Transacted::Clash { .. } => Ok(UserWrite::EmailTaken),
    }
}

impl Listed for User {
    const PARTITION: &'static str = item::LISTED;

    fn from_item(item: Item) -> Result<Self, StoreError> {
        item::to_user(item)
    }

    fn id(&self) -> Uuid {
        self.id
    }
}

#[async_trait]
impl UserStore for AccountTable {
    async fn find(&self, id: Uuid) -> Result<Option<User>, StoreError> {
        let found = requests::get(&self.dynamo, &self.table, item::user_key(id)).await?;
        found.map(item::to_user).transpose()
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        let pointer = requests::get(&self.dynamo, &self.table, item::email_key(email)).await?;
        let Some(pointer) = pointer else { return Ok(None) };
        let user = self.find(item::pointed_to(pointer)?).await?;
        // Between the two reads, the user may have taken another address.
        Ok(user.filter(|user| user.details.email.normalized() == email.normalized()))
    }

    async fn create(&self, user: &User) -> Result<UserWrite, StoreError> {
        let user_itself = requests::put_new(&self.table, item::from_user(user)?)?;
        let pointer = requests::put_new(&self.table, item::pointer(user)?)?;
        ended(requests::transact(&self.dynamo, [user_itself, pointer]).await?, user)
    }

    async fn update(&self, before: &User, after: &User) -> Result<UserWrite, StoreError> {
        let unchanged = unchanged(before);
        let (old, new) = (&before.details.email, &after.details.email);
        if old.normalized() == new.normalized() {
            return self.replace(after, &unchanged).await;
        }
        let user_itself = requests::put_if(&self.table, item::from_user(after)?, &unchanged)?;
        let taken = requests::put_new(&self.table, item::pointer(after)?)?;
        let freed = requests::delete(&self.table, item::email_key(old), None)?;
        ended(requests::transact(&self.dynamo, [user_itself, taken, freed]).await?, after)
    }

    /// Touches only the attribute `password`, so that a policy can hold the caller to that.
    async fn record_rehash(&self, id: Uuid, rehashed: Rehashed<'_>) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.require_equal(&item::PASSWORD_HASH, text(rehashed.from.as_str()));
        update.set(&item::PASSWORD_HASH, text(rehashed.to.as_str()));
        let rehash = self
            .dynamo
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::user_key(id)))
            .update_expression(update.expression())
            .condition_expression(update.condition())
            .set_expression_attribute_names(Some(update.names()))
            .set_expression_attribute_values(Some(update.values()));
        // A condition that fails means that there is nothing to replace.
        requests::update(rehash).await.map(|_| ())
    }

    async fn delete(&self, user: &User) -> Result<Change, StoreError> {
        let key = item::user_key(user.id);
        let user_itself = requests::delete(&self.table, key, Some(&unchanged(user)))?;
        let pointer = requests::delete(&self.table, item::email_key(&user.details.email), None)?;
        Ok(match requests::transact(&self.dynamo, [user_itself, pointer]).await? {
            Transacted::Done => Change::Done,
            Transacted::Clash { .. } => Change::Conflict,
        })
    }

    async fn list(&self, order: Order, from: From, limit: u32) -> Result<UserList, StoreError> {
        let Piece { nodes: users, next } = self.listing().piece(order, from, limit).await?;
        Ok(UserList { users, next })
    }

    async fn count(&self) -> Result<u64, StoreError> {
        self.listing().count().await
    }
}
