//! What management works with.

use std::sync::Arc;

use identety_domain::Services;
use identety_domain::admin::AdminAuthenticator;
use identety_domain::keys::Verifier;

/// What management works with.
pub struct Management {
    pub(crate) services: Services,
    /// Decides who is an administrator.
    pub(crate) authenticator: AdminAuthenticator,
}

impl Management {
    /// The management of a deployment; `keys` judge administrators' tokens.
    #[must_use]
    pub fn new(services: Services, keys: Arc<dyn Verifier>) -> Self {
        let authenticator = services.admin_authenticator(keys);
        Self { services, authenticator }
    }
}
