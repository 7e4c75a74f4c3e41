//! What the front channel works with, and why a step of it leads nowhere.

use std::sync::Arc;

use super::target::NoClient;
use crate::hashers::{HashError, SecretHasher};
use crate::limits::SignInLimits;
use crate::sessions::Sessions;
use crate::stores::{
    ClientStore, ConsentStore, GrantStore, StoreError, TransactionStore, Verifier,
};
use crate::token::{Hint, TokenReader};
use crate::user_authentication::{BrowserLinks, PasswordAuthenticator};
use crate::values::{Settings, Timestamp};

/// What the front channel works with.
#[derive(Clone)]
pub struct FrontChannel {
    /// Who this deployment is.
    pub settings: Settings,
    /// Whether people may register themselves.
    pub registration_is_open: bool,
    /// The registered clients.
    pub clients: Arc<dyn ClientStore>,
    /// Sessions and users.
    pub sessions: Sessions,
    /// The grants.
    pub grants: Arc<dyn GrantStore>,
    /// The requests that wait for their user.
    pub transactions: Arc<dyn TransactionStore>,
    /// What users have allowed before.
    pub consents: Arc<dyn ConsentStore>,
    /// Has users show who they are.
    pub authenticator: PasswordAuthenticator,
    /// Bounds guessing who has an account.
    pub limits: SignInLimits,
    /// The one-time links that make browsers known.
    pub browser_links: BrowserLinks,
    /// Hashes new passwords.
    pub hasher: Arc<SecretHasher>,
    /// Judges ID tokens that come back as hints.
    pub verifier: Arc<dyn Verifier>,
}

/// Why a step leads nowhere: the user gets a page.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// There is no such transaction any more, or it is guarded by another secret. Where it is known, the query of the
    /// authorization request with which the browser can begin again.
    #[error("the request is unknown or over, or another browser's")]
    Over(Option<String>),
    /// The transaction has had its answer.
    #[error("the request has been answered")]
    Done,
    /// The client may not ask for that any more.
    #[error("the client may no longer have what it has asked for")]
    NotAllowedAnyMore,
    /// The client cannot be answered any more.
    #[error(transparent)]
    NoClient(#[from] NoClient),
    /// A stored hash is damaged.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FrontChannel {
    /// What an `id_token_hint` is worth.
    pub(super) async fn hint(&self, hint: &str, now: Timestamp) -> Result<Hint, StoreError> {
        let reader = TokenReader { issuer: &self.settings.issuer, verifier: &*self.verifier };
        reader.id_token_hint(hint, now).await
    }
}
