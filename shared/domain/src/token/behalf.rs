//! Who stands behind an access token at this moment.

use super::services::TokenServices;
use crate::models::client::Client;
use crate::models::grant::Grant;
use crate::models::token::{AccessToken, Subject};
use crate::models::user::User;
use crate::stores::StoreError;

/// The client that an access token was given to, if it is still the same and active.
pub(super) async fn client_behind(
    services: &TokenServices,
    token: &AccessToken,
) -> Result<Option<Client>, StoreError> {
    let client = services.authenticator.clients.find(&token.client_id).await?;
    Ok(client.filter(|client| client.metadata.is_active && token.is_of(client)))
}

/// For whom a client acts by an access token.
pub(super) enum Behalf {
    /// For itself.
    Client,
    /// For a user, whose permission stands.
    User(Box<Permission>),
    /// The permission has ended.
    Ended,
}

/// A permission that stands.
pub(super) struct Permission {
    /// The user who gave it.
    pub(super) user: User,
    /// What it is.
    pub(super) grant: Grant,
}

/// For whom `client` acts by a token that was given to it for `subject`.
pub(super) async fn behalf(
    services: &TokenServices,
    client: &Client,
    subject: &Subject,
) -> Result<Behalf, StoreError> {
    let Some(id) = subject.grant() else { return Ok(Behalf::Client) };
    let grant = services.grants.grants.find_grant(id).await?;
    // The grant behind an exchanged token was given to the client whose token was exchanged.
    let is_exchanged = subject.actor().is_some();
    let Some(grant) = grant.filter(|grant| is_exchanged || grant.client == client.id) else {
        return Ok(Behalf::Ended);
    };
    let user = services.grants.user_behind(&grant).await?;
    Ok(user.map_or(Behalf::Ended, |user| Behalf::User(Box::new(Permission { user, grant }))))
}
