//! What a client may have: scopes and audiences.

use super::error::TokenError;
use crate::models::client::Client;
use crate::models::grant::Grant;
use crate::models::token::Audience;
use crate::values::{NotGranted, Scope, ScopeToken, Settings, quoted};

/// The resources of a grant, or those of them that are asked for (RFC 8707 §2.2).
pub(super) fn resources_within(
    grant: &Grant,
    asked: Vec<String>,
) -> Result<Vec<String>, TokenError> {
    if asked.is_empty() {
        return Ok(grant.resources.clone());
    }
    // A grant that names none has not been narrowed: the client's audiences decide.
    let outside = asked.iter().find(|one| !grant.resources.contains(one));
    match outside.filter(|_| !grant.resources.is_empty()) {
        None => Ok(asked),
        Some(resource) => {
            let description = format!("the resource {} is not part of the grant", quoted(resource));
            Err(TokenError::InvalidTarget(description))
        }
    }
}

/// The scope that is granted: what was asked for, or the whole allow-list. Never a silent subset, but for the scopes
/// of OpenID.
///
/// # Errors
/// A sentence for the caller, which names the scope.
pub(crate) fn granted_scope(allowed: &Scope, asked: Option<&str>) -> Result<Scope, String> {
    scope_within(allowed, asked, "is not allowed for this client")
}

/// The scope that is granted of what a grant has: what was asked for, or all of it.
///
/// # Errors
/// A sentence for the caller, which names the scope.
pub(super) fn narrowed_scope(granted: &Scope, asked: Option<&str>) -> Result<Scope, String> {
    scope_within(granted, asked, "is not part of the grant")
}

fn scope_within(allowed: &Scope, asked: Option<&str>, outside: &str) -> Result<Scope, String> {
    let Some(asked) = asked else { return Ok(allowed.clone()) };
    let asked = Scope::of_parameter(asked)?;
    asked.granted_by(allowed).map_err(|refused| match refused {
        NotGranted::Outside(token) => format!("the scope {} {outside}", quoted(token.as_str())),
        NotGranted::Nothing => {
            format!("the scope {} {outside}, and no other is asked for", quoted(&asked.to_string()))
        }
    })
}

/// The audience that is granted (RFC 8707): the resources asked for, or the client's first audience.
pub(super) fn granted_audience(
    settings: &Settings,
    client: &Client,
    resources: Vec<String>,
) -> Result<Audience, TokenError> {
    let allowed = allowed_audiences(settings, client);
    check_resources(&allowed, &resources).map_err(TokenError::InvalidTarget)?;
    let asked: Audience = resources.into_iter().collect();
    Ok(if asked.is_empty() { allowed.into_iter().take(1).collect() } else { asked })
}

/// That the client may ask for each of these resources.
///
/// # Errors
/// A sentence for the caller, which names the resource.
pub(crate) fn check_resources(allowed: &[String], asked: &[String]) -> Result<(), String> {
    match asked.iter().find(|resource| !allowed.contains(resource)) {
        None => Ok(()),
        Some(resource) => {
            Err(format!("the resource {} is not allowed for this client", quoted(resource)))
        }
    }
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
