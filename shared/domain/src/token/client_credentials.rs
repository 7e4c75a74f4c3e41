//! The client credentials grant (RFC 6749 §4.4): a client acts for itself.

use rand_core::CryptoRng;

use super::{
    AccessToken, ClientCredentialsRequest, TokenError, TokenResponse, TokenServices,
    granted_audience, granted_scope,
};
use crate::Timestamp;
use crate::client::Client;

/// A token for the client itself. RFC 6749 §4.4.3: no refresh token.
pub(super) fn grant(
    services: &TokenServices,
    client: &Client,
    request: ClientCredentialsRequest,
    now: Timestamp,
    rng: &mut (dyn CryptoRng + Send),
) -> Result<TokenResponse, TokenError> {
    let ClientCredentialsRequest { scope, resources } = request;
    let scope = granted_scope(client, scope.as_deref())?;
    let audience = granted_audience(&services.settings, client, resources)?;
    let token =
        AccessToken::for_client(&services.settings.issuer, client, audience, &scope, now, rng);
    let access_token = token.sign(&*services.signer, client.metadata.access_token_signing_alg)?;
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: client.access_token_lifetime(),
        refresh_token: None,
        id_token: None,
        scope: (!scope.is_empty()).then(|| scope.to_string()),
    })
}
