//! Identifiers of what does not last: grants, sessions, authorization requests.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{digest, id};

/// The identifier of a grant: 24 URL-safe characters, a hash of its code, from which the code does not
/// follow. Tokens of the grant name it.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrantId(String);

impl GrantId {
    /// The grant that a code belongs to, if there is one: the first 18 bytes of a SHA-256.
    #[must_use]
    pub fn of_code(code: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"identety grant\0");
        digest.update(code);
        let bytes: [u8; 18] = digest::truncated(digest.finalize().into());
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Takes an identifier as a token has it. `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        id::is_url_safe(text, 24).then(|| Self(text.to_owned()))
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// By which grants name the session that they end with. It stays the same when its user shows again who
/// they are, although the cookie changes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(String);

impl SessionId {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(id::random_text::<18>(rng))
    }

    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a transaction in our URLs. It is no secret: only the browser that it belongs to can do
/// anything with it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransactionId(String);

impl TransactionId {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(id::random_text::<18>(rng))
    }

    /// Takes a parameter's value. `None` when this server did not make it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        id::is_url_safe(text, 24).then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_does_not_follow_from_the_id_of_its_grant() {
        let id = GrantId::of_code("code");
        assert_eq!(id.as_str().len(), 24);
        assert_eq!(GrantId::parse(id.as_str()), Some(id.clone()));
        assert_ne!(id, GrantId::of_code("codf"));
        assert_eq!(GrantId::parse("GRANT#aaaaaaaaaaaaaaaaaa"), None);
    }
}
