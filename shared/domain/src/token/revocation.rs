//! Token revocation (RFC 7009). Any token of a user's grant stands for the whole grant.

use super::presented::Presented;
use super::services::TokenServices;
use crate::authentication::AuthenticatedClient;
use crate::models::client::Client;
use crate::stores::StoreError;
use crate::values::{ErrorCode, GrantId, PublicError, Timestamp};

/// Why nothing was revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevocationError {
    /// RFC 7009 §2.2.1: an access token by which a client acts for itself names no grant to end. It
    /// lives until it expires.
    #[error("an access token without a user cannot be revoked")]
    UnsupportedTokenType,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Ends the grant that `token` belongs to: a refresh token, live or rotated, or an access token. A token
/// that is unknown, has expired, or belongs to another client is none to speak of (RFC 7009 §2.2).
///
/// # Errors
/// When the token cannot be revoked by its kind; or when the store fails.
pub async fn revoke(
    services: &TokenServices,
    client: &AuthenticatedClient,
    token: &str,
    now: Timestamp,
) -> Result<(), RevocationError> {
    let client = &client.client;
    let Some(id) = grant_of(services, client, token, now).await? else { return Ok(()) };
    let grants = &services.grants.grants;
    match grants.find_grant(&id).await? {
        Some(grant) if grant.client == client.id => Ok(grants.end_grant(&id, now).await?),
        Some(_) | None => Ok(()),
    }
}

async fn grant_of(
    services: &TokenServices,
    client: &Client,
    token: &str,
    now: Timestamp,
) -> Result<Option<GrantId>, RevocationError> {
    match services.presented(token, now).await? {
        Some(Presented::RefreshToken(token)) => Ok(Some(token.grant)),
        Some(Presented::AccessToken(token))
            if token.check_time(now).is_ok() && token.client_id == client.client_id =>
        {
            let grant = token.subject.grant().cloned();
            grant.map(Some).ok_or(RevocationError::UnsupportedTokenType)
        }
        Some(Presented::AccessToken(_)) | None => Ok(None),
    }
}

impl RevocationError {
    /// What the caller is told.
    #[must_use]
    pub fn public(&self) -> PublicError {
        match self {
            Self::UnsupportedTokenType => PublicError::new(
                ErrorCode::UnsupportedTokenType,
                "an access token of a client that acts for itself cannot be revoked",
            ),
            Self::Store(error) => error.public(),
        }
    }
}
