//! Users, and what they have consented to.

use async_trait::async_trait;
use uuid::Uuid;

use super::{Change, From, Order, Rehashed, StoreError};
use crate::models::consent::{Allowed, Consent};
use crate::models::device::DeviceKey;
use crate::models::user::{EmailAddress, User};
use crate::values::{Generation, Timestamp};

/// How a write of a user ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum UserWrite {
    /// It is written.
    Done,
    /// Another user has that e-mail address; nothing was written.
    EmailTaken,
    /// What is stored is no longer what the change was made from; nothing was written.
    Conflict,
}

/// A piece of the list of users.
#[derive(Clone, Debug)]
pub struct UserList {
    /// At most as many as were asked for. A user deleted meanwhile leaves a gap.
    pub users: Vec<User>,
    /// The id after which the next piece begins; `None` at the end.
    pub next: Option<Uuid>,
}

/// The users. A normalized e-mail address belongs to at most one of them.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// The user with this id: one strongly consistent read.
    async fn find(&self, id: Uuid) -> Result<Option<User>, StoreError>;

    /// The user with this address, whatever its case, as consistent as [`UserStore::find`].
    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError>;

    /// Writes a new user and its address, both or neither, and only if the address is free.
    async fn create(&self, user: &User) -> Result<UserWrite, StoreError>;

    /// Writes `after`, if `before.version` is still the stored one; where the normalized address
    /// differs, the old one is freed and the new one taken in the same transaction. The known browsers stay as
    /// they are; where the password differs, those of `after` take the place of all that are stored.
    async fn update(&self, before: &User, after: &User) -> Result<UserWrite, StoreError>;

    /// Replaces the hash of a user's password, if the old one is still stored. Changes no version; does
    /// nothing when the password is another by now, or the user gone.
    async fn record_rehash(&self, id: Uuid, rehashed: Rehashed<'_>) -> Result<(), StoreError>;

    /// Notes that a browser was used to sign in at `at`, so that it is known from then on, and forgets those that
    /// it displaces ([`KnownBrowsers::displaced_by`](crate::models::device::KnownBrowsers::displaced_by)). Changes no
    /// version. [`Change::Conflict`], and nothing is written, where the user is gone or has set another password.
    async fn remember_browser(
        &self,
        user: &User,
        browser: &DeviceKey,
        at: Timestamp,
    ) -> Result<Change, StoreError>;

    /// Forgets a known browser, if it is one. Changes no version.
    async fn forget_browser(&self, user: Uuid, browser: &DeviceKey) -> Result<(), StoreError>;

    /// Takes the user and its address away, both or neither, if its version is still the stored one.
    async fn delete(&self, user: &User) -> Result<Change, StoreError>;

    /// At most `limit` users in `order`. Eventually consistent: one made just now may be missing.
    async fn list(&self, order: Order, from: From, limit: u32) -> Result<UserList, StoreError>;

    /// How many users there are, as consistent as [`UserStore::list`].
    async fn count(&self) -> Result<u64, StoreError>;
}

/// What users have allowed clients. A client is named by its id, so that whoever is registered later
/// under the same `clientId` inherits nothing.
#[async_trait]
pub trait ConsentStore: Send + Sync {
    /// What `user` has allowed `client`: one strongly consistent read. `None` when the user was never asked.
    async fn consented(&self, user: Uuid, client: Uuid) -> Result<Option<Consent>, StoreError>;

    /// Adds to what `user` has allowed `client`. Two additions at once lose nothing. Gives back the generation of
    /// the consent: the stored one if there is one, else that of `allowed`, which is stored with it.
    async fn consent(
        &self,
        user: Uuid,
        client: Uuid,
        allowed: &Allowed<'_>,
        at: Timestamp,
    ) -> Result<Generation, StoreError>;

    /// Takes back everything that `user` has allowed `client`, and puts `generation` in the place of the stored one,
    /// in one write.
    async fn withdraw_consent(
        &self,
        user: Uuid,
        client: Uuid,
        generation: Generation,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Forgets everything that `user` has allowed anybody.
    async fn forget_consents(&self, user: Uuid) -> Result<(), StoreError>;
}
