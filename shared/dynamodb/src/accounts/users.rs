//! Users and their addresses: written together, so that an address never leads to two.

use async_trait::async_trait;
use identety_domain::Timestamp;
use identety_domain::session::{DeviceKey, KnownBrowsers};
use identety_domain::store::{
    Change, From, Order, Rehashed, StoreError, UserList, UserStore, UserWrite,
};
use identety_domain::user::{EmailAddress, User};
use uuid::Uuid;

use super::{AccountTable, items};
use crate::expression::{Condition, Update};
use crate::item::{Item, PK, VERSION, number, text};
use crate::listing::{Listed, Listing, Piece};
use crate::requests::{Transacted, Written};

impl AccountTable {
    fn listing(&self) -> Listing<'_, User> {
        Listing::new(&self.table)
    }
}

/// Only if `user` is what is stored.
fn is_unchanged(user: &User) -> Condition {
    Condition::default().equal(&[VERSION], number(user.version))
}

/// What it means that the user is not what a write of `wanted` began with. An earlier attempt of this
/// very write may have written it, and its answer been lost.
fn clash(stored: Option<Item>, wanted: &User) -> Result<UserWrite, StoreError> {
    let stored = stored.map(items::to_user).transpose()?;
    // The user may have signed in with another browser since.
    let stored = stored.map(|stored| User { browsers: wanted.browsers.clone(), ..stored });
    Ok(if stored.as_ref() == Some(wanted) { UserWrite::Done } else { UserWrite::Conflict })
}

/// What makes `after` of `before`. The known browsers are left as they are: they change without a version, so nobody
/// knows here what is stored of them. With another password, none of them stays but those of `after`.
fn changes(before: &User, after: &User) -> Result<Update, StoreError> {
    let without = |user: &User| {
        items::from_user(&User { browsers: KnownBrowsers::default(), ..user.clone() })
    };
    let mut update = Update::between(&without(before)?, &without(after)?);
    if before.password != after.password {
        update.set(&[items::BROWSERS], items::browsers(&after.browsers)?);
    }
    Ok(update)
}

/// Only if the user is there and has set no other password than `user` has.
fn has_same_password(user: &User) -> Condition {
    let there = Condition::default().existing(&[PK]);
    match &user.password {
        Some(password) => {
            there.equal(&items::PASSWORD_CHANGED_AT, number(password.changed_at.millis()))
        }
        None => there.absent(&items::PASSWORD_CHANGED_AT),
    }
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
    const PARTITION: &'static str = items::LISTED;

    fn from_item(item: Item) -> Result<Self, StoreError> {
        items::to_user(item)
    }

    fn id(&self) -> Uuid {
        self.id
    }
}

#[async_trait]
impl UserStore for AccountTable {
    async fn find(&self, id: Uuid) -> Result<Option<User>, StoreError> {
        self.table.get(items::user_key(id)).await?.map(items::to_user).transpose()
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        let pointer = self.table.get(items::email_key(email)).await?;
        let Some(pointer) = pointer else { return Ok(None) };
        let user = self.find(items::pointed_to(pointer)?).await?;
        // Between the two reads, the user may have taken another address.
        Ok(user.filter(|user| user.details.email.is_same(email)))
    }

    async fn create(&self, user: &User) -> Result<UserWrite, StoreError> {
        let user_itself = self.table.putting_new(items::from_user(user)?)?;
        let pointer = self.table.putting_new(items::pointer(user)?)?;
        ended(self.table.transact([user_itself, pointer]).await?, user)
    }

    /// Only members that differ are written: that the password was rehashed is recorded without a new
    /// version, and must not be undone here.
    async fn update(&self, before: &User, after: &User) -> Result<UserWrite, StoreError> {
        let key = items::user_key(before.id);
        let update = changes(before, after)?;
        let unchanged = is_unchanged(before);
        let (old, new) = (&before.details.email, &after.details.email);
        if old.is_same(new) {
            return match self.table.update(key, &update, &unchanged).await? {
                Written::Done(_) => Ok(UserWrite::Done),
                Written::Clash(stored) => clash(stored, after),
            };
        }
        let user_itself = self.table.updating(key, &update, &unchanged)?;
        let taken = self.table.putting_new(items::pointer(after)?)?;
        let freed = self.table.deleting(items::email_key(old), &Condition::default())?;
        ended(self.table.transact([user_itself, taken, freed]).await?, after)
    }

    /// Touches only the attribute `password`, so that a policy can hold the caller to that.
    async fn record_rehash(&self, id: Uuid, rehashed: Rehashed<'_>) -> Result<(), StoreError> {
        let only_if =
            Condition::default().equal(&items::PASSWORD_HASH, text(rehashed.from.as_str()));
        let mut update = Update::default();
        update.set(&items::PASSWORD_HASH, text(rehashed.to.as_str()));
        // A condition that fails means that there is nothing to replace.
        self.table.update_unseen(items::user_key(id), &update, &only_if).await.map(|_| ())
    }

    /// Touches only the attribute `browsers`, and looks at `password`, so that a policy can hold the caller to that.
    async fn remember_browser(
        &self,
        user: &User,
        browser: &DeviceKey,
        at: Timestamp,
    ) -> Result<Change, StoreError> {
        let mut update = Update::default();
        update.set(&items::browser(browser), number(at.millis()));
        for displaced in user.browsers.displaced_by(browser, at) {
            update.remove(&items::browser(displaced));
        }
        let same = has_same_password(user);
        let known = same.clone().existing(&[items::BROWSERS]);
        let key = || items::user_key(user.id);
        if let Written::Done(_) = self.table.update_unseen(key(), &update, &known).await? {
            return Ok(Change::Done);
        }
        // The item may be one of before browsers were known.
        let first = KnownBrowsers::from_iter([(browser.clone(), at)]);
        let mut update = Update::default();
        update.set(&[items::BROWSERS], items::browsers(&first)?);
        let unknown = same.absent(&[items::BROWSERS]);
        Ok(match self.table.update_unseen(key(), &update, &unknown).await? {
            Written::Done(_) => Change::Done,
            Written::Clash(_) => Change::Conflict,
        })
    }

    async fn forget_browser(&self, user: Uuid, browser: &DeviceKey) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.remove(&items::browser(browser));
        let only_if = Condition::default().existing(&items::browser(browser));
        self.table.update_unseen(items::user_key(user), &update, &only_if).await.map(|_| ())
    }

    async fn delete(&self, user: &User) -> Result<Change, StoreError> {
        let user_itself = self.table.deleting(items::user_key(user.id), &is_unchanged(user))?;
        let key = items::email_key(&user.details.email);
        let pointer = self.table.deleting(key, &Condition::default())?;
        Ok(match self.table.transact([user_itself, pointer]).await? {
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
