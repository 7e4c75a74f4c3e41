//! The sign-in: address and password become a session.

use uuid::Uuid;

use super::flow::{FlowError, FrontChannel, Step, Visitor};
use crate::hashers::{HashError, Verification};
use crate::limits::Admission;
use crate::models::browser::SessionSecret;
use crate::models::session::{Session, SignedIn};
use crate::models::transaction::Transaction;
use crate::models::user::{EmailAddress, MAX_PASSWORD_BYTES, User};
use crate::stores::{Rehashed, StoreError};
use crate::values::{
    HashCost, RequestContext, Seconds, Secret, SessionId, Timestamp, TransactionId,
};

/// What the user entered.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: Secret,
}

/// Why nobody has signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No user has that address and that password, or the user is disabled: the page must not tell which.
    #[error("wrong address or password")]
    WrongCredentials,
    /// Longer than any password can be.
    #[error("the password is too long")]
    TooLong,
    /// Too many failures.
    #[error("too many failures")]
    TooManyFailures {
        /// Seconds until another attempt is allowed.
        retry_after: Seconds,
    },
    /// The transaction does not go on.
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Flow(error.into())
    }
}

impl From<HashError> for SignInError {
    fn from(error: HashError) -> Self {
        Self::Flow(error.into())
    }
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
        entered: &Entered,
    ) -> Result<(SessionSecret, Step), SignInError> {
        let now = context.now;
        let (transaction, client) = self.open(id, visitor, now).await?;
        self.check_unanswered(&transaction, visitor).await?;
        let user = self.authenticate(context, entered).await?;
        let secret = self.start_session(context, &user, &transaction, visitor).await?;
        let visitor = visitor.with_session(&secret);
        let step = self.page_after_sign_in(&transaction, &client, &visitor, now).await?;
        Ok((secret, step))
    }

    /// The user with this address and password. An attempt is counted before it is made and taken back
    /// when it succeeds, so that no number of attempts at once gets past a limit.
    async fn authenticate(
        &self,
        context: &mut RequestContext,
        entered: &Entered,
    ) -> Result<User, SignInError> {
        let Entered { email, password } = entered;
        if password.expose().len() > MAX_PASSWORD_BYTES {
            return Err(SignInError::TooLong);
        }
        let address = EmailAddress::parse(email);
        let account =
            address.as_ref().map_or_else(|| email.to_lowercase(), EmailAddress::normalized);
        let attempt = match self.limits.admit(&account, &context.peer, context.now).await? {
            Admission::Admitted(attempt) => attempt,
            Admission::Blocked { retry_after } => {
                return Err(SignInError::TooManyFailures { retry_after });
            }
        };
        let user = match &address {
            Some(address) => self.find_user(address).await?,
            None => None,
        };
        let found = self.compare(user.as_ref(), password)?;
        let matches = found != Verification::Mismatch;
        let user = user.filter(|user| matches && user.details.is_active);
        let user = user.ok_or(SignInError::WrongCredentials)?;
        self.limits.succeeded(&attempt).await?;
        if found == Verification::MatchOutdated {
            self.rehash(context, &user, password).await?;
        }
        Ok(user)
    }

    /// The user with this address. Who has it is read after whether anybody has; where nobody has, a user
    /// who is not there is read, so that both take the same time.
    async fn find_user(&self, address: &EmailAddress) -> Result<Option<User>, StoreError> {
        let users = &self.grants.users;
        match users.find_by_email(address).await? {
            Some(user) => Ok(Some(user)),
            None => users.find(Uuid::nil()).await,
        }
    }

    /// Compares the password, in the time that an unknown user would take.
    fn compare(&self, user: Option<&User>, password: &Secret) -> Result<Verification, HashError> {
        if let Some(stored) = user.and_then(|user| user.password.as_ref()) {
            return self.hasher.verify(password, &stored.phc, HashCost::Chosen);
        }
        self.hasher.burn(password, HashCost::Chosen)?;
        Ok(Verification::Mismatch)
    }

    /// Hashes a right password anew, at today's cost.
    async fn rehash(
        &self,
        context: &mut RequestContext,
        user: &User,
        password: &Secret,
    ) -> Result<(), HashError> {
        let Some(stored) = &user.password else { return Ok(()) };
        let to = self.hasher.hash(password, HashCost::Chosen, &mut *context.rng)?;
        let rehashed = Rehashed { from: &stored.phc, to: &to };
        // The password is right whether or not that could be written down; the next sign-in tries again.
        if let Err(error) = self.grants.users.record_rehash(user.id, rehashed).await {
            tracing::warn!(%error, user = %user.id, "the new hash of a password was not written down");
        }
        Ok(())
    }

    /// A session with a new secret. Whatever session the browser had is over: the same user's goes on
    /// under the same id, another's has signed out.
    pub(super) async fn start_session(
        &self,
        context: &mut RequestContext,
        user: &User,
        transaction: &Transaction,
        visitor: &Visitor,
    ) -> Result<SessionSecret, FlowError> {
        let now = context.now;
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
        // Never before the password was set, or the session would not count: clocks may differ.
        let changed_at = user.password.as_ref().map_or(now, |password| password.changed_at);
        let session = Session {
            key: secret.key(),
            id,
            user: user.id,
            auth_time: now.max(changed_at),
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
