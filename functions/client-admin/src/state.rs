//! What management works with.

use std::sync::Arc;

use identety_domain::Services;
use identety_domain::admin::AdminAuthenticator;
use identety_keys::PublishedKeys;

/// What management works with.
pub struct Management {
    pub(crate) services: Services,
    /// Decides who is an administrator.
    pub(crate) authenticator: AdminAuthenticator,
    /// The keys that administrators' tokens are judged by: the authenticator's verifier.
    pub(crate) keys: Arc<PublishedKeys>,
}

impl Management {
    /// The management of a deployment.
    #[must_use]
    pub fn new(services: Services, keys: Arc<PublishedKeys>) -> Self {
        let authenticator = services.admin_authenticator(keys.clone());
        Self { services, authenticator, keys }
    }
}
