//! What the front channel works with.

use std::sync::Arc;

use identety_domain::Services;
use identety_domain::authorization::FrontChannel;
use identety_keys::PublishedKeys;

/// What the function works with.
pub struct FrontDoor {
    /// The rules.
    pub(crate) channel: FrontChannel,
    /// The keys that ID tokens are judged by: the channel's verifier.
    pub(crate) keys: Arc<PublishedKeys>,
}

impl FrontDoor {
    /// The front channel of a deployment.
    #[must_use]
    pub fn new(services: &Services, keys: Arc<PublishedKeys>) -> Self {
        Self { channel: services.front_channel(keys.clone()), keys }
    }
}
