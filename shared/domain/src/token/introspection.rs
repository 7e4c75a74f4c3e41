//! Token introspection (RFC 7662): what a token is worth at this moment.

use serde::Serialize;

use super::behalf::{Behalf, behalf, client_behind};
use super::presented::Presented;
use super::services::TokenServices;
use crate::authentication::AuthenticatedClient;
use crate::models::client::Client;
use crate::models::grant::{Grant, RefreshToken};
use crate::models::token::{AccessToken, Actor, Audience, ConfirmationClaim, TokenType};
use crate::stores::StoreError;
use crate::values::{ErrorCode, PublicError, Timestamp};

/// What a client hears of a token (RFC 7662 §2.2).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members are those of the specification")]
pub struct Introspection {
    pub active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<TokenType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Audience>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<ConfirmationClaim>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
}

/// Why a client is told nothing.
#[derive(Debug, thiserror::Error)]
pub enum IntrospectionError {
    /// RFC 7662 §2.1: the caller must be known, and any program can call itself by the name of a public client.
    #[error("the client has not proven who it is")]
    Unproven,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IntrospectionError {
    /// What the caller is told.
    #[must_use]
    pub const fn public(&self) -> PublicError {
        match self {
            Self::Unproven => {
                PublicError::new(ErrorCode::InvalidClient, "client authentication failed")
            }
            Self::Store(error) => error.public(),
        }
    }
}

/// The reserved scope of resource servers that may ask about tokens of others.
const SEES_ALL: &str = "tokens:introspect";

/// What `token` is worth, as `caller` may know. Whatever is wrong with it, the answer is only that it is not active.
///
/// # Errors
/// When the caller has not proven who it is; or when a store fails.
pub async fn introspect(
    services: &TokenServices,
    caller: &AuthenticatedClient,
    token: &str,
    now: Timestamp,
) -> Result<Introspection, IntrospectionError> {
    if !caller.method.proves_identity() {
        return Err(IntrospectionError::Unproven);
    }
    let caller = &caller.client;
    let known = match services.presented(token, now).await? {
        Some(Presented::RefreshToken(token)) => {
            refresh_token(services, caller, &token, now).await?
        }
        Some(Presented::AccessToken(token)) => access_token(services, caller, *token, now).await?,
        None => None,
    };
    Ok(known.unwrap_or_default())
}

fn may_see(caller: &Client, client_id: &str) -> bool {
    caller.client_id.as_str() == client_id || caller.scope().contains(SEES_ALL)
}

async fn access_token(
    services: &TokenServices,
    caller: &Client,
    token: AccessToken,
    now: Timestamp,
) -> Result<Option<Introspection>, StoreError> {
    if token.check_time(now).is_err() || !may_see(caller, token.client_id.as_str()) {
        return Ok(None);
    }
    let Some(client) = client_behind(services, &token).await? else { return Ok(None) };
    let user = match behalf(services, &client, &token.subject).await? {
        Behalf::Client => None,
        Behalf::User(permission) => Some(permission.user),
        Behalf::Ended => return Ok(None),
    };
    Ok(Some(Introspection {
        active: true,
        scope: token.scope_for(&client).to_parameter(),
        client_id: Some(token.client_id.to_string()),
        username: user.map(|user| user.details.email.to_string()),
        token_type: Some(token.confirmation.token_type()),
        exp: Some(token.expires_at),
        iat: Some(token.issued_at),
        nbf: Some(token.not_before),
        sub: Some(token.subject.sub()),
        aud: Some(token.audience),
        iss: Some(token.issuer),
        jti: Some(token.id),
        cnf: token.confirmation.claim(),
        act: token.subject.actor().cloned(),
    }))
}

async fn refresh_token(
    services: &TokenServices,
    caller: &Client,
    token: &RefreshToken,
    now: Timestamp,
) -> Result<Option<Introspection>, StoreError> {
    let Some(grant) = services.grants.grants.find_grant(&token.grant).await? else {
        return Ok(None);
    };
    // Only its own client can do anything with a refresh token, so only it may ask.
    let redeemed = grant.redeemed.as_ref().filter(|_| grant.client == caller.id);
    let Some(redeemed) = redeemed.filter(|redeemed| redeemed.generation == token.generation) else {
        return Ok(None);
    };
    let ends_at = Grant::refresh_ends_at(redeemed, &caller.metadata.lifetimes);
    if now >= ends_at {
        return Ok(None);
    }
    let Some(user) = services.grants.user_behind(&grant).await? else { return Ok(None) };
    let scope = grant.scope_for(caller);
    Ok(Some(Introspection {
        active: true,
        scope: scope.to_parameter(),
        client_id: Some(caller.client_id.to_string()),
        username: Some(user.details.email.to_string()),
        exp: Some(ends_at.seconds()),
        iat: Some(redeemed.rotated_at.seconds()),
        sub: Some(grant.user.to_string()),
        iss: Some(services.settings.issuer.to_string()),
        ..Introspection::default()
    }))
}
