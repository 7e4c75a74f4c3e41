//! Methods of client authentication (RFC 6749 §2.3, RFC 7591 §2).

use super::vocabulary::vocabulary;

vocabulary! {
    /// How a client authenticates at the token endpoint, and at every other endpoint for clients.
    pub enum TokenEndpointAuthMethod {
        /// Public clients: only their `client_id`.
        None => "none",
        /// The secret in the Authorization header.
        ClientSecretBasic => "client_secret_basic",
        /// The secret in the form.
        ClientSecretPost => "client_secret_post",
    }
}

impl TokenEndpointAuthMethod {
    /// Whether a client that uses the method proves who it is: only such a client may ask for what concerns
    /// others, such as introspection (RFC 7662 §2.1).
    #[must_use]
    pub const fn proves_identity(self) -> bool {
        match self {
            Self::None => false,
            Self::ClientSecretBasic | Self::ClientSecretPost => true,
        }
    }

    /// Whether a client that uses the method has a secret, which the server makes and rotates.
    #[must_use]
    pub const fn uses_secret(self) -> bool {
        match self {
            Self::None => false,
            Self::ClientSecretBasic | Self::ClientSecretPost => true,
        }
    }
}
