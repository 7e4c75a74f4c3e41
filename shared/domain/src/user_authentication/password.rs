//! The password, with the address that names the account.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use super::{UserAuthenticationError, UserAuthenticator};
use crate::hashers::{HashError, SecretHasher, Verification};
use crate::limits::{Admission, Attempt, BrowserAdmission, SignInLimits};
use crate::models::authentication::{Authentication, AuthenticationEvent};
use crate::models::device::DeviceSecrets;
use crate::models::user::{EmailAddress, MAX_PASSWORD_BYTES, StoredPassword, User, lower};
use crate::stores::{Rehashed, StoreError, UserStore};
use crate::token::ACR;
use crate::values::text::nfkc;
use crate::values::{AuthenticationMethod, HashCost, RequestContext, Secret, Timestamp};

/// Authenticates users by their passwords.
#[derive(Clone)]
pub struct PasswordAuthenticator {
    /// The users.
    pub users: Arc<dyn UserStore>,
    /// Bounds guessing.
    pub limits: SignInLimits,
    /// Compares passwords.
    pub hasher: Arc<SecretHasher>,
}

/// What the user entered, and what the browser has.
#[derive(Clone, Debug)]
pub struct PasswordCredentials {
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: Secret,
    /// By which accounts know the browser.
    pub device: DeviceSecrets,
}

/// How a password compares with the stored one.
struct Comparison {
    matches: bool,
    /// Whether to hash it anew.
    is_outdated: bool,
}

#[async_trait]
impl UserAuthenticator for PasswordAuthenticator {
    type Credentials = PasswordCredentials;

    /// Unknown users, disabled ones, those without a password and wrong passwords all cost the same reads and hashes.
    async fn authenticate(
        &self,
        context: &mut RequestContext,
        credentials: &PasswordCredentials,
    ) -> Result<Authentication, UserAuthenticationError> {
        let PasswordCredentials { email, password, device } = credentials;
        if password.expose().len() > MAX_PASSWORD_BYTES {
            return Err(UserAuthenticationError::TooLong);
        }
        let address = EmailAddress::parse(email);
        let account = address.as_ref().map_or_else(|| lower(email), EmailAddress::normalized);
        let user = match &address {
            Some(address) => self.find_user(address).await?,
            None => None,
        };
        let attempt = self.admit(context, &account, user.as_ref(), device).await?;
        // Activity first: otherwise the right password of a disabled account would show in the time.
        let user = user.filter(|user| user.details.is_active);
        let stored = user.as_ref().and_then(|user| user.password.as_ref());
        let compared = self.compare(stored, password)?;
        let user = user.filter(|_| compared.matches);
        let user = user.ok_or(UserAuthenticationError::WrongCredentials)?;
        self.limits.succeeded(&attempt).await?;
        if compared.is_outdated {
            self.rehash(context, &user, password).await?;
        }
        let event = event_of_password(&user, context.now);
        Ok(Authentication { user, event })
    }
}

impl PasswordAuthenticator {
    /// The user with this address. Who has it is read after whether it is taken; where it is free, a user
    /// who is not there is read, so that both take the same time.
    async fn find_user(&self, address: &EmailAddress) -> Result<Option<User>, StoreError> {
        match self.users.find_by_email(address).await? {
            Some(user) => Ok(Some(user)),
            None => self.users.find(Uuid::nil()).await,
        }
    }

    /// Counts the attempt: in the counters of the browser if the account knows it, else in those of strangers. A browser
    /// that has failed too often becomes a stranger.
    async fn admit(
        &self,
        context: &mut RequestContext,
        account: &str,
        user: Option<&User>,
        device: &DeviceSecrets,
    ) -> Result<Attempt, UserAuthenticationError> {
        let now = context.now;
        let known = user.and_then(|user| {
            let secret = device.known_to(user.id, &user.browsers, now)?;
            Some((user.id, secret.key(user.id)))
        });
        let of_browser = match &known {
            Some((_, key)) => self.limits.admit_browser(account, key, now).await?,
            None => BrowserAdmission::Forgotten,
        };
        let admission = match (of_browser, known) {
            (BrowserAdmission::Judged(admission), _) => admission,
            (BrowserAdmission::Forgotten, known) => {
                if let Some((user, key)) = known {
                    self.users.forget_browser(user, &key).await?;
                }
                self.limits.admit(context, account).await?
            }
        };
        match admission {
            Admission::Admitted(attempt) => Ok(attempt),
            Admission::Blocked { retry_after } => {
                Err(UserAuthenticationError::TooManyFailures { retry_after })
            }
        }
    }

    /// Compares the password, in Normalization Form KC (NIST SP 800-63B §3.1.1.2), and then as it was entered where that
    /// differs, for a hash of before. Without a stored password, the same number of hashes is made.
    fn compare(
        &self,
        stored: Option<&StoredPassword>,
        password: &Secret,
    ) -> Result<Comparison, HashError> {
        let verify = |password: &Secret| {
            if let Some(stored) = stored {
                return self.hasher.verify(password, &stored.phc, HashCost::Chosen);
            }
            self.hasher.burn(password, HashCost::Chosen)?;
            Ok(Verification::Mismatch)
        };
        let normalized = normalized(password);
        let found = verify(&normalized)?;
        if found != Verification::Mismatch || normalized == *password {
            return Ok(Comparison {
                matches: found != Verification::Mismatch,
                is_outdated: found == Verification::MatchOutdated,
            });
        }
        let matches = verify(password)? != Verification::Mismatch;
        Ok(Comparison { matches, is_outdated: matches })
    }

    /// Hashes a right password anew: in its normal form, at today's cost.
    async fn rehash(
        &self,
        context: &mut RequestContext,
        user: &User,
        password: &Secret,
    ) -> Result<(), HashError> {
        let Some(stored) = &user.password else { return Ok(()) };
        let password = normalized(password);
        let to = self.hasher.hash(&password, HashCost::Chosen, &mut *context.rng)?;
        let rehashed = Rehashed { from: &stored.phc, to: &to };
        // The password is right whether or not that could be written down; the next sign-in tries again.
        if let Err(error) = self.users.record_rehash(user.id, rehashed).await {
            tracing::warn!(%error, user = %user.id, "the new hash of a password was not written down");
        }
        Ok(())
    }
}

fn normalized(password: &Secret) -> Secret {
    match nfkc(password.expose()) {
        Cow::Borrowed(_) => password.clone(),
        Cow::Owned(text) => Secret::new(text),
    }
}

/// That `user` has shown the password at `now`. Never before the password was set, or what follows from it would not
/// count: clocks may differ.
pub(crate) fn event_of_password(user: &User, now: Timestamp) -> AuthenticationEvent {
    let changed_at = user.password.as_ref().map_or(now, |password| password.changed_at);
    let method = AuthenticationMethod::Password;
    AuthenticationEvent {
        method,
        time: now.max(changed_at),
        acr: ACR.to_owned(),
        amr: vec![method.as_str().to_owned()],
    }
}
