//! What a client may have: scopes and audiences.

use super::error::TokenError;
use crate::models::client::Client;
use crate::models::grant::Grant;
use crate::models::token::Audience;
use crate::values::{Scope, ScopeToken, Settings};

/// The resources of a grant, or those of them that are asked for (RFC 8707 §2.2).
pub(super) fn resources_within(
    grant: &Grant,
    asked: Vec<String>,
) -> Result<Vec<String>, TokenError> {
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
pub(super) fn granted_scope(client: &Client, asked: Option<&str>) -> Result<Scope, TokenError> {
    let Some(asked) = asked else { return Ok(client.scope().clone()) };
    let asked = Scope::parse(asked)
        .map_err(|_| TokenError::InvalidScope("the scope parameter is malformed"))?;
    if asked.first_outside(client.scope()).is_some() {
        return Err(TokenError::InvalidScope("a requested scope is not allowed for this client"));
    }
    Ok(asked)
}

/// The audience that is granted (RFC 8707): the resources asked for, or the client's first audience.
pub(super) fn granted_audience(
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
    if client.scope().iter().any(ScopeToken::is_administration) {
        return vec![settings.issuer.admin_audience()];
    }
    vec![settings.default_audience.to_string()]
}
