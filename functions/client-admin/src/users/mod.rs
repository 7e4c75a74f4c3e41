//! `/admin/users`.

pub(crate) mod create;
pub(crate) mod lockout;
mod members;
pub(crate) mod password;
mod representation;
pub(crate) mod update;

use std::cmp::Ordering;

use http::StatusCode;
use identety_domain::admin::Administrator;
use identety_domain::store::{From, Order, StoreError, UserList, UserWrite};
use identety_domain::user::User;
use identety_http::problem::Problem;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::resource::{Piece, Resource, Written};
use crate::state::Management;

/// What a list of users can be sorted by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum UserKey {
    Email,
    Name,
    UpdatedAt,
    IsActive,
}

impl Resource for User {
    const NAME: &'static str = "user";
    const PATH: &'static str = "/admin/users";

    type SortKey = UserKey;

    const SORT_KEYS: &'static [(&'static str, UserKey)] = &[
        ("updatedAt", UserKey::UpdatedAt),
        ("email", UserKey::Email),
        ("name", UserKey::Name),
        ("isActive", UserKey::IsActive),
    ];

    const COLUMNS: &'static [&'static str] = &[
        "id",
        "email",
        "emailVerified",
        "phoneNumber",
        "phoneNumberVerified",
        "name",
        "givenName",
        "familyName",
        "middleName",
        "nickname",
        "preferredUsername",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "address",
        "isActive",
        "metadata",
        "hasPassword",
        "passwordChangedAt",
        "createdAt",
        "updatedAt",
        "version",
    ];

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn members(&self) -> Map<String, Value> {
        representation::of(self)
    }

    fn compare(by: UserKey, a: &Self, b: &Self) -> Ordering {
        let name = |user: &Self| user.details.name.as_ref().map(|name| name.to_lowercase());
        match by {
            UserKey::Email => a.details.email.normalized().cmp(&b.details.email.normalized()),
            UserKey::Name => name(a).cmp(&name(b)),
            UserKey::UpdatedAt => a.updated_at.cmp(&b.updated_at),
            UserKey::IsActive => a.details.is_active.cmp(&b.details.is_active),
        }
    }

    /// Users have no part in the administration, so every administrator of users may change each.
    fn check_may_change(&self, _: &Administrator) -> Result<(), Problem> {
        Ok(())
    }

    async fn find(state: &Management, id: Uuid) -> Result<Option<Self>, StoreError> {
        state.services.stores.users.find(id).await
    }

    async fn update(&self, after: &Self, state: &Management) -> Result<Written, StoreError> {
        Ok(written(state.services.stores.users.update(self, after).await?))
    }

    /// The consents go first: a deletion that breaks off in between can be repeated, and leaves nothing.
    async fn delete(&self, state: &Management) -> Result<Written, StoreError> {
        state.services.stores.consents.forget_consents(self.id).await?;
        Ok(state.services.stores.users.delete(self).await?.into())
    }

    async fn list(
        state: &Management,
        order: Order,
        from: From,
        limit: u32,
    ) -> Result<Piece<Self>, StoreError> {
        let UserList { users: nodes, next } =
            state.services.stores.users.list(order, from, limit).await?;
        Ok(Piece { nodes, next })
    }

    async fn count(state: &Management) -> Result<u64, StoreError> {
        state.services.stores.users.count().await
    }
}

fn written(write: UserWrite) -> Written {
    match write {
        UserWrite::Done => Written::Done,
        UserWrite::Conflict => Written::Conflict,
        UserWrite::EmailTaken => {
            let detail = "email: another user has this e-mail address";
            Written::Refused(Problem::new(StatusCode::CONFLICT, detail))
        }
    }
}
