//! What a browser holds: two secrets of 256 bits, of which the store knows hashes only.

use std::fmt;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::values::{MacKey, Secret, TransactionId, digest, id};

/// Names a browser, signed in or not: what binds a transaction to it. Codes and CSRF tokens are made
/// from it, so the same decision made twice in one browser gives the same code, and no other browser can
/// make it.
#[derive(Clone, Debug)]
pub struct BrowserSecret(Secret);

/// The hash of a [`BrowserSecret`], as the store has it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BrowserKey(String);

/// Names a session: whoever has it has signed in.
#[derive(Clone, Debug)]
pub struct SessionSecret(Secret);

/// The hash of a [`SessionSecret`], as the store has it.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionKey(String);

/// What a form of ours carries and a forged one does not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CsrfToken(Secret);

/// 256 bits as a cookie has them.
const LENGTH: usize = 43;

fn parse(text: &str) -> Option<Secret> {
    id::is_url_safe(text, LENGTH).then(|| Secret::from(text))
}

impl BrowserSecret {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(Secret::new(id::random_text::<32>(rng)))
    }

    /// Takes a cookie's value. `None` when this server did not make it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(Self)
    }

    /// The cookie's value.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What the store knows of it.
    #[must_use]
    pub fn key(&self) -> BrowserKey {
        BrowserKey(self.derive("key", ""))
    }

    /// The code of a transaction: 256 bits.
    #[must_use]
    pub fn code(&self, transaction: &TransactionId) -> Secret {
        Secret::new(self.derive("code", transaction.as_str()))
    }

    /// The CSRF token of a form about `subject`.
    #[must_use]
    pub fn csrf_token(&self, subject: &str) -> CsrfToken {
        CsrfToken(Secret::new(self.derive("csrf", subject)))
    }

    fn derive(&self, purpose: &str, subject: &str) -> String {
        MacKey::new(self.0.expose().as_bytes()).text(purpose, subject.as_bytes())
    }
}

impl SessionSecret {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(Secret::new(id::random_text::<32>(rng)))
    }

    /// Takes a cookie's value. `None` when this server did not make it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(Self)
    }

    /// The cookie's value.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What the store knows of it.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey(digest::fingerprint(self.0.expose().as_bytes()))
    }
}

impl CsrfToken {
    /// As the form carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Whether a form carried this one.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.0 == Secret::from(text)
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_of_a_browsers_secret_differs_by_purpose_subject_and_browser() {
        let (a, b) = (BrowserSecret(Secret::from("a")), BrowserSecret(Secret::from("b")));
        let (one, two) = (TransactionId::of("one"), TransactionId::of("two"));
        assert_eq!(a.code(&one), a.code(&one));
        assert_ne!(a.code(&one), a.code(&two));
        assert_ne!(a.code(&one), b.code(&one));
        assert_ne!(a.code(&one).expose(), a.csrf_token(one.as_str()).expose());
        assert_ne!(a.key(), b.key());
        assert!(a.csrf_token("x").is(a.csrf_token("x").expose()));
        assert!(!a.csrf_token("x").is(a.csrf_token("y").expose()));
        assert!(!a.csrf_token("x").is(""));
    }

    #[test]
    fn a_cookie_that_has_not_the_form_of_ours_is_none() {
        let own = "A".repeat(43);
        assert!(SessionSecret::parse(&own).is_some());
        assert!(BrowserSecret::parse(&own).is_some());
        for text in ["", "A", &"A".repeat(44), &"é".repeat(43), &format!("{}=", "A".repeat(42))] {
            assert!(SessionSecret::parse(text).is_none());
            assert!(BrowserSecret::parse(text).is_none());
        }
    }
}
