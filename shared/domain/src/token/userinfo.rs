//! Userinfo (OpenID Connect Core 1.0 §5.3): what an access token lets its client know of the user.

use serde_json::{Map, Value};

use super::about_user::about_user;
use super::behalf::{Behalf, Permission, behalf, client_behind};
use super::presented::ReadError;
use super::services::TokenServices;
use crate::models::client::Client;
use crate::models::token::{AccessToken, AccessTokenError, Subject};
use crate::stores::StoreError;
use crate::values::{ErrorCode, PublicError, RequestContext, Scope, Timestamp, UserClaim};

/// What there is to know, and for whom.
#[derive(Debug)]
pub struct UserInfo {
    /// The client.
    pub client: Client,
    /// The claims.
    pub claims: Map<String, Value>,
}

/// Why there is nothing to know.
#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    /// The token does not count.
    #[error("bearer token refused: {0}")]
    Token(#[from] AccessTokenError),
    /// The grant has ended, or its user or client is gone or disabled.
    #[error("the grant has ended")]
    Ended,
    /// OpenID Connect Core 1.0 §5.3.1: the token is not for userinfo.
    #[error("the token has no scope openid")]
    InsufficientScope,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReadError> for UserInfoError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Token(error) => error.into(),
            ReadError::Store(error) => error.into(),
        }
    }
}

/// A refusal, and to whom if that is known: scripts of that client may read it.
#[derive(Debug)]
pub struct UserInfoRefusal {
    /// The client that the token was given to.
    pub client: Option<Box<Client>>,
    /// Why.
    pub error: UserInfoError,
}

/// The claims that `token` allows.
///
/// # Errors
/// When it does not count, or was not given for a user who signed in; or when the store fails.
pub async fn userinfo(
    services: &TokenServices,
    context: &mut RequestContext,
    token: &str,
) -> Result<UserInfo, UserInfoRefusal> {
    let to_anybody = |error| UserInfoRefusal { client: None, error };
    let token = services.reader().access_token(token, context.now).await;
    let token = token.map_err(|error| to_anybody(error.into()))?;
    let client = client_behind(services, &token).await.map_err(|error| to_anybody(error.into()))?;
    let client = client.ok_or_else(|| to_anybody(UserInfoError::Ended))?;
    context.outcome.client = Some(client.client_id.to_string());
    match claims(services, &client, &token, context.now).await {
        Ok(claims) => Ok(UserInfo { client, claims }),
        Err(error) => Err(UserInfoRefusal { client: Some(Box::new(client)), error }),
    }
}

async fn claims(
    services: &TokenServices,
    client: &Client,
    token: &AccessToken,
    now: Timestamp,
) -> Result<Map<String, Value>, UserInfoError> {
    token.check_time(now)?;
    token.check_bearer()?;
    let scope = token.scope_for(client);
    if !scope.contains("openid") {
        return Err(UserInfoError::InsufficientScope);
    }
    match token.subject {
        Subject::User { .. } => {}
        // A client that acts for itself, or by an exchange, has seen no user sign in.
        Subject::Client(_) | Subject::Exchanged { .. } => {
            return Err(UserInfoError::InsufficientScope);
        }
    }
    match behalf(services, client, &token.subject).await? {
        Behalf::User(permission) => Ok(told(client, &permission, &scope)),
        Behalf::Client => Err(UserInfoError::InsufficientScope),
        Behalf::Ended => Err(UserInfoError::Ended),
    }
}

/// What the scope gives, and what was asked for claim by claim; and always the `sub` (OpenID Connect Core 1.0 §5.3.2).
fn told(client: &Client, permission: &Permission, scope: &Scope) -> Map<String, Value> {
    let Permission { user, grant } = permission;
    let given = |claim: UserClaim| claim.is_given_by(scope);
    let known = about_user(user, client, given, &grant.claims.userinfo);
    let mut claims: Map<_, _> = known.map(|(name, value)| (name.to_owned(), value)).collect();
    claims.insert("sub".to_owned(), user.id.to_string().into());
    claims
}

impl UserInfoError {
    /// What the caller is told (RFC 6750 §3.1). What exactly is wrong with a token stays in the log.
    #[must_use]
    pub fn public(&self) -> PublicError {
        match self {
            Self::Token(_) | Self::Ended => {
                PublicError::new(ErrorCode::InvalidToken, "the access token is not valid")
            }
            Self::InsufficientScope => {
                PublicError::new(ErrorCode::InsufficientScope, "the scope openid is required")
            }
            Self::Store(error) => error.public(),
        }
    }
}
