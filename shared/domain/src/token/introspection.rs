//! Token introspection (RFC 7662): what a token is worth at this moment.

use serde::Serialize;

use super::{AccessToken, Audience, TokenServices, check_for_anybody};
use crate::Timestamp;
use crate::client::{Client, ClientId};
use crate::grant::{Grant, GrantId};
use crate::store::StoreError;
use crate::user::User;

/// What a client hears of a token (RFC 7662 §2.2).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members are those of the specification")]
pub struct Introspection {
    pub active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Audience>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
}

/// The reserved scope of resource servers that may ask about tokens of others.
const SEES_ALL: &str = "tokens:introspect";

/// What `token` is worth, as `caller` may know. Whatever is wrong with it, the answer is only that it is
/// not active.
///
/// # Errors
/// When a store fails.
pub async fn introspect(
    services: &TokenServices,
    caller: &Client,
    token: &str,
    now: Timestamp,
) -> Result<Introspection, StoreError> {
    let known = match services.refresh_key.read(token) {
        Some(_) => refresh_token(services, caller, token, now).await?,
        None => access_token(services, caller, token, now).await?,
    };
    Ok(known.unwrap_or_default())
}

fn may_see(caller: &Client, client_id: &str) -> bool {
    caller.client_id.as_str() == client_id || caller.scope().contains(SEES_ALL)
}

async fn access_token(
    services: &TokenServices,
    caller: &Client,
    token: &str,
    now: Timestamp,
) -> Result<Option<Introspection>, StoreError> {
    let checked = check_for_anybody(&*services.verifier, &services.settings.issuer, token, now);
    let Ok(claims) = checked else { return Ok(None) };
    if !may_see(caller, &claims.client_id) {
        return Ok(None);
    }
    let Some(client) = client_behind(services, &claims).await? else { return Ok(None) };
    let Ok(scope) = claims.scope_for(&client) else { return Ok(None) };
    let user = match behalf(services, &client, &claims).await? {
        Behalf::Client => None,
        Behalf::User(user) => Some(user),
        Behalf::Nobody => return Ok(None),
    };
    Ok(Some(Introspection {
        active: true,
        scope: (!scope.is_empty()).then(|| scope.to_string()),
        client_id: Some(claims.client_id),
        username: user.map(|user| user.details.email.to_string()),
        token_type: Some("Bearer"),
        exp: Some(claims.exp),
        iat: Some(claims.iat),
        nbf: Some(claims.nbf),
        sub: Some(claims.sub),
        aud: Some(claims.aud),
        iss: Some(claims.iss),
        jti: Some(claims.jti),
    }))
}

/// The client that an access token was given to, if it is still the same and active.
pub(super) async fn client_behind(
    services: &TokenServices,
    claims: &AccessToken,
) -> Result<Option<Client>, StoreError> {
    let Some(client_id) = ClientId::parse(&claims.client_id) else { return Ok(None) };
    let client = services.authenticator.clients.find(&client_id).await?;
    Ok(client.filter(|client| client.metadata.is_active && claims.is_of(client)))
}

/// For whom a client acts by an access token.
pub(super) enum Behalf {
    /// For itself.
    Client,
    /// For this user, who still stands by it.
    User(Box<User>),
    /// For nobody any more.
    Nobody,
}

/// For whom `client` acts by an access token that was given to it.
pub(super) async fn behalf(
    services: &TokenServices,
    client: &Client,
    claims: &AccessToken,
) -> Result<Behalf, StoreError> {
    let Some(grant_id) = &claims.grant_id else { return Ok(Behalf::Client) };
    let Some(id) = GrantId::parse(grant_id) else { return Ok(Behalf::Nobody) };
    let grant = services.grants.grants.find_grant(&id).await?;
    let Some(grant) = grant.filter(|grant| grant.client == client.id) else {
        return Ok(Behalf::Nobody);
    };
    let user = services.grants.user_behind(&grant).await?;
    Ok(user.map_or(Behalf::Nobody, |user| Behalf::User(Box::new(user))))
}

async fn refresh_token(
    services: &TokenServices,
    caller: &Client,
    token: &str,
    now: Timestamp,
) -> Result<Option<Introspection>, StoreError> {
    let Some(token) = services.refresh_key.read(token) else { return Ok(None) };
    let Some(grant) = services.grants.grants.find_grant(&token.grant).await? else {
        return Ok(None);
    };
    // Only its own client can do anything with a refresh token, so only it may ask.
    let redeemed = grant.redeemed.as_ref().filter(|_| grant.client == caller.id);
    let Some(redeemed) = redeemed.filter(|redeemed| redeemed.generation == token.generation) else {
        return Ok(None);
    };
    let ends_at = Grant::refresh_ends_at(redeemed, &caller.metadata.lifetimes);
    if now >= ends_at {
        return Ok(None);
    }
    let Some(user) = services.grants.user_behind(&grant).await? else { return Ok(None) };
    let scope = grant.scope_for(caller);
    Ok(Some(Introspection {
        active: true,
        scope: (!scope.is_empty()).then(|| scope.to_string()),
        client_id: Some(caller.client_id.to_string()),
        username: Some(user.details.email.to_string()),
        exp: Some(ends_at.seconds()),
        iat: Some(redeemed.rotated_at.seconds()),
        sub: Some(grant.user.to_string()),
        iss: Some(services.settings.issuer.to_string()),
        ..Introspection::default()
    }))
}
