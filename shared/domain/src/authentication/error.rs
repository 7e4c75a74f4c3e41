//! Why a client is not authenticated.

use std::borrow::Cow;

use crate::hashers::HashError;
use crate::stores::StoreError;
use crate::values::{ErrorCode, PublicError, Seconds, TokenEndpointAuthMethod};

/// Why a client is not who it says. The caller must not be told which.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// No client has that identifier.
    #[error("unknown client")]
    UnknownClient,
    /// The client is disabled.
    #[error("client is not active")]
    Inactive,
    /// None of its live secrets is the one shown.
    #[error("wrong secret")]
    WrongSecret,
    /// The client is registered for a method other than the one that it used.
    #[error("the client is registered for {0}, and used another method")]
    OtherMethod(TokenEndpointAuthMethod),
    /// Too many failures from one address.
    #[error("too many failures")]
    TooManyFailures {
        /// Seconds until another attempt makes sense.
        retry_after: Seconds,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored hash is damaged.
    #[error(transparent)]
    Hash(#[from] HashError),
}

impl AuthenticationError {
    /// What the caller is told: every way to fail looks the same from outside.
    #[must_use]
    pub const fn public(&self) -> PublicError {
        match self {
            Self::UnknownClient | Self::Inactive | Self::WrongSecret | Self::OtherMethod(_) => {
                PublicError::new(ErrorCode::InvalidClient, "client authentication failed")
            }
            Self::TooManyFailures { retry_after } => PublicError {
                code: ErrorCode::InvalidClient,
                description: Cow::Borrowed("too many failed attempts; try again later"),
                retry_after: Some(*retry_after),
            },
            Self::Store(error) => error.public(),
            Self::Hash(_) => PublicError::new(ErrorCode::ServerError, "the server failed"),
        }
    }
}
