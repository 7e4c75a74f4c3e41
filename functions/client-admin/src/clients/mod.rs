//! `/admin/clients`.

pub(crate) mod create;
mod members;
mod representation;
pub(crate) mod secrets;
pub(crate) mod update;

use std::cmp::Ordering;

use http::StatusCode;
use identety_domain::admin::Administrator;
use identety_domain::client::Client;
use identety_domain::store::{ClientList, From, Order, StoreError};
use identety_http::problem::Problem;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::resource::{Piece, Resource, Written};
use crate::state::Management;

/// What a list of clients can be sorted by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ClientKey {
    Name,
    UpdatedAt,
    Type,
    ClientId,
    IsActive,
}

impl Resource for Client {
    const NAME: &'static str = "client";
    const PATH: &'static str = "/admin/clients";

    type SortKey = ClientKey;

    const SORT_KEYS: &'static [(&'static str, ClientKey)] = &[
        ("updatedAt", ClientKey::UpdatedAt),
        ("name", ClientKey::Name),
        ("type", ClientKey::Type),
        ("clientId", ClientKey::ClientId),
        ("isActive", ClientKey::IsActive),
    ];

    /// Among them Identety's names. Two that it has may be asked for and never come: there is no secret
    /// to show, and no tenant.
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "type",
        "clientId",
        "redirectUris",
        "postLogoutRedirectUris",
        "scopes",
        "grants",
        "accessTokenLifetime",
        "refreshTokenLifetime",
        "refreshTokenAbsoluteLifetime",
        "skipConsent",
        "tokenEndpointAuthMethod",
        "requirePkce",
        "audiences",
        "accessTokenSigningAlg",
        "idTokenSigningAlg",
        "idTokenClaims",
        "allowedCorsOrigins",
        "isActive",
        "clientUri",
        "logoUri",
        "policyUri",
        "tosUri",
        "contacts",
        "metadata",
        "secrets",
        "createdAt",
        "updatedAt",
        "version",
        "allowedScopes",
        "allowedGrants",
        "settings",
        "clientSecret",
        "tenantId",
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

    fn compare(by: ClientKey, a: &Self, b: &Self) -> Ordering {
        match by {
            ClientKey::Name => a.metadata.name.to_lowercase().cmp(&b.metadata.name.to_lowercase()),
            ClientKey::UpdatedAt => a.updated_at.cmp(&b.updated_at),
            ClientKey::Type => a.kind.as_str().cmp(b.kind.as_str()),
            ClientKey::ClientId => a.client_id.as_str().cmp(b.client_id.as_str()),
            ClientKey::IsActive => a.metadata.is_active.cmp(&b.metadata.is_active),
        }
    }

    /// Nobody changes a client that has more of the administration than they have.
    fn check_may_change(&self, administrator: &Administrator) -> Result<(), Problem> {
        if administrator.may_manage(self) {
            return Ok(());
        }
        let detail = "this client has administration scopes that you do not have";
        Err(Problem::new(StatusCode::FORBIDDEN, detail))
    }

    async fn find(state: &Management, id: Uuid) -> Result<Option<Self>, StoreError> {
        state.services.stores.clients.find_by_id(id).await
    }

    async fn update(&self, after: &Self, state: &Management) -> Result<Written, StoreError> {
        Ok(state.services.stores.clients.update(self, after).await?.into())
    }

    async fn delete(&self, state: &Management) -> Result<Written, StoreError> {
        Ok(state.services.stores.clients.delete(self).await?.into())
    }

    async fn list(
        state: &Management,
        order: Order,
        from: From,
        limit: u32,
    ) -> Result<Piece<Self>, StoreError> {
        let ClientList { clients: nodes, next } =
            state.services.stores.clients.list(order, from, limit).await?;
        Ok(Piece { nodes, next })
    }

    async fn count(state: &Management) -> Result<u64, StoreError> {
        state.services.stores.clients.count().await
    }
}
