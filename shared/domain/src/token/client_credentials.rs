//! The client credentials grant (RFC 6749 §4.4): a client acts for itself.

use super::access_token::{self, NewAccessToken};
use super::allowed::{granted_audience, granted_scope};
use super::error::TokenError;
use super::parameters::TokenParameters;
use super::response::AccessTokenResponse;
use super::services::TokenServices;
use crate::models::client::Client;
use crate::models::token::{Confirmation, Subject};
use crate::values::RequestContext;

/// The parameters of the grant (RFC 6749 §4.4.2).
struct Parameters {
    /// What the token shall allow; `None` asks for the whole allow-list.
    scope: Option<String>,
    /// Whom the token shall be for (RFC 8707 §2).
    resources: Vec<String>,
}

impl Parameters {
    fn read(parameters: &mut TokenParameters) -> Self {
        Self { scope: parameters.take_text("scope"), resources: parameters.take_all("resource") }
    }
}

/// A token for the client itself. RFC 6749 §4.4.3: no refresh token.
pub(super) fn grant(
    services: &TokenServices,
    context: &mut RequestContext,
    client: &Client,
    parameters: &mut TokenParameters,
) -> Result<AccessTokenResponse, TokenError> {
    let Parameters { scope, resources } = Parameters::read(parameters);
    let scope = granted_scope(client.scope(), scope.as_deref());
    let scope = scope.map_err(TokenError::InvalidScope)?;
    let token = NewAccessToken {
        subject: Subject::Client(client.client_id.clone()),
        audience: granted_audience(&services.settings, client, resources)?,
        scope: &scope,
        confirmation: Confirmation::None,
    };
    access_token::sign(services, context, client, token)
}
