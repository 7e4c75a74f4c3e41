//! The method `none` (RFC 7591 §2): a public client shows its identifier, and proves nothing.

use super::error::AuthenticationError;
use crate::models::client::Client;
use crate::values::TokenEndpointAuthMethod as Method;

/// Whether `client` may come with its identifier alone.
pub(super) const fn suffices_for(client: &Client) -> bool {
    match client.metadata.token_endpoint_auth_method {
        Method::None => true,
        Method::ClientSecretBasic | Method::ClientSecretPost => false,
    }
}

/// The client that showed only its identifier.
pub(super) fn judge(client: Option<Client>) -> Result<Client, AuthenticationError> {
    let client = client.ok_or(AuthenticationError::UnknownClient)?;
    if !suffices_for(&client) {
        return Err(AuthenticationError::OtherMethod(client.auth_method()));
    }
    if !client.metadata.is_active {
        return Err(AuthenticationError::Inactive);
    }
    Ok(client)
}
