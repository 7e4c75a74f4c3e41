//! The tokens of a user's grant.

use super::access_token::{self, NewAccessToken};
use super::allowed::granted_audience;
use super::error::TokenError;
use super::id_token::{self, NewIdToken};
use super::response::UserTokenResponse;
use super::services::TokenServices;
use crate::models::client::Client;
use crate::models::grant::{Grant, RefreshToken};
use crate::models::token::{Confirmation, Subject};
use crate::models::user::User;
use crate::values::{GrantType, RequestContext, Scope};

/// What shall be issued.
pub(super) struct Issue<'a> {
    /// What the user allowed.
    pub(super) grant: &'a Grant,
    /// The user, as known by now.
    pub(super) user: &'a User,
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
    context: &mut RequestContext,
    client: &Client,
    what: Issue<'_>,
) -> Result<UserTokenResponse, TokenError> {
    let Issue { grant, user, scope, resources, generation, nonce } = what;
    let token = NewAccessToken {
        subject: Subject::User { id: grant.user, grant: grant.id.clone() },
        audience: granted_audience(&services.settings, client, resources)?,
        scope,
        confirmation: Confirmation::None,
    };
    let access = access_token::sign(services, context, client, token)?;
    let id_token = if scope.contains("openid") {
        let access_token = &access.access_token;
        let token = NewIdToken { client, grant, user, scope, access_token, nonce };
        Some(id_token::sign(services, context, &token)?)
    } else {
        None
    };
    let refresh_token = client.may_use(GrantType::RefreshToken).then(|| {
        let token = RefreshToken { grant: grant.id.clone(), generation };
        services.refresh_key.token(&token).expose().to_owned()
    });
    Ok(UserTokenResponse { access, refresh_token, id_token })
}
