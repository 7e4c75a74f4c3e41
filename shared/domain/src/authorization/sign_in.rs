//! The sign-in: address and password become a session.

use uuid::Uuid;

use super::channel::{FlowError, FrontChannel};
use super::interaction::Interaction;
use crate::hashers::{HashError, Verification};
use crate::limits::Admission;
use crate::models::authentication::{Authentication, AuthenticationEvent};
use crate::models::browser::SessionSecret;
use crate::models::user::{EmailAddress, MAX_PASSWORD_BYTES, User};
use crate::stores::{Rehashed, StoreError};
use crate::token::ACR;
use crate::values::{AuthenticationMethod, HashCost, RequestContext, Seconds, Secret, Timestamp};

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
    /// Signs a user in for a request that waits: a session that no cookie of before can name. It makes no code: the
    /// browser goes on to a page of ours with the session's cookie, and that page answers.
    ///
    /// # Errors
    /// When address and password are no user's, or too many were wrong; or when the request has its answer.
    pub async fn sign_in(
        &self,
        context: &mut RequestContext,
        interaction: &Interaction,
        session: Option<&SessionSecret>,
        entered: &Entered,
    ) -> Result<SessionSecret, SignInError> {
        self.check_unanswered(&interaction.transaction).await?;
        let authentication = self.authenticate(context, entered).await?;
        let id = &interaction.transaction.id;
        Ok(self.sessions.start(context, &authentication, session, id).await?)
    }

    /// The user with this address and password. An attempt is counted before it is made and taken back
    /// when it succeeds, so that no number of attempts at once gets past a limit.
    async fn authenticate(
        &self,
        context: &mut RequestContext,
        entered: &Entered,
    ) -> Result<Authentication, SignInError> {
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
        Ok(by_password(user, context.now))
    }

    /// The user with this address. Who has it is read after whether anybody has; where nobody has, a user
    /// who is not there is read, so that both take the same time.
    async fn find_user(&self, address: &EmailAddress) -> Result<Option<User>, StoreError> {
        let users = &self.sessions.users;
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
        if let Err(error) = self.sessions.users.record_rehash(user.id, rehashed).await {
            tracing::warn!(%error, user = %user.id, "the new hash of a password was not written down");
        }
        Ok(())
    }
}

/// That `user` has shown who they are by a password, or has just set one.
pub(super) fn by_password(user: User, now: Timestamp) -> Authentication {
    // Never before the password was set, or the session would not count: clocks may differ.
    let changed_at = user.password.as_ref().map_or(now, |password| password.changed_at);
    let method = AuthenticationMethod::Password;
    let event = AuthenticationEvent {
        method,
        time: now.max(changed_at),
        acr: ACR.to_owned(),
        amr: vec![method.to_string()],
    };
    Authentication { user, event }
}
