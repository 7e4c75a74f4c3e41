//! Signing keys: their states, and what the world sees of them (RFC 7517).

mod rotation;

pub use rotation::{
    Due, HTTP_CACHES_KEEP, Obstacle, PUBLISHED_AFTER_SIGNING, PUBLISHED_BEFORE_SIGNING,
    PeriodError, REREAD_EVERY, RotationPeriod, SETTLES_WITHIN, VERIFIERS_KEEP,
};

use serde::{Deserialize, Serialize};

use crate::values::{SigningAlg, Timestamp};

/// Where a key is in its life. A key is published before it signs, and after, for verifiers keep the
/// key set for hours.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Published, does not sign yet.
    Next,
    /// Signs.
    Current,
    /// Signed until the last rotation; still published.
    Previous,
}

/// The public half of a key, as in a JWK Set (RFC 7517 §4, RFC 7518 §6).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kty")]
pub enum PublicKey {
    /// An RSA key.
    #[serde(rename = "RSA")]
    Rsa {
        /// The modulus, base64url.
        n: String,
        /// The exponent, base64url.
        e: String,
    },
    /// A key on an elliptic curve.
    #[serde(rename = "EC")]
    Ec {
        /// The curve: `P-256`.
        crv: String,
        /// The x coordinate, base64url.
        x: String,
        /// The y coordinate, base64url.
        y: String,
    },
}

/// A private key, sealed: opaque to everything but the sealing key.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedKey(pub String);

/// The key that seals private keys, itself wrapped by a key management service: base64.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WrappedKey(pub String);

/// One signing key.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningKey {
    /// The key's identifier: the `kid` of its signatures.
    pub kid: String,
    /// Where it is in its life.
    pub state: KeyState,
    /// Since when it is in that state.
    pub since: Timestamp,
    /// The half for everybody.
    pub public: PublicKey,
    /// The half for this server.
    pub sealed: SealedKey,
}

/// The keys of one algorithm: one current, one next, at most one previous.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct KeyRing {
    /// What they sign with.
    pub alg: SigningAlg,
    /// Counts the changes, from 1: each is one write on condition of the version before.
    pub version: u64,
    /// The keys.
    pub keys: Vec<SigningKey>,
}

/// A new key, before it has a state.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The key's identifier.
    pub kid: String,
    /// The half for everybody.
    pub public: PublicKey,
    /// The half for this server.
    pub sealed: SealedKey,
}

impl NewKey {
    fn into_key(self, state: KeyState, since: Timestamp) -> SigningKey {
        let Self { kid, public, sealed } = self;
        SigningKey { kid, state, since, public, sealed }
    }
}

impl KeyRing {
    /// The first ring of a deployment. Nobody has a key set yet, so its current key signs at once.
    #[must_use]
    pub fn first(alg: SigningAlg, current: NewKey, next: NewKey, now: Timestamp) -> Self {
        let keys =
            vec![current.into_key(KeyState::Current, now), next.into_key(KeyState::Next, now)];
        Self { alg, version: 1, keys }
    }

    /// The key that signs.
    #[must_use]
    pub fn current(&self) -> Option<&SigningKey> {
        self.in_state(KeyState::Current)
    }

    /// The key in that state.
    #[must_use]
    pub fn in_state(&self, state: KeyState) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.state == state)
    }

    /// The key of that name.
    #[must_use]
    pub fn key(&self, kid: &str) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    /// Whether it is what the rules make: one current key, one next, at most one previous, each with a
    /// name of its own.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let count = |state| self.keys.iter().filter(|key| key.state == state).count();
        let is_single =
            |key: &SigningKey| self.keys.iter().filter(|other| other.kid == key.kid).count() == 1;
        count(KeyState::Current) == 1
            && count(KeyState::Next) == 1
            && count(KeyState::Previous) <= 1
            && self.keys.iter().all(is_single)
    }
}

/// A JWK Set (RFC 7517 §5): public halves only.
#[derive(Clone, Debug, Serialize)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Clone, Debug, Serialize)]
struct Jwk {
    #[serde(flatten)]
    public: PublicKey,
    #[serde(rename = "use")]
    usage: &'static str,
    alg: &'static str,
    kid: String,
}

impl Jwks {
    /// All keys of all rings, the next and previous ones too.
    #[must_use]
    pub fn of(rings: &[KeyRing]) -> Self {
        let keys = rings.iter().flat_map(|ring| {
            ring.keys.iter().map(|key| Jwk {
                public: key.public.clone(),
                usage: "sig",
                alg: ring.alg.as_str(),
                kid: key.kid.clone(),
            })
        });
        Self { keys: keys.collect() }
    }
}

/// Signs what the rules have decided to say.
pub trait Signer: Send + Sync {
    /// The compact JWS (RFC 7515 §7.1) of `claims` with header `{typ, alg, kid}`, by the current key.
    ///
    /// # Errors
    /// When there is no current key for `alg`, or the signature fails.
    fn sign(&self, alg: SigningAlg, typ: &str, claims: &[u8]) -> Result<String, SigningError>;
}

/// A signature could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The deployment has no current key of that algorithm.
    #[error("no current key for {0}")]
    NoKey(&'static str),
    /// The cryptographic library refused.
    #[error("the signature failed")]
    Failed,
}

/// What a text that claims to be a compact JWS turned out to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Judgement {
    /// A published key signed this payload.
    Genuine(Vec<u8>),
    /// Well formed, but its `kid` is none of a published key: perhaps of one that has been rotated out.
    UnknownKey,
    /// Anything else: other `typ`, another algorithm than the key's, `none`, `crit`, a wrong signature.
    Forged,
}

/// Reads the header or the claims of a JWT: a JSON object in UTF-8 (RFC 7515 §4, RFC 7519 §4). By itself
/// serde would take a list for a struct, and whatever bytes there are in members that nobody reads.
#[must_use]
pub fn read_object<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    let text = str::from_utf8(bytes).ok()?;
    let is_object = text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{');
    is_object.then(|| serde_json::from_str(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kid: &str) -> NewKey {
        NewKey {
            kid: kid.to_owned(),
            public: PublicKey::Rsa { n: "AQAB".into(), e: "AQAB".into() },
            sealed: SealedKey("sealed".into()),
        }
    }

    #[test]
    fn the_key_set_shows_all_states_and_nothing_sealed() {
        let at = Timestamp::from_seconds(0);
        let ring = KeyRing::first(SigningAlg::Rs256, key("a"), key("b"), at).rotated(key("c"), at);
        let json = serde_json::to_value(Jwks::of(&[ring])).unwrap();
        let kids: Vec<_> = json["keys"].as_array().unwrap().iter().map(|k| &k["kid"]).collect();
        assert_eq!(kids, ["a", "b", "c"]);
        assert!(!json.to_string().contains("sealed"));
        assert_eq!(
            json["keys"][0],
            serde_json::json!({
                "kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "sig", "alg": "RS256", "kid": "a"
            })
        );
    }
}
