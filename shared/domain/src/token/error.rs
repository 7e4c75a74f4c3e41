//! Why there is no token, and what the caller is told of it.

use crate::models::keys::SigningError;
use crate::stores::StoreError;
use crate::values::{ErrorCode, PublicError};

/// Why there is no token: the cause, for the log. [`TokenError::public`] is for the caller.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A parameter is missing or malformed.
    #[error("invalid request: {0}")]
    InvalidRequest(&'static str),
    /// The grant does not exist here.
    #[error("unsupported grant type")]
    UnsupportedGrantType,
    /// The grant exists, but not for this client.
    #[error("the client may not use this grant")]
    UnauthorizedClient,
    /// RFC 6749 §5.2.
    #[error("invalid grant: {0}")]
    InvalidGrant(#[from] InvalidGrant),
    /// A scope is malformed or outside the client's allow-list: a sentence that names it.
    #[error("invalid scope: {0}")]
    InvalidScope(String),
    /// RFC 8707 §2.
    #[error("invalid target: {0}")]
    InvalidTarget(String),
    /// The signer failed.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The claims could not be written down.
    #[error("the claims could not be serialized: {0}")]
    Claims(#[from] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why code or refresh token do not count. The caller is told the same of all.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidGrant {
    /// This server did not make it, or has forgotten it.
    #[error("unknown")]
    Unknown,
    /// It was given to another client.
    #[error("given to another client")]
    OtherClient,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// The code was used before; the grant has ended with that.
    #[error("the code was used before")]
    CodeReused,
    /// The refresh token was used before, and its successor too; the grant has ended with that.
    #[error("the refresh token was used before")]
    RefreshTokenReused,
    /// The grant was revoked, its user has signed out, is disabled, or has another password.
    #[error("the grant has ended")]
    Ended,
    /// Not the redirect URI of the authorization request.
    #[error("another redirect_uri")]
    RedirectUri,
    /// Not what the code challenge was made of, missing, or without a challenge.
    #[error("wrong code_verifier")]
    CodeVerifier,
}

impl TokenError {
    /// The one place where a cause becomes an OAuth error.
    #[must_use]
    pub fn public(&self) -> PublicError {
        use ErrorCode as Code;
        match self {
            Self::InvalidRequest(description) => {
                PublicError::new(Code::InvalidRequest, description)
            }
            Self::UnsupportedGrantType => PublicError::new(
                Code::UnsupportedGrantType,
                "this server does not support the grant type",
            ),
            Self::UnauthorizedClient => PublicError::new(
                Code::UnauthorizedClient,
                "the client is not allowed to use this grant type",
            ),
            Self::InvalidGrant(_) => PublicError::new(
                Code::InvalidGrant,
                "the code or refresh token is not valid for this request",
            ),
            Self::InvalidScope(description) => {
                PublicError::naming(Code::InvalidScope, description.clone())
            }
            Self::InvalidTarget(description) => {
                PublicError::naming(Code::InvalidTarget, description.clone())
            }
            Self::Signing(_) | Self::Claims(_) => {
                PublicError::new(Code::ServerError, "the token could not be signed")
            }
            Self::Store(error) => error.public(),
        }
    }
}
