//! Sessions: a browser in which a user has signed in.

use std::sync::Arc;

use crate::models::authentication::Authentication;
use crate::models::browser::SessionSecret;
use crate::models::session::{Session, SignedIn};
use crate::stores::{SessionStore, StoreError, UserStore};
use crate::values::{RequestContext, SessionId, Timestamp, TransactionId};

/// Starts, reads and ends sessions.
#[derive(Clone)]
pub struct Sessions {
    /// The sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Whose they are.
    pub users: Arc<dyn UserStore>,
}

impl Sessions {
    /// A session with a new secret, for the user of `authentication`, who signed in for `request`. The session that
    /// the browser had until now is over: the same user goes on under the same `sid`, another one has signed out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start(
        &self,
        context: &mut RequestContext,
        authentication: &Authentication,
        former: Option<&SessionSecret>,
        request: &TransactionId,
    ) -> Result<SessionSecret, StoreError> {
        let Authentication { user, event } = authentication;
        // Also one that is over: grants may end with it, or a form was sent twice, and its first answer has given the
        // browser another cookie by now.
        let former = match former {
            Some(secret) => self.sessions.find_session(&secret.key()).await?,
            None => None,
        };
        let goes_on = match former {
            Some(former) => self.replace(former, authentication, context.now).await?,
            None => None,
        };
        let (id, signed_in_for) = match goes_on {
            Some(former) => (former.id, former.signed_in_for),
            None => (SessionId::generate(&mut *context.rng), Vec::new()),
        };
        let secret = SessionSecret::generate(&mut *context.rng);
        let session = Session {
            key: secret.key(),
            id,
            user: user.id,
            authentication: event.clone(),
            signed_in_for: Session::signed_in_also_for(signed_in_for, request),
            user_agent: context.headers.user_agent.as_deref().map(Session::short_user_agent),
            address: context.peer.0.clone(),
            last_seen_at: context.now,
            ended_at: None,
        };
        self.sessions.create_session(&session).await?;
        Ok(secret)
    }

    /// Ends the session that a sign-in replaces. It comes back if the same user goes on with it.
    async fn replace(
        &self,
        former: Session,
        authentication: &Authentication,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let goes_on = former.user == authentication.user.id
            && !self.sessions.is_signed_out(&former.id).await?;
        if !goes_on {
            self.sessions.sign_out(&former.id, now).await?;
        }
        self.sessions.end_session(&former.key, now).await?;
        Ok(goes_on.then_some(former))
    }

    /// The session of a secret and its user, if both count: one read each. That it is in use is written down now and
    /// then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn signed_in(
        &self,
        secret: Option<&SessionSecret>,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        let Some(secret) = secret else { return Ok(None) };
        match self.sessions.find_session(&secret.key()).await? {
            Some(session) => self.signed_in_with(session, now).await,
            None => Ok(None),
        }
    }

    /// The same for a session that was read already.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn signed_in_with(
        &self,
        session: Session,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        if !session.is_live(now) {
            return Ok(None);
        }
        let user = self.users.find(session.user).await?;
        let Some(user) = user.filter(|user| user.stands_by(session.authentication.time)) else {
            return Ok(None);
        };
        if session.is_to_be_touched(now) {
            self.sessions.touch_session(&session.key, now).await?;
        }
        Ok(Some(SignedIn { session, user }))
    }

    /// The session that a sign-out would end. It may have expired: grants outlive a session that has merely expired,
    /// and go on under its id when another has taken its place. `None` where nothing is left to end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn to_end(
        &self,
        secret: Option<&SessionSecret>,
    ) -> Result<Option<Session>, StoreError> {
        let Some(secret) = secret else { return Ok(None) };
        let Some(session) = self.sessions.find_session(&secret.key()).await? else {
            return Ok(None);
        };
        // Without either, a sign-out has not been finished.
        let is_over =
            session.ended_at.is_some() && self.sessions.is_signed_out(&session.id).await?;
        Ok((!is_over).then_some(session))
    }

    /// Ends a session, and with it every grant that may not outlive it. First that is put on record, so that a failure
    /// in between leaves a session that can be ended again, and never a grant that lives on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end(&self, session: &Session, now: Timestamp) -> Result<(), StoreError> {
        self.sessions.sign_out(&session.id, now).await?;
        self.sessions.end_session(&session.key, now).await
    }
}
