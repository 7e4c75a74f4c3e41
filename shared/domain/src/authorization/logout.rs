//! Sign-out, by the user or at a client's request (OpenID Connect RP-Initiated Logout 1.0).

use super::flow::FrontChannel;
use super::response::with_query;
use crate::models::browser::SessionSecret;
use crate::models::client::Client;
use crate::models::session::Session;
use crate::stores::StoreError;
use crate::token::{Hint, IdTokenHint};
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

/// Where the browser goes after the sign-out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LogoutTarget {
    /// The client that asked, if any did.
    pub client_id: Option<ClientId>,
    /// The client's registered URI; `None` is our own page.
    pub post_logout_redirect_uri: Option<String>,
    /// Given back as it came.
    pub state: Option<String>,
    /// Whether nobody need be asked: there is nothing to end, or a genuine hint names the user whose
    /// session it is.
    pub is_certain: bool,
}

/// Why the browser is sent nowhere: the user gets a page.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// Not an ID token of this server, or of another client.
    #[error("id_token_hint is not an ID token of the client")]
    Hint,
    /// The client is unknown.
    #[error("the client is unknown or not active")]
    UnknownClient,
    /// No client to ask whether the URI is its own.
    #[error("post_logout_redirect_uri needs id_token_hint or client_id")]
    NoClient,
    /// Not registered for the client.
    #[error("post_logout_redirect_uri is not registered for the client")]
    UnregisteredUri,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LogoutTarget {
    /// The URI with the state.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let uri = self.post_logout_redirect_uri.as_deref()?;
        Some(with_query(uri, self.state.iter().map(|state| ("state", state.as_str()))))
    }
}

impl FrontChannel {
    /// Checks a request to sign out. A hint may have expired: it only has to be genuine.
    ///
    /// # Errors
    /// When the hint is not genuine, or the URI not registered; or when the store fails.
    pub async fn logout_target(
        &self,
        parameters: &LogoutParameters,
        session: Option<&SessionSecret>,
        now: Timestamp,
    ) -> Result<LogoutTarget, LogoutError> {
        let LogoutParameters { id_token_hint, client_id, post_logout_redirect_uri, state } =
            parameters;
        let hint = match id_token_hint {
            None => None,
            Some(hint) => match self.hint(hint, now).await? {
                Hint::Genuine(hint) => Some(hint),
                Hint::UnknownKey(_) | Hint::NotOurs => return Err(LogoutError::Hint),
            },
        };
        let client = self.logout_client(client_id.as_deref(), hint.as_ref()).await?;
        if let Some(uri) = post_logout_redirect_uri {
            let client = client.as_ref().ok_or(LogoutError::NoClient)?;
            let registered = &client.metadata.post_logout_redirect_uris;
            if !registered.iter().any(|own| own.matches(uri, client.kind)) {
                return Err(LogoutError::UnregisteredUri);
            }
        }
        let is_certain = match (self.session_to_end(session).await?, &hint) {
            (None, _) => true,
            (Some(session), Some(hint)) => hint.user == session.user,
            (Some(_), None) => false,
        };
        Ok(LogoutTarget {
            client_id: client.map(|client| client.client_id),
            post_logout_redirect_uri: post_logout_redirect_uri.clone(),
            state: state.clone().filter(|_| post_logout_redirect_uri.is_some()),
            is_certain,
        })
    }

    /// The client that asks: named, or the one of the hint; both must be the same.
    async fn logout_client(
        &self,
        named: Option<&str>,
        hint: Option<&IdTokenHint>,
    ) -> Result<Option<Client>, LogoutError> {
        let of_hint = hint.map(|hint| hint.client_id.clone());
        let client_id = match named {
            None => of_hint,
            Some(named) => {
                let named = ClientId::parse(named).ok_or(LogoutError::UnknownClient)?;
                if of_hint.is_some_and(|own| own != named) {
                    return Err(LogoutError::Hint);
                }
                Some(named)
            }
        };
        let Some(client_id) = client_id else { return Ok(None) };
        let client = self.clients.find(&client_id).await?;
        let client = client.filter(|client| client.metadata.is_active);
        Ok(Some(client.ok_or(LogoutError::UnknownClient)?))
    }

    /// The session that a sign-out would end. It need not be one in which anybody has signed in any more:
    /// grants outlive a session that has merely expired, and go on under its id when another has taken
    /// its place. `None` where nothing is left to end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn session_to_end(
        &self,
        session: Option<&SessionSecret>,
    ) -> Result<Option<Session>, StoreError> {
        let Some(secret) = session else { return Ok(None) };
        let sessions = &self.grants.sessions;
        let Some(session) = sessions.find_session(&secret.key()).await? else { return Ok(None) };
        // Without either, a sign-out has not been finished.
        let is_over = session.ended_at.is_some() && sessions.is_signed_out(&session.id).await?;
        Ok((!is_over).then_some(session))
    }

    /// Ends a session, and with it every grant that may not outlive it. First that is put on record, so
    /// that a failure in between leaves a session that can be ended again, and never a grant that lives on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sign_out(
        &self,
        session: Option<&SessionSecret>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(session) = self.session_to_end(session).await? else { return Ok(()) };
        let sessions = &self.grants.sessions;
        sessions.sign_out(&session.id, now).await?;
        sessions.end_session(&session.key, now).await
    }
}
