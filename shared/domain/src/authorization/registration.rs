//! Self-registration, where the deployment allows it: a person becomes a user, and is signed in.

use super::channel::{FlowError, FrontChannel};
use super::interaction::Interaction;
use super::sign_in::{SignedInBrowser, Visitor};
use crate::hashers::{HashError, SecretMaker};
use crate::limits::Admission;
use crate::models::authentication::Authentication;
use crate::models::user::{Password, UserDetails, UserMetadata};
use crate::stores::{StoreError, UserWrite};
use crate::user_authentication::event_of_password;
use crate::users;
use crate::values::{FieldError, RequestContext, Seconds, Secret};

/// What the person entered.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The e-mail address.
    pub email: String,
    /// The name; may be empty.
    pub name: String,
    /// The password.
    pub password: Secret,
}

/// Why nobody was registered.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The deployment does not allow it.
    #[error("self-registration is off")]
    Closed,
    /// What was entered breaks rules.
    #[error("not valid")]
    Invalid(Vec<FieldError>),
    /// Too many attempts.
    #[error("too many attempts")]
    TooMany {
        /// Seconds until another attempt is allowed; `None` where time alone does not help.
        retry_after: Option<Seconds>,
    },
    /// The transaction does not go on.
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl From<StoreError> for RegistrationError {
    fn from(error: StoreError) -> Self {
        Self::Flow(error.into())
    }
}

impl From<HashError> for RegistrationError {
    fn from(error: HashError) -> Self {
        Self::Flow(error.into())
    }
}

impl FrontChannel {
    /// Registers a person for a request that waits, and signs them in. The address counts as unverified.
    ///
    /// # Errors
    /// When that is not allowed, or what was entered breaks a rule; or when the request has its answer.
    pub async fn register(
        &self,
        context: &mut RequestContext,
        interaction: &Interaction,
        visitor: Visitor<'_>,
        registration: &Registration,
    ) -> Result<SignedInBrowser, RegistrationError> {
        let now = context.now;
        if !self.registration_is_open {
            return Err(RegistrationError::Closed);
        }
        self.check_unanswered(&interaction.transaction).await?;
        let (details, password) = checked(registration)?;
        // It tells whether an address is taken, so it is bounded like guessing; and never taken back.
        if let Admission::Blocked { retry_after } =
            self.limits.admit_registration(context, &details.email.normalized()).await?
        {
            return Err(RegistrationError::TooMany { retry_after });
        }
        let maker = &mut SecretMaker { hasher: &self.hasher, now, rng: &mut *context.rng };
        let user = users::register(details, Some(&password), maker)?;
        match self.sessions.users.create(&user).await? {
            UserWrite::Done => {}
            UserWrite::EmailTaken | UserWrite::Conflict => {
                let taken = FieldError::new("email", "this address has an account already");
                return Err(RegistrationError::Invalid(vec![taken]));
            }
        }
        let event = event_of_password(&user, now);
        let authentication = Authentication { user, event };
        Ok(self.start_session(context, interaction, visitor, &authentication).await?)
    }
}

/// What the person entered, once every rule has been checked.
fn checked(registration: &Registration) -> Result<(UserDetails, Password), RegistrationError> {
    let Registration { email, name, password } = registration;
    let metadata = UserMetadata {
        email: Some(email.clone()),
        name: (!name.is_empty()).then(|| name.clone()),
        ..UserMetadata::default()
    };
    match (metadata.validate(), Password::new(password.clone())) {
        (Ok(details), Ok(password)) => Ok((details, password)),
        (details, password) => {
            let mut errors = details.err().unwrap_or_default();
            let rule = password.err().map(|error| error.to_string());
            errors.extend(rule.map(|rule| FieldError::new("password", rule)));
            Err(RegistrationError::Invalid(errors))
        }
    }
}
