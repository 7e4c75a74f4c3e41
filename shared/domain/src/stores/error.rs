//! A store that failed.

use std::borrow::Cow;

use crate::values::{ErrorCode, PublicError};

/// The store failed: what was asked may or may not have happened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Throttled, timed out or out of reach: the same may succeed a little later.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] Cause),
    /// It answered with something that this version does not understand.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(#[source] Cause),
    /// Anything else, such as a missing table or permission.
    #[error("the store failed: {0}")]
    Other(#[source] Cause),
}

/// What lies behind a [`StoreError`], for the log alone.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

impl StoreError {
    /// What the caller is told: only what may pass is worth another try.
    #[must_use]
    pub const fn public(&self) -> PublicError {
        match self {
            Self::Unavailable(_) => PublicError {
                code: ErrorCode::TemporarilyUnavailable,
                description: Cow::Borrowed("the server is busy; try again shortly"),
                retry_after: Some(1),
            },
            Self::Corrupt(_) | Self::Other(_) => {
                PublicError::new(ErrorCode::ServerError, "the server failed")
            }
        }
    }
}
