//! Hashes of secrets as they are stored, and what making one must cost.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a hash must cost, which depends on who chose the secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashCost {
    /// 256 random bits: no cost makes guessing them harder, so about half a millisecond.
    Generated,
    /// Chosen by a person or another system: OWASP's argon2id parameters (19 MiB, two passes).
    Chosen,
}

/// A hash in the PHC string format: `$argon2id$v=19$m=512,t=1,p=1$salt$hash`.
#[derive(Clone, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhcString(pub(crate) String);

impl PhcString {
    /// The string as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PhcString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[PHC string]")
    }
}
