//! The tokens of a user's grant.

use rand_core::CryptoRng;

use super::{AccessToken, TokenError, TokenResponse, TokenServices, granted_audience, id_token};
use crate::client::{Client, GrantType};
use crate::grant::{Grant, RefreshToken};
use crate::{Scope, Timestamp};

/// What shall be issued.
pub(super) struct Issue<'a> {
    /// What the access token allows.
    pub(super) scope: &'a Scope,
    /// Whom it is for; none is the client's default.
    pub(super) resources: Vec<String>,
    /// Which generation the refresh token is.
    pub(super) generation: u32,
    /// What the ID token repeats.
    pub(super) nonce: Option<&'a str>,
}

/// An access token; an ID token if the scope has `openid`; a refresh token if the client may use one.
pub(super) fn issue(
    services: &TokenServices,
    client: &Client,
    grant: &Grant,
    what: Issue<'_>,
    now: Timestamp,
    rng: &mut (dyn CryptoRng + Send),
) -> Result<TokenResponse, TokenError> {
    let Issue { scope, resources, generation, nonce } = what;
    let (signer, issuer) = (&*services.signer, &services.settings.issuer);
    let audience = granted_audience(&services.settings, client, resources)?;
    let token = AccessToken::for_client(issuer, client, audience, scope, now, rng).of_grant(grant);
    let access_token = token.sign(signer, client.metadata.access_token_signing_alg)?;
    let id_token = if scope.contains("openid") {
        Some(id_token::sign(signer, issuer, client, grant, &access_token, nonce, now)?)
    } else {
        None
    };
    let refresh_token = client.may_use(GrantType::RefreshToken).then(|| {
        let token = RefreshToken { grant: grant.id.clone(), generation };
        services.refresh_key.token(&token).expose().to_owned()
    });
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: client.access_token_lifetime(),
        refresh_token,
        id_token,
        scope: (!scope.is_empty()).then(|| scope.to_string()),
    })
}
