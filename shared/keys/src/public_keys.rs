//! Judging signatures by the published keys.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identety_domain::Timestamp;
use identety_domain::client::SigningAlg;
use identety_domain::keys::{KeyRing, PublicKey, Verifier};
use identety_domain::store::{KeyStore, StoreError};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// The public halves of all rings, by `kid`.
#[derive(Default)]
pub struct PublicKeys(HashMap<String, (SigningAlg, DecodingKey)>);

/// The header of a JWS (RFC 7515 §4.1), as far as it is heeded. `jwk`, `jku` and `x5u` are not: a key
/// that a token brings along proves nothing.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    /// RFC 7515 §4.1.11: whoever does not understand it must refuse. We understand none.
    crit: Option<serde_json::Value>,
}

impl PublicKeys {
    /// The keys of `rings`; one that is damaged is left out, so that it verifies nothing.
    #[must_use]
    pub fn of(rings: &[KeyRing]) -> Self {
        let keys = rings.iter().flat_map(|ring| {
            ring.keys.iter().filter_map(|key| {
                let decoding = match &key.public {
                    PublicKey::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
                    PublicKey::Ec { crv: _, x, y } => DecodingKey::from_ec_components(x, y),
                };
                Some((key.kid.clone(), (ring.alg, decoding.ok()?)))
            })
        });
        Self(keys.collect())
    }
}

impl Verifier for PublicKeys {
    fn verify(&self, typ: &str, jws: &str) -> Option<Vec<u8>> {
        let (message, signature) = jws.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let header = parse_header(header)?;
        if header.crit.is_some() || !is_typ(header.typ.as_deref()?, typ) {
            return None;
        }
        let (alg, key) = self.0.get(&header.kid?)?;
        if header.alg != alg.as_str() {
            return None;
        }
        let algorithm = match alg {
            SigningAlg::Rs256 => Algorithm::RS256,
            SigningAlg::Es256 => Algorithm::ES256,
        };
        let genuine =
            jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, algorithm).ok()?;
        // A payload with a dot in it is not base64url, so five parts (JWE) end here.
        genuine.then(|| URL_SAFE_NO_PAD.decode(payload).ok())?
    }
}

fn parse_header(text: &str) -> Option<Header> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// RFC 7515 §4.1.9: compared without regard to case, and `application/` may stand before it.
fn is_typ(actual: &str, expected: &str) -> bool {
    let short = actual.get(..12).filter(|prefix| prefix.eq_ignore_ascii_case("application/"));
    let actual = if short.is_some() { actual.get(12..).unwrap_or_default() } else { actual };
    actual.eq_ignore_ascii_case(expected)
}

/// The public keys of a process that does not sign: read from the store, and read again when a token
/// names a key that is not among them.
pub struct PublishedKeys {
    store: Arc<dyn KeyStore>,
    known: RwLock<Arc<PublicKeys>>,
    /// When an unknown `kid` last made the store be read.
    reread_at: Mutex<Option<Timestamp>>,
}

/// How soon an unknown `kid` makes the store be read again: strangers can make up as many as they like.
const REREAD_AFTER: Duration = Duration::from_secs(5);

impl PublishedKeys {
    /// Knows no keys yet.
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>) -> Self {
        Self { store, known: RwLock::default(), reread_at: Mutex::default() }
    }

    /// Reads the keys from the store.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read(&self) -> Result<(), StoreError> {
        let keys = PublicKeys::of(&self.store.load().await?.rings);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    /// Makes the key that signed `jws` known, if it is published.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn prepare(&self, jws: &str, now: Timestamp) -> Result<(), StoreError> {
        let kid = jws.split('.').next().and_then(parse_header).and_then(|header| header.kid);
        match kid {
            Some(kid) if !self.known().0.contains_key(&kid) && self.may_reread(now) => {
                self.read().await
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether it is time; if so, the next time is [`REREAD_AFTER`] later.
    fn may_reread(&self, now: Timestamp) -> bool {
        let mut reread_at = self.reread_at.lock().unwrap_or_else(PoisonError::into_inner);
        let due = reread_at.is_none_or(|last| now.since(last) >= REREAD_AFTER);
        if due {
            *reread_at = Some(now);
        }
        due
    }

    fn known(&self) -> Arc<PublicKeys> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Verifier for PublishedKeys {
    fn verify(&self, typ: &str, jws: &str) -> Option<Vec<u8>> {
        self.known().verify(typ, jws)
    }
}
