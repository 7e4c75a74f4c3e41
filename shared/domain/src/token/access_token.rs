//! Making access tokens (RFC 9068).

use super::error::TokenError;
use super::response::AccessTokenResponse;
use super::services::TokenServices;
use crate::models::client::Client;
use crate::models::token::{ACCESS_TOKEN_TYP, AccessToken, Audience, Confirmation, Subject};
use crate::values::{RequestContext, Scope, id};

/// What an access token shall say.
pub(super) struct NewAccessToken<'a> {
    /// For whom the client acts.
    pub(super) subject: Subject,
    /// Whom the token is for.
    pub(super) audience: Audience,
    /// What it allows.
    pub(super) scope: &'a Scope,
    /// What it is bound to.
    pub(super) confirmation: Confirmation,
}

/// An access token for `client`, signed.
pub(super) fn sign(
    services: &TokenServices,
    context: &mut RequestContext,
    client: &Client,
    token: NewAccessToken<'_>,
) -> Result<AccessTokenResponse, TokenError> {
    let NewAccessToken { subject, audience, scope, confirmation } = token;
    let (now, lifetime) = (context.now, client.access_token_lifetime());
    let token_type = confirmation.token_type();
    let token = AccessToken {
        issuer: services.settings.issuer.to_string(),
        subject,
        audience,
        client_id: client.client_id.clone(),
        scope: scope.clone(),
        issued_at: now.seconds(),
        not_before: now.seconds(),
        expires_at: now.plus(lifetime).seconds(),
        id: id::uuid_v7(now, &mut *context.rng).to_string(),
        confirmation,
    };
    let alg = client.metadata.access_token_signing_alg;
    Ok(AccessTokenResponse {
        access_token: services.signer.sign(alg, ACCESS_TOKEN_TYP, &token.to_claims()?)?,
        token_type,
        expires_in: lifetime,
        scope: scope.to_parameter(),
    })
}
