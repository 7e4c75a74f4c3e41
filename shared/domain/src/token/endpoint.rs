//! The token endpoint (RFC 6749 §3.2): from the parameters of an authenticated client to an answer.

use super::error::TokenError;
use super::parameters::TokenParameters;
use super::response::TokenResponse;
use super::services::TokenServices;
use super::{authorization_code, client_credentials, refresh_token};
use crate::authentication::AuthenticatedClient;
use crate::values::{GrantType, RequestContext};

/// Turns a request of `client` into tokens.
///
/// Parameters that the grant does not read are ignored, as unknown ones are (RFC 6749 §3.2); so is `scope` beside a
/// code, for what a code allows is decided already.
///
/// # Errors
/// The first rule that the request breaks, in the order of the steps below.
pub async fn execute(
    services: &TokenServices,
    context: &mut RequestContext,
    client: &AuthenticatedClient,
    mut parameters: TokenParameters,
) -> Result<TokenResponse, TokenError> {
    let grant = parameters.grant()?;
    let client = &client.client;
    if !client.may_use(grant) {
        return Err(TokenError::UnauthorizedClient);
    }
    let parameters = &mut parameters;
    Ok(match grant {
        GrantType::AuthorizationCode => TokenResponse::User(
            authorization_code::grant(services, context, client, parameters).await?,
        ),
        GrantType::RefreshToken => {
            TokenResponse::User(refresh_token::grant(services, context, client, parameters).await?)
        }
        GrantType::ClientCredentials => TokenResponse::ClientCredentials(
            client_credentials::grant(services, context, client, parameters)?,
        ),
    })
}
