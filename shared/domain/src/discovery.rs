//! Server metadata (RFC 8414, OpenID Connect Discovery 1.0): only what works.

use serde::Serialize;

use crate::models::user::SIGN_IN_CLAIMS;
use crate::token::ACR;
use crate::values::scope::USER_SCOPES;
use crate::values::{
    GrantType, Issuer, ResponseMode, SigningAlg, TokenEndpointAuthMethod, UserClaim,
};

/// Where the endpoints are, under the issuer.
pub mod path {
    /// OpenID Connect Discovery 1.0 §4.
    pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
    /// RFC 8414 §3.
    pub const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
    /// RFC 7517 §5.
    pub const JWKS: &str = "/.well-known/jwks.json";
    /// RFC 6749 §3.1.
    pub const AUTHORIZE: &str = "/oauth2/authorize";
    /// RFC 6749 §3.2.
    pub const TOKEN: &str = "/oauth2/token";
    /// RFC 7009 §2.
    pub const REVOKE: &str = "/oauth2/revoke";
    /// RFC 7662 §2.
    pub const INTROSPECT: &str = "/oauth2/introspect";
    /// OpenID Connect Core 1.0 §5.3.
    pub const USERINFO: &str = "/oauth2/userinfo";
    /// OpenID Connect RP-Initiated Logout 1.0 §2.
    pub const LOGOUT: &str = "/oauth2/logout";
    /// The page on which users sign in.
    pub const SIGN_IN: &str = "/signin";
    /// The page on which people register themselves.
    pub const REGISTER: &str = "/register";
    /// The page on which users consent.
    pub const CONSENT: &str = "/consent";
    /// The page of a one-time link that makes a browser known.
    pub const KNOWN_BROWSER: &str = "/known-browser";
    /// The page on which users sign out.
    pub const SIGN_OUT: &str = "/signout";
}

/// The metadata document.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the specification")]
pub struct ServerMetadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    end_session_endpoint: String,
    scopes_supported: Vec<&'static str>,
    response_types_supported: Vec<&'static str>,
    response_modes_supported: Vec<&'static str>,
    grant_types_supported: Vec<&'static str>,
    prompt_values_supported: Vec<&'static str>,
    acr_values_supported: Vec<&'static str>,
    subject_types_supported: Vec<&'static str>,
    id_token_signing_alg_values_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    claim_types_supported: Vec<&'static str>,
    claims_supported: Vec<&'static str>,
    ui_locales_supported: Vec<&'static str>,
    code_challenge_methods_supported: Vec<&'static str>,
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    authorization_response_iss_parameter_supported: bool,
}

impl ServerMetadata {
    /// The metadata of the server at `issuer`.
    #[must_use]
    pub fn of(issuer: &Issuer) -> Self {
        let at = |path| format!("{issuer}{path}");
        // Some clients take the first method that they know, so those that prove something come first.
        let (proving, naming): (Vec<_>, Vec<_>) =
            TokenEndpointAuthMethod::ALL.into_iter().partition(|method| method.proves_identity());
        let proving: Vec<_> = proving.into_iter().map(TokenEndpointAuthMethod::as_str).collect();
        let naming: Vec<_> = naming.into_iter().map(TokenEndpointAuthMethod::as_str).collect();
        let any_client = [proving.as_slice(), &naming].concat();
        Self {
            issuer: issuer.to_string(),
            authorization_endpoint: at(path::AUTHORIZE),
            token_endpoint: at(path::TOKEN),
            userinfo_endpoint: at(path::USERINFO),
            jwks_uri: at(path::JWKS),
            revocation_endpoint: at(path::REVOKE),
            introspection_endpoint: at(path::INTROSPECT),
            end_session_endpoint: at(path::LOGOUT),
            scopes_supported: USER_SCOPES.to_vec(),
            response_types_supported: vec!["code"],
            response_modes_supported: ResponseMode::ALL.map(ResponseMode::as_str).to_vec(),
            grant_types_supported: GrantType::ALL.map(GrantType::as_str).to_vec(),
            prompt_values_supported: vec!["none", "login", "consent", "select_account"],
            acr_values_supported: vec![ACR],
            subject_types_supported: vec!["public"],
            id_token_signing_alg_values_supported: SigningAlg::ALL.map(SigningAlg::as_str).to_vec(),
            token_endpoint_auth_methods_supported: any_client.clone(),
            revocation_endpoint_auth_methods_supported: any_client,
            introspection_endpoint_auth_methods_supported: proving,
            claim_types_supported: vec!["normal"],
            claims_supported: [SIGN_IN_CLAIMS.as_slice(), &UserClaim::ALL.map(UserClaim::as_str)]
                .concat(),
            ui_locales_supported: vec!["en"],
            code_challenge_methods_supported: vec!["S256"],
            claims_parameter_supported: true,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            authorization_response_iss_parameter_supported: true,
        }
    }
}
