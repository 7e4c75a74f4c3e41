//! What the front channel works with.

use std::sync::Arc;

use identety_domain::Services;
use identety_domain::authorization::FrontChannel;
use identety_domain::keys::Verifier;

/// What the function works with.
pub struct FrontDoor {
    /// The rules.
    pub(crate) channel: FrontChannel,
}

impl FrontDoor {
    /// The front channel of a deployment; `keys` judge the ID tokens that come back as hints.
    #[must_use]
    pub fn new(services: &Services, keys: Arc<dyn Verifier>) -> Self {
        Self { channel: services.front_channel(keys) }
    }
}
