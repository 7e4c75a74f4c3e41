//! What a browser holds: secrets of 256 bits, one for its session and one for each request that waits. The store
//! knows hashes of them only.

use std::fmt;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::values::{MacKey, Secret, TransactionId, digest, id};

/// Guards one authorization request that waits: the browser that began the request holds it, in a cookie of that
/// request alone. Whoever knows it and has no session learns nothing: a code takes both secrets.
#[derive(Clone, Debug)]
pub struct RequestSecret(Secret);

/// The hash of a [`RequestSecret`], as the store has it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestKey(String);

/// Names a session. It is random, new at each sign-in, and follows from nothing else that a browser holds.
#[derive(Clone, Debug)]
pub struct SessionSecret(Secret);

/// The hash of a [`SessionSecret`], as the store has it.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionKey(String);

/// A request that waits, as the browser that began it holds it.
#[derive(Clone, Debug)]
pub struct PendingRequest {
    /// Its name.
    pub id: TransactionId,
    /// What guards it.
    pub secret: RequestSecret,
}

/// What a form of ours carries and a forged one does not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CsrfToken(Secret);

/// 256 bits as a cookie has them.
const LENGTH: usize = 43;

fn parse(text: &str) -> Option<Secret> {
    id::is_url_safe(text, LENGTH).then(|| Secret::from(text))
}

fn generate(rng: &mut dyn CryptoRng) -> Secret {
    Secret::new(id::random_text::<32>(rng))
}

impl RequestSecret {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(generate(rng))
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
    pub fn key(&self) -> RequestKey {
        RequestKey(digest::fingerprint(self.0.expose().as_bytes()))
    }
}

impl PendingRequest {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self { id: TransactionId::generate(rng), secret: RequestSecret::generate(rng) }
    }

    /// The token of a form about the request.
    #[must_use]
    pub fn csrf_token(&self) -> CsrfToken {
        let key = MacKey::new(self.secret.0.expose().as_bytes());
        CsrfToken(Secret::new(key.text("form", self.id.as_str().as_bytes())))
    }

    /// The code of the request in `session`: 256 bits, that follow from the two secrets together and from neither
    /// alone. The same decision, posted twice, gives the same code.
    #[must_use]
    pub fn code(&self, session: &SessionSecret) -> Secret {
        // Both have the same fixed length, so the two cannot be divided in another way.
        let both = Secret::new(format!("{}{}", self.secret.expose(), session.expose()));
        let key = MacKey::new(both.expose().as_bytes());
        Secret::new(key.text("code", self.id.as_str().as_bytes()))
    }
}

impl SessionSecret {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(generate(rng))
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

    /// The token of a form about `subject` in this session.
    #[must_use]
    pub fn csrf_token(&self, subject: &str) -> CsrfToken {
        let key = MacKey::new(self.0.expose().as_bytes());
        CsrfToken(Secret::new(key.text("form", subject.as_bytes())))
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

    fn pending(id: &str, secret: &str) -> PendingRequest {
        PendingRequest { id: TransactionId::of(id), secret: RequestSecret(Secret::from(secret)) }
    }

    #[test]
    fn a_code_follows_from_the_request_and_both_secrets_together() {
        let (one, other) = (SessionSecret(Secret::from("s")), SessionSecret(Secret::from("t")));
        let code = pending("id", "a").code(&one);
        assert_eq!(code, pending("id", "a").code(&one));
        assert_ne!(code, pending("id", "a").code(&other));
        assert_ne!(code, pending("id", "b").code(&one));
        assert_ne!(code, pending("other", "a").code(&one));
    }

    #[test]
    fn the_token_of_a_form_is_for_its_request_or_session_and_its_subject() {
        let token = pending("id", "a").csrf_token();
        assert!(token.is(token.expose()));
        assert!(!token.is("") && !token.is(pending("id", "b").csrf_token().expose()));
        assert!(!token.is(pending("other", "a").csrf_token().expose()));
        let session = SessionSecret(Secret::from("a"));
        assert_ne!(session.csrf_token("x"), session.csrf_token("y"));
        assert_ne!(session.csrf_token("x"), SessionSecret(Secret::from("b")).csrf_token("x"));
        assert_ne!(token.expose(), pending("id", "a").code(&session).expose());
    }

    #[test]
    fn a_cookie_that_has_not_the_form_of_ours_is_none() {
        let own = "A".repeat(43);
        assert!(SessionSecret::parse(&own).is_some());
        assert!(RequestSecret::parse(&own).is_some());
        for text in ["", "A", &"A".repeat(44), &"é".repeat(43), &format!("{}=", "A".repeat(42))] {
            assert!(SessionSecret::parse(text).is_none());
            assert!(RequestSecret::parse(text).is_none());
        }
    }
}
