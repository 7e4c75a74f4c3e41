//! What a client shows, and what it has proven.

use crate::models::client::Client;
use crate::values::{Secret, TokenEndpointAuthMethod};

/// What a client showed to prove who it is.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Only its identifier: a public client.
    None {
        /// The `client_id` parameter.
        client_id: String,
    },
    /// Identifier and secret, in the Authorization header or in the form.
    ///
    /// Clients registered for one of the two may use the other: both show the same secret to the same
    /// endpoint.
    Secret {
        /// The identifier.
        client_id: String,
        /// The secret.
        secret: Secret,
    },
}

impl Credentials {
    /// The identifier that the client gives itself.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            Self::None { client_id } | Self::Secret { client_id, secret: _ } => client_id,
        }
    }
}

/// A client whose credentials were judged. Only [`ClientAuthenticator`](super::ClientAuthenticator) makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct AuthenticatedClient {
    /// The client.
    pub client: Client,
    /// By which method it is known.
    pub method: TokenEndpointAuthMethod,
}
