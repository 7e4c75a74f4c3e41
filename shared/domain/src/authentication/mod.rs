//! Client authentication (RFC 6749 §2.3): one step for all endpoints, one file for each method.

mod authenticator;
mod client_secret;
mod credentials;
mod error;
mod none;
mod recent_clients;

pub use authenticator::ClientAuthenticator;
pub use credentials::{AuthenticatedClient, Credentials};
pub use error::AuthenticationError;
pub use recent_clients::RecentClients;
