//! Identifiers of clients (RFC 6749 §2.2).

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ClientType, id};

/// The public identifier of a client: `public_…`, `private_…` or `m2m_…` and 24 URL-safe random
/// characters, or what an import brought.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub(crate) String);

/// The name under which wrong API keys are counted and the right one is logged. No client has it.
pub(crate) const API_KEY_SUBJECT: &str = "api-key";

/// The longest client identifier, in characters.
pub const MAX_CLIENT_ID: usize = 255;

impl ClientId {
    /// Takes a `client_id` as it came: 1–255 VSCHAR (RFC 6749 §A.1). `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_vschar = |byte: u8| (0x20..=0x7E).contains(&byte);
        let fits = !text.is_empty() && text.len() <= MAX_CLIENT_ID && text.bytes().all(is_vschar);
        fits.then(|| Self(text.to_owned()))
    }

    /// Takes the identifier of an import. `None` when it is none, has a space, or is a UUID: users are named by UUIDs,
    /// and a client's tokens must never be taken for a user's (RFC 9700 §4.15). Nor may a client be taken
    /// for the API key: by that name its failures are counted, and what it did is logged.
    #[must_use]
    pub fn for_import(text: &str) -> Option<Self> {
        let names_another = |text: &str| {
            Uuid::try_parse(text).is_ok() || text.eq_ignore_ascii_case(API_KEY_SUBJECT)
        };
        Self::parse(text).filter(|id| !names_another(id.as_str()) && !id.as_str().contains(' '))
    }

    /// The identifier as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has the form of the identifiers that this server makes, whose 144 random bits
    /// nobody can guess.
    #[must_use]
    pub fn has_generated_form(&self) -> bool {
        ClientType::ALL.iter().any(|kind| {
            self.0
                .strip_prefix(kind.as_str())
                .and_then(|rest| rest.strip_prefix('_'))
                .is_some_and(|random| id::is_url_safe(random, 24))
        })
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
