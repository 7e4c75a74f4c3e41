//! Sign-out, by the user or at a client's request (OpenID Connect RP-Initiated Logout 1.0).

use super::bounds;
use super::channel::FrontChannel;
use super::response::with_query;
use crate::models::browser::SessionSecret;
use crate::models::client::Client;
use crate::models::session::Session;
use crate::stores::StoreError;
use crate::token::IdTokenHint;
use crate::values::{ClientId, Timestamp};

/// What a client asks with. Nothing in here is to be believed.
#[derive(Clone, Debug, Default)]
pub struct LogoutParameters {
    /// An ID token of the client, for the user who shall sign out.
    pub id_token_hint: Option<String>,
    /// The client.
    pub client_id: Option<String>,
    /// Where the browser shall go afterwards.
    pub post_logout_redirect_uri: Option<String>,
    /// Given back as it came.
    pub state: Option<String>,
}

/// A client's registered URI, to which the browser goes after the sign-out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogoutTarget {
    /// The client.
    pub client_id: ClientId,
    /// Its URI.
    pub post_logout_redirect_uri: String,
    /// Given back as it came.
    pub state: Option<String>,
}

/// What a request to sign out comes to.
#[derive(Clone, Debug)]
pub struct Logout {
    /// The session that there is to end.
    pub session: Option<Session>,
    /// Where the browser goes afterwards; `None` is our own page. A value that does not validate is not used (§3).
    pub target: Option<LogoutTarget>,
    /// Whether the user need not be asked: a genuine ID token of this very session came with the request (§2), which
    /// asks for no URI that the client has not registered.
    pub is_certain: bool,
}

impl LogoutTarget {
    /// The URI with the state.
    #[must_use]
    pub fn url(&self) -> String {
        let state = self.state.iter().map(|state| ("state", state.as_str()));
        with_query(&self.post_logout_redirect_uri, state)
    }
}

impl FrontChannel {
    /// Judges a request to sign out. A hint may have expired. One that cannot be verified, or that was made for another
    /// client than the one which is named, is no hint.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn logout(
        &self,
        parameters: &LogoutParameters,
        session: Option<&SessionSecret>,
        now: Timestamp,
    ) -> Result<Logout, StoreError> {
        let named = parameters.client_id.as_deref();
        let hint = match parameters.id_token_hint.as_deref() {
            Some(hint) => self.hint(hint, now).await?.genuine(),
            None => None,
        };
        let hint = hint.filter(|hint| named.is_none_or(|named| named == hint.client_id.as_str()));
        let target = self.logout_target(parameters, hint.as_ref()).await?;
        let session = self.sessions.to_end(session).await?;
        // A request that asks for what it may not have is not one to be carried out unseen.
        let is_sound = target.is_some() || parameters.post_logout_redirect_uri.is_none();
        let is_certain = match (&session, &hint) {
            (Some(session), Some(hint)) => is_sound && hint.session.as_ref() == Some(&session.id),
            (Some(_), None) | (None, _) => false,
        };
        Ok(Logout { session, target, is_certain })
    }

    /// The URI that is asked for, if the client, named or of the hint, has registered it.
    async fn logout_target(
        &self,
        parameters: &LogoutParameters,
        hint: Option<&IdTokenHint>,
    ) -> Result<Option<LogoutTarget>, StoreError> {
        let LogoutParameters { id_token_hint: _, client_id, post_logout_redirect_uri, state } =
            parameters;
        let Some(uri) = post_logout_redirect_uri else { return Ok(None) };
        // It would come back in a `Location`.
        if state.as_deref().is_some_and(|state| !bounds::state_fits(state)) {
            return Ok(None);
        }
        let client_id = match (client_id, hint) {
            (Some(named), _) => ClientId::parse(named),
            (None, hint) => hint.map(|hint| hint.client_id.clone()),
        };
        let Some(client_id) = client_id else { return Ok(None) };
        let client = self.clients.find(&client_id).await?;
        let has_registered = |client: &Client| {
            let registered = &client.metadata.post_logout_redirect_uris;
            client.metadata.is_active && registered.iter().any(|own| own.matches(uri, client.kind))
        };
        Ok(client.filter(has_registered).map(|client| LogoutTarget {
            client_id: client.client_id,
            post_logout_redirect_uri: uri.clone(),
            state: state.clone(),
        }))
    }
}
