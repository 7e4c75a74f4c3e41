//! What the pages show of a client.

use identety_domain::client::{Destination, VerifiedMetadata};

use super::csp;

/// A client, as its users see it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClientView<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its home page.
    pub client_uri: Option<&'a str>,
    /// Its logo, which is decoration: the name stands beside it.
    pub logo_uri: Option<&'a str>,
    /// Its privacy policy.
    pub policy_uri: Option<&'a str>,
    /// Its terms of service.
    pub tos_uri: Option<&'a str>,
}

impl ClientView<'_> {
    /// The host of its home page, by which users know it.
    #[must_use]
    pub fn home(&self) -> Option<&str> {
        match Destination::of(self.client_uri?) {
            Destination::Server(host) | Destination::Loopback(host) => Some(host),
            Destination::App(_) => None,
        }
    }
}

impl<'a> From<&'a VerifiedMetadata> for ClientView<'a> {
    fn from(metadata: &'a VerifiedMetadata) -> Self {
        Self {
            name: &metadata.name,
            client_uri: metadata.client_uri.as_deref(),
            // An image that no policy can allow would be an empty frame.
            logo_uri: metadata.logo_uri.as_deref().filter(|uri| csp::source(uri).is_some()),
            policy_uri: metadata.policy_uri.as_deref(),
            tos_uri: metadata.tos_uri.as_deref(),
        }
    }
}
