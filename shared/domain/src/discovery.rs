//! Server metadata (RFC 8414, OpenID Connect Discovery 1.0): only what works.

use serde::Serialize;

use crate::Issuer;
use crate::client::{GrantType, TokenEndpointAuthMethod};

/// Where the endpoints are, under the issuer.
pub mod path {
    /// OpenID Connect Discovery 1.0 §4.
    pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
    /// RFC 8414 §3.
    pub const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
    /// RFC 7517 §5.
    pub const JWKS: &str = "/.well-known/jwks.json";
    /// RFC 6749 §3.2.
    pub const TOKEN: &str = "/oauth2/token";
}

/// The metadata document.
#[derive(Clone, Debug, Serialize)]
pub struct ServerMetadata {
    issuer: String,
    token_endpoint: String,
    jwks_uri: String,
    grant_types_supported: Vec<&'static str>,
    /// Required by RFC 8414 §2; empty while there is no authorization endpoint.
    response_types_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
}

impl ServerMetadata {
    /// The metadata of the server at `issuer`.
    #[must_use]
    pub fn of(issuer: &Issuer) -> Self {
        Self {
            issuer: issuer.to_string(),
            token_endpoint: format!("{issuer}{}", path::TOKEN),
            jwks_uri: format!("{issuer}{}", path::JWKS),
            grant_types_supported: vec![GrantType::ClientCredentials.as_str()],
            response_types_supported: Vec::new(),
            token_endpoint_auth_methods_supported: vec![
                TokenEndpointAuthMethod::ClientSecretBasic.as_str(),
                TokenEndpointAuthMethod::ClientSecretPost.as_str(),
            ],
        }
    }
}
