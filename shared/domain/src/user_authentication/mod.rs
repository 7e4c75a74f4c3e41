//! How a user shows who they are. Each way is a [`UserAuthenticator`]; today there is one, the password. What comes of
//! it is an [`Authentication`], which the session, the grant and the ID token carry, whatever the way was.

mod browsers;
mod links;
mod password;

use async_trait::async_trait;

pub use browsers::BrowserMemory;
pub use links::{BrowserLinks, LinkError};
pub(crate) use password::event_of_password;
pub use password::{PasswordAuthenticator, PasswordCredentials};

use crate::hashers::HashError;
use crate::models::authentication::Authentication;
use crate::stores::StoreError;
use crate::values::{RequestContext, Seconds};

/// A way for users to show who they are.
#[async_trait]
pub trait UserAuthenticator: Send + Sync {
    /// What the user shows.
    type Credentials: Send + Sync;

    /// The user who shows these credentials. An attempt that may be a guess is counted before it is made.
    ///
    /// # Errors
    /// When they are no user's, or no attempt may be made now; or when a store fails.
    async fn authenticate(
        &self,
        context: &mut RequestContext,
        credentials: &Self::Credentials,
    ) -> Result<Authentication, UserAuthenticationError>;
}

/// Why no user has shown who they are.
#[derive(Debug, thiserror::Error)]
pub enum UserAuthenticationError {
    /// The credentials are no user's, or the user is disabled: a page must not tell which.
    #[error("wrong address or password")]
    WrongCredentials,
    /// Longer than any password can be.
    #[error("the password is too long")]
    TooLong,
    /// Too many failures.
    #[error("too many failures")]
    TooManyFailures {
        /// Seconds until another attempt is allowed; `None` where time alone does not help.
        retry_after: Option<Seconds>,
    },
    /// A stored hash is damaged.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
