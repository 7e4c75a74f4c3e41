//! The sign-in: what a user shows becomes a session.

use super::flow::{FlowError, FrontChannel, Step, Visitor};
use crate::models::authentication::Authentication;
use crate::models::browser::SessionSecret;
use crate::models::device::DeviceSecrets;
use crate::models::session::{Session, SignedIn};
use crate::models::transaction::Transaction;
use crate::stores::StoreError;
use crate::user_authentication::{PasswordCredentials, UserAuthenticationError, UserAuthenticator};
use crate::values::{RequestContext, SessionId, Timestamp, TransactionId};

/// Why nobody has signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The user has not shown who they are.
    #[error(transparent)]
    Authentication(#[from] UserAuthenticationError),
    /// The transaction does not go on.
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Flow(error.into())
    }
}

/// What a browser keeps of a sign-in, and where it goes next.
#[derive(Clone, Debug)]
pub struct SignedInBrowser {
    /// The secret of its session.
    pub session: SessionSecret,
    /// By which accounts know it from now on; `None` where that could not be written down.
    pub device: Option<DeviceSecrets>,
    /// Where it goes.
    pub step: Step,
}

impl FrontChannel {
    /// Signs a user in for a transaction: a session that no cookie of before can name, and the page where
    /// the browser goes on with it. That is never the client: before the browser has the session's cookie,
    /// a form that is sent twice must still be the same sign-in. Where nothing is to be asked, the page for
    /// the sign-in finds that it is done, and answers.
    ///
    /// # Errors
    /// When address and password are no user's, or too many were wrong; or when the transaction cannot
    /// go on.
    pub async fn sign_in(
        &self,
        context: &mut RequestContext,
        id: &TransactionId,
        visitor: &Visitor,
        credentials: &PasswordCredentials,
    ) -> Result<SignedInBrowser, SignInError> {
        let now = context.now;
        let (transaction, client) = self.open(id, visitor, now).await?;
        self.check_unanswered(&transaction, visitor).await?;
        let authentication = self.authenticator.authenticate(context, credentials).await?;
        let session = self.start_session(context, &authentication, &transaction, visitor).await?;
        let user = &authentication.user;
        let device = self.browser_memory().remember(context, user, &credentials.device).await;
        let visitor = visitor.with_session(&session);
        let step = self.page_after_sign_in(&transaction, &client, &visitor, now).await?;
        Ok(SignedInBrowser { session, device, step })
    }

    /// A session with a new secret. Whatever session the browser had is over: the same user's goes on
    /// under the same id, another's has signed out.
    pub(super) async fn start_session(
        &self,
        context: &mut RequestContext,
        authentication: &Authentication,
        transaction: &Transaction,
        visitor: &Visitor,
    ) -> Result<SessionSecret, FlowError> {
        let now = context.now;
        let Authentication { user, event } = authentication;
        let sessions = &self.grants.sessions;
        // Even one that is over: there may be grants that end with it, or a form sent twice, whose first
        // answer has given the browser another cookie by now.
        let former = match &visitor.session {
            Some(secret) => sessions.find_session(&secret.key()).await?,
            None => None,
        };
        let id = match former {
            None => SessionId::generate(&mut *context.rng),
            Some(session) => {
                let goes_on =
                    session.user == user.id && !sessions.is_signed_out(&session.id).await?;
                if !goes_on {
                    sessions.sign_out(&session.id, now).await?;
                }
                sessions.end_session(&session.key, now).await?;
                if goes_on { session.id } else { SessionId::generate(&mut *context.rng) }
            }
        };
        let secret = SessionSecret::generate(&mut *context.rng);
        let session = Session {
            key: secret.key(),
            id,
            user: user.id,
            auth_time: event.time,
            transaction: Some(transaction.id.clone()),
            last_seen_at: now,
            ended_at: None,
        };
        sessions.create_session(&session).await?;
        Ok(secret)
    }

    /// Who has signed in, if the session still counts. That it is in use is written down now and then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn signed_in(
        &self,
        secret: Option<&SessionSecret>,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        let Some(secret) = secret else { return Ok(None) };
        let session = self.grants.sessions.find_session(&secret.key()).await?;
        let Some(session) = session.filter(|session| session.is_live(now)) else {
            return Ok(None);
        };
        let user = self.grants.users.find(session.user).await?;
        let Some(user) = user.filter(|user| user.stands_by(session.auth_time)) else {
            return Ok(None);
        };
        if session.is_to_be_touched(now) {
            self.grants.sessions.touch_session(&session.key, now).await?;
        }
        Ok(Some(SignedIn { session, user }))
    }
}
