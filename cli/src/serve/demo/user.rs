//! The user to try the server with.

use identety_domain::hashing::SecretMaker;
use identety_domain::store::{Cause, StoreError, Stores, UserWrite};
use identety_domain::user::{Address, Password, UserMetadata, register, set_password};
use identety_domain::{Issuer, Secret, id};
use serde::{Deserialize, Serialize};

use super::PATH;
use crate::serve::ServeError;

/// The address that the demo user signs in with.
const EMAIL: &str = "demo@example.com";

/// How the demo user signs in, as `admin.json` tells it.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
pub(crate) struct DemoUser {
    pub(crate) email: String,
    /// As it was at the start that made the user.
    pub(crate) password: String,
}

/// Makes the demo user. `None` when somebody has that address already: that user's password is theirs.
/// Only at the first start it cannot be anybody's, for then there was no administrator yet.
pub(crate) async fn ensure_user(
    issuer: &Issuer,
    stores: &Stores,
    is_first_start: bool,
    maker: &mut SecretMaker<'_>,
) -> Result<Option<DemoUser>, ServeError> {
    let details = metadata(issuer).validate().map_err(|errors| defect(&errors))?;
    let text = id::random_text::<12>(maker.rng);
    let password = Password::new(Secret::from(text.as_str())).map_err(|error| defect(&error))?;
    let made = DemoUser { email: EMAIL.to_owned(), password: text };
    match stores.users.find_by_email(&details.email).await? {
        Some(_) if !is_first_start => Ok(None),
        Some(user) => {
            let after = set_password(&user, &password, maker)?;
            written(stores.users.update(&user, &after).await?).map(|()| Some(made))
        }
        None => {
            let user = register(details, Some(&password), maker)?;
            written(stores.users.create(&user).await?).map(|()| Some(made))
        }
    }
}

/// Nobody else has the data folder, so nothing can have come in between.
fn written(write: UserWrite) -> Result<(), ServeError> {
    match write {
        UserWrite::Done => Ok(()),
        UserWrite::EmailTaken | UserWrite::Conflict => Err(defect(&write).into()),
    }
}

/// Every standard claim (OpenID Connect Core 1.0 §5.1), so that one can see what each scope gives.
fn metadata(issuer: &Issuer) -> UserMetadata {
    let text = |text: &str| Some(text.to_owned());
    UserMetadata {
        email: text(EMAIL),
        email_verified: Some(true),
        phone_number: text("+43 1 234567"),
        phone_number_verified: Some(true),
        name: text("Demo User"),
        given_name: text("Demo"),
        family_name: text("User"),
        middle_name: text("Quincy"),
        nickname: text("Demo"),
        preferred_username: text("demo"),
        profile: Some(format!("{issuer}{PATH}")),
        picture: text("https://www.example.com/demo.png"),
        website: text("https://www.example.com/"),
        gender: text("unspecified"),
        birthdate: text("1990-01-31"),
        zoneinfo: text("Europe/Vienna"),
        locale: text("en-GB"),
        address: Some(Address {
            formatted: text("Example Street 1\n1010 Vienna\nAustria"),
            street_address: text("Example Street 1"),
            locality: text("Vienna"),
            region: text("Vienna"),
            postal_code: text("1010"),
            country: text("Austria"),
        }),
        ..UserMetadata::default()
    }
}

/// The details are our own; only a defect could make them wrong.
fn defect(errors: &impl std::fmt::Debug) -> StoreError {
    StoreError::Other(Cause::from(format!("the demo user could not be made: {errors:?}")))
}
