//! Userinfo (OpenID Connect Core 1.0 §5.3): what an access token lets its client know of the user.

use serde_json::{Map, Value};

use super::introspection::behind;
use super::{AccessTokenError, OAuthErrorCode, PublicError, TokenServices, check_for_anybody};
use crate::client::Client;
use crate::store::StoreError;
use crate::{Scope, Timestamp, user};

/// What there is to know, and for whom.
#[derive(Debug)]
pub struct UserInfo {
    /// The client.
    pub client: Client,
    /// The claims.
    pub claims: Map<String, Value>,
}

/// Why there is nothing to know.
#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    /// The token does not count.
    #[error("bearer token refused: {0}")]
    Token(#[from] AccessTokenError),
    /// The grant has ended, or its user or client is gone or disabled.
    #[error("the grant has ended")]
    Ended,
    /// OpenID Connect Core 1.0 §5.3.1: the token is not for userinfo.
    #[error("the token has no scope openid")]
    InsufficientScope,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The claims that `token` allows.
///
/// # Errors
/// When it does not count, or was not given for a user who signed in; or when the store fails.
pub async fn userinfo(
    services: &TokenServices,
    token: &str,
    now: Timestamp,
) -> Result<UserInfo, UserInfoError> {
    let issuer = &services.settings.issuer;
    let claims = check_for_anybody(&*services.verifier, issuer, token, now)?;
    if !claims.allows("openid") {
        return Err(UserInfoError::InsufficientScope);
    }
    let (client, user) = behind(services, &claims).await?.ok_or(UserInfoError::Ended)?;
    let user = user.ok_or(UserInfoError::InsufficientScope)?;
    let scope = claims.scope.as_deref().map(Scope::parse).transpose();
    let scope = scope.map_err(|_| AccessTokenError::NotOurs)?.unwrap_or_default();
    Ok(UserInfo { client, claims: user::claims(&user, &scope) })
}

impl UserInfoError {
    /// What the caller is told (RFC 6750 §3.1). What exactly is wrong with a token stays in the log.
    #[must_use]
    pub fn public(&self) -> PublicError {
        match self {
            Self::Token(_) | Self::Ended => {
                PublicError::new(OAuthErrorCode::InvalidToken, "the access token is not valid")
            }
            Self::InsufficientScope => {
                PublicError::new(OAuthErrorCode::InsufficientScope, "the scope openid is required")
            }
            Self::Store(error) => error.public(),
        }
    }
}
