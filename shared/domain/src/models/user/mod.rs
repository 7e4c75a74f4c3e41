//! Users: the people who sign in.

mod claims;
mod email;
mod metadata;
mod password;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use claims::SIGN_IN_CLAIMS;
pub(crate) use email::lower;
pub use email::{EmailAddress, MAX_EMAIL};
pub use metadata::UserMetadata;
pub use password::{MAX_PASSWORD_BYTES, Password, PasswordError};

use super::device::KnownBrowsers;
use crate::values::{PhcString, Timestamp};

/// A postal address (OpenID Connect Core 1.0 §5.1.1).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the specification")]
pub struct Address {
    pub formatted: Option<String>,
    pub street_address: Option<String>,
    pub locality: Option<String>,
    pub region: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
}

/// What is known of a user, after every rule has been checked: the standard claims (OpenID Connect Core
/// 1.0 §5.1) and what the administrator adds.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the specification")]
pub struct UserDetails {
    pub email: EmailAddress,
    pub email_verified: bool,
    pub phone_number: Option<String>,
    pub phone_number_verified: bool,
    pub name: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub middle_name: Option<String>,
    pub nickname: Option<String>,
    pub preferred_username: Option<String>,
    pub profile: Option<String>,
    pub picture: Option<String>,
    pub website: Option<String>,
    pub gender: Option<String>,
    pub birthdate: Option<String>,
    pub zoneinfo: Option<String>,
    pub locale: Option<String>,
    pub address: Option<Address>,
    /// False: the user cannot sign in, and nothing of what was granted counts any more.
    pub is_active: bool,
    /// Up to 20 pairs that mean something to the administrator alone.
    pub metadata: BTreeMap<String, String>,
}

/// A password as it is kept: its hash, never the password.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredPassword {
    /// The argon2id hash, at the cost for chosen secrets.
    pub phc: PhcString,
    /// When it was set. Whoever signed in before that has to sign in again.
    pub changed_at: Timestamp,
}

/// A user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// The key of the administration API, and the `sub` of the user's tokens: a UUID, which no client
    /// has for its identifier.
    pub id: Uuid,
    /// What is known of the user.
    pub details: UserDetails,
    /// The password; `None` where none was set yet, so that nobody can sign in.
    pub password: Option<StoredPassword>,
    /// The browsers that the user has signed in with. They change without another version.
    pub browsers: KnownBrowsers,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When the user was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes; the ETag.
    pub version: u64,
}

impl User {
    /// Whether what the user did at `auth_time` still counts: the user is active, and has set no other
    /// password since.
    #[must_use]
    pub fn stands_by(&self, auth_time: Timestamp) -> bool {
        self.details.is_active
            && self.password.as_ref().is_none_or(|password| password.changed_at <= auth_time)
    }
    /// This user with other details: one version on.
    #[must_use]
    pub fn with_details(&self, details: UserDetails, now: Timestamp) -> Self {
        Self { details, ..self.next_version(now) }
    }

    /// This user with another password: one version on. A user who signed in before `now` has to sign in
    /// again (see [`User::stands_by`]), and no browser is known any more: the old password may be what
    /// an attacker signed in with.
    #[must_use]
    pub fn with_password(&self, password: StoredPassword, now: Timestamp) -> Self {
        let browsers = KnownBrowsers::default();
        Self { password: Some(password), browsers, ..self.next_version(now) }
    }

    /// This user, one version on.
    fn next_version(&self, now: Timestamp) -> Self {
        // An ETag must never be seen twice, nor the time of a change go back.
        let updated_at = now.max(self.updated_at);
        Self { updated_at, version: self.version + 1, ..self.clone() }
    }
}
