//! The token endpoint (RFC 6749 §3.2): from a parsed request to an answer.

mod access_token;
mod authorization_code;
mod client_credentials;
mod id_token;
mod introspection;
mod issue;
mod refresh_token;
mod request;
mod revocation;
mod userinfo;

use std::sync::Arc;

use rand_core::CryptoRng;
use serde::Serialize;

pub use access_token::{
    AccessToken, AccessTokenError, Audience, TYP as ACCESS_TOKEN_TYP, check, check_for_anybody,
};
pub use id_token::{ACR, IdTokenHint, read_hint};
pub use introspection::{Introspection, introspect};
pub use request::{
    AuthorizationCodeRequest, ClientCredentialsRequest, RefreshTokenRequest, TokenParameters,
    TokenRequest,
};
pub use revocation::{RevocationError, revoke};
pub use userinfo::{UserInfo, UserInfoError, UserInfoRefusal, userinfo};

use crate::authentication::{AuthenticationError, ClientAuthenticator, Credentials};
use crate::client::{Client, GrantType};
use crate::grant::{Grant, Grants, RefreshKey};
use crate::keys::{Signer, SigningError, Verifier};
use crate::limits::PeerAddress;
use crate::store::StoreError;
use crate::{Scope, Seconds, Settings, Timestamp};

/// What the token endpoint works with.
#[derive(Clone)]
pub struct TokenServices {
    /// Who this deployment is.
    pub settings: Settings,
    /// Authenticates clients.
    pub authenticator: ClientAuthenticator,
    /// Signs tokens.
    pub signer: Arc<dyn Signer>,
    /// Judges tokens that come back.
    pub verifier: Arc<dyn Verifier>,
    /// Makes and reads refresh tokens.
    pub refresh_key: RefreshKey,
    /// What users have allowed.
    pub grants: Grants,
}

/// A successful answer (RFC 6749 §5.1).
#[derive(Clone, Serialize)]
pub struct TokenResponse {
    /// The token, a JWT (RFC 9068).
    pub access_token: String,
    /// `Bearer`.
    pub token_type: &'static str,
    /// How long the token lives.
    pub expires_in: Seconds,
    /// The next refresh token (RFC 6749 §1.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Who signed in (OpenID Connect Core 1.0 §3.1.3.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// What it allows; left out when that is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[tokens]")
    }
}

/// An answer, and whom it is for.
#[derive(Debug)]
pub struct Issued {
    /// The client.
    pub client: Client,
    /// The grant that it used.
    pub grant: GrantType,
    /// The answer.
    pub response: TokenResponse,
}

/// Why there is no token: the cause, for the log. [`TokenError::public`] is for the caller.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A parameter is missing or malformed.
    #[error("invalid request: {0}")]
    InvalidRequest(&'static str),
    /// RFC 6749 §5.2.
    #[error("client authentication failed: {0}")]
    Authentication(#[from] AuthenticationError),
    /// The grant does not exist here.
    #[error("unsupported grant type")]
    UnsupportedGrantType,
    /// The grant exists, but not for this client.
    #[error("the client may not use this grant")]
    UnauthorizedClient,
    /// RFC 6749 §5.2.
    #[error("invalid grant: {0}")]
    InvalidGrant(#[from] InvalidGrant),
    /// A scope is malformed or outside the client's allow-list.
    #[error("invalid scope: {0}")]
    InvalidScope(&'static str),
    /// RFC 8707 §2.
    #[error("the resource is not one of the client's audiences")]
    InvalidTarget,
    /// The signer failed.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The claims could not be written down.
    #[error("the claims could not be serialized: {0}")]
    Claims(#[from] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why code or refresh token do not count. The caller is told the same of all.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidGrant {
    /// This server did not make it, or has forgotten it.
    #[error("unknown")]
    Unknown,
    /// It was given to another client.
    #[error("given to another client")]
    OtherClient,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// The code was used before; the grant has ended with that.
    #[error("the code was used before")]
    CodeReused,
    /// The refresh token was used before, and its successor too; the grant has ended with that.
    #[error("the refresh token was used before")]
    RefreshTokenReused,
    /// The grant was revoked, its user has signed out, is disabled, or has another password.
    #[error("the grant has ended")]
    Ended,
    /// Not the redirect URI of the authorization request.
    #[error("another redirect_uri")]
    RedirectUri,
    /// Not what the code challenge was made of, missing, or without a challenge.
    #[error("wrong code_verifier")]
    CodeVerifier,
}

/// A refusal, and to whom if that is known.
#[derive(Debug)]
pub struct Refusal {
    /// The client, once it was authenticated.
    pub client: Option<Box<Client>>,
    /// Why.
    pub error: TokenError,
}

/// Turns a request into tokens.
///
/// # Errors
/// The first rule that the request breaks, in the order of the steps below.
pub async fn execute(
    services: &TokenServices,
    now: Timestamp,
    rng: &mut (dyn CryptoRng + Send),
    peer: &PeerAddress,
    credentials: &Credentials,
    parameters: TokenParameters,
) -> Result<Issued, Refusal> {
    let client = match services.authenticator.authenticate(credentials, peer, now, rng).await {
        Ok(client) => client,
        Err(error) => return Err(Refusal { client: None, error: error.into() }),
    };
    match answer(services, &client, parameters, now, rng).await {
        Ok((grant, response)) => Ok(Issued { client, grant, response }),
        Err(error) => Err(Refusal { client: Some(Box::new(client)), error }),
    }
}

async fn answer(
    services: &TokenServices,
    client: &Client,
    parameters: TokenParameters,
    now: Timestamp,
    rng: &mut (dyn CryptoRng + Send),
) -> Result<(GrantType, TokenResponse), TokenError> {
    let grant = parameters.grant()?;
    if !client.may_use(grant) {
        return Err(TokenError::UnauthorizedClient);
    }
    let response = match TokenRequest::parse(grant, parameters)? {
        TokenRequest::AuthorizationCode(request) => {
            authorization_code::grant(services, client, request, now, rng).await?
        }
        TokenRequest::RefreshToken(request) => {
            refresh_token::grant(services, client, request, now, rng).await?
        }
        TokenRequest::ClientCredentials(request) => {
            client_credentials::grant(services, client, request, now, rng)?
        }
    };
    Ok((grant, response))
}

/// From when on a grant that was redeemed at `redeemed_at` may be forgotten: when its last refresh token
/// and the last access token of that have ended, and a day later.
fn forget_at(redeemed_at: Timestamp, client: &Client) -> Timestamp {
    let lifetimes = &client.metadata.lifetimes;
    let last = redeemed_at.plus(lifetimes.refresh_token_absolute).plus(lifetimes.access_token);
    last.plus(86_400)
}

/// The resources of a grant, or those of them that are asked for (RFC 8707 §2.2).
fn resources_within(grant: &Grant, asked: Vec<String>) -> Result<Vec<String>, TokenError> {
    if asked.is_empty() {
        return Ok(grant.resources.clone());
    }
    // A grant that names none has not been narrowed: the client's audiences decide.
    if !grant.resources.is_empty() && asked.iter().any(|one| !grant.resources.contains(one)) {
        return Err(TokenError::InvalidTarget);
    }
    Ok(asked)
}

/// The scope that is granted: what was asked for, or the whole allow-list. Never a silent subset.
fn granted_scope(client: &Client, asked: Option<&str>) -> Result<Scope, TokenError> {
    let Some(asked) = asked else { return Ok(client.scope().clone()) };
    let asked = Scope::parse(asked)
        .map_err(|_| TokenError::InvalidScope("the scope parameter is malformed"))?;
    if asked.first_outside(client.scope()).is_some() {
        return Err(TokenError::InvalidScope("a requested scope is not allowed for this client"));
    }
    Ok(asked)
}

/// The audience that is granted (RFC 8707): the resources asked for, or the client's first audience.
fn granted_audience(
    settings: &Settings,
    client: &Client,
    resources: Vec<String>,
) -> Result<Audience, TokenError> {
    let allowed = allowed_audiences(settings, client);
    if resources.iter().any(|resource| !allowed.contains(resource)) {
        return Err(TokenError::InvalidTarget);
    }
    let asked: Audience = resources.into_iter().collect();
    Ok(if asked.is_empty() { allowed.into_iter().take(1).collect() } else { asked })
}

/// The client's own audiences. Without any: that of the administration API for its clients, that of
/// the deployment for all others.
pub(crate) fn allowed_audiences(settings: &Settings, client: &Client) -> Vec<String> {
    let own = &client.metadata.audiences;
    if !own.is_empty() {
        return own.clone();
    }
    if client.scope().iter().any(crate::ScopeToken::is_administration) {
        return vec![settings.issuer.admin_audience()];
    }
    vec![settings.default_audience.to_string()]
}

/// The codes that an answer of an OAuth endpoint may carry (RFC 6749 §5.2, RFC 8707 §2,
/// RFC 7009 §2.2.1, RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OAuthErrorCode {
    /// `invalid_request`
    InvalidRequest,
    /// `invalid_client`
    InvalidClient,
    /// `invalid_grant`
    InvalidGrant,
    /// `unauthorized_client`
    UnauthorizedClient,
    /// `unsupported_grant_type`
    UnsupportedGrantType,
    /// `invalid_scope`
    InvalidScope,
    /// `invalid_target`
    InvalidTarget,
    /// `unsupported_token_type`
    UnsupportedTokenType,
    /// `invalid_token`
    InvalidToken,
    /// `insufficient_scope`
    InsufficientScope,
    /// `temporarily_unavailable`
    TemporarilyUnavailable,
    /// `server_error`
    ServerError,
}

impl OAuthErrorCode {
    /// The value of `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }
}

/// What the caller is told of an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublicError {
    /// The code.
    pub code: OAuthErrorCode,
    /// One sentence, within `%x20-21 / %x23-5B / %x5D-7E`.
    pub description: &'static str,
    /// When to come back, if that would help.
    pub retry_after: Option<Seconds>,
}

impl PublicError {
    /// An error that coming back does not mend.
    #[must_use]
    pub const fn new(code: OAuthErrorCode, description: &'static str) -> Self {
        Self { code, description, retry_after: None }
    }
}

impl TokenError {
    /// The one place where a cause becomes an OAuth error.
    #[must_use]
    pub fn public(&self) -> PublicError {
        use OAuthErrorCode as Code;
        match self {
            Self::InvalidRequest(description) => {
                PublicError::new(Code::InvalidRequest, description)
            }
            Self::Authentication(error) => error.public(),
            Self::UnsupportedGrantType => PublicError::new(
                Code::UnsupportedGrantType,
                "this server does not support the grant type",
            ),
            Self::UnauthorizedClient => PublicError::new(
                Code::UnauthorizedClient,
                "the client is not allowed to use this grant type",
            ),
            Self::InvalidGrant(_) => PublicError::new(
                Code::InvalidGrant,
                "the code or refresh token is not valid for this request",
            ),
            Self::InvalidScope(description) => PublicError::new(Code::InvalidScope, description),
            Self::InvalidTarget => PublicError::new(
                Code::InvalidTarget,
                "a requested resource is not allowed for this client",
            ),
            Self::Signing(_) | Self::Claims(_) => {
                PublicError::new(Code::ServerError, "the token could not be signed")
            }
            Self::Store(error) => error.public(),
        }
    }
}

impl AuthenticationError {
    /// Every way to fail looks the same from outside.
    #[must_use]
    pub fn public(&self) -> PublicError {
        use OAuthErrorCode as Code;

        match self {
            Self::UnknownClient
            | Self::Inactive
            | Self::WrongSecret
            | Self::SecretOfPublicClient
            | Self::SecretMissing => {
                PublicError::new(Code::InvalidClient, "client authentication failed")
            }
            Self::TooManyFailures { retry_after } => PublicError {
                code: Code::InvalidClient,
                description: "too many failed attempts; try again later",
                retry_after: Some(*retry_after),
            },
            Self::Store(error) => error.public(),
            Self::Hash(_) => PublicError::new(Code::ServerError, "the server failed"),
        }
    }
}

impl StoreError {
    /// Only what may pass is worth another try.
    #[must_use]
    pub fn public(&self) -> PublicError {
        match self {
            Self::Unavailable(_) => PublicError {
                code: OAuthErrorCode::TemporarilyUnavailable,
                description: "the server is busy; try again shortly",
                retry_after: Some(1),
            },
            Self::Corrupt(_) | Self::Other(_) => {
                PublicError::new(OAuthErrorCode::ServerError, "the server failed")
            }
        }
    }
}
