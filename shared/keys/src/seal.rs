//! Sealing: private keys rest encrypted (AES-256-GCM), under a key that a key management service
//! wraps, or that a local file holds.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use identety_domain::client::SigningAlg;
use identety_domain::id;
use identety_domain::keys::{KeyRing, NewKey, SealedKey, WrappedKey};
use identety_domain::store::StoredKeys;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::error::{DataKeyError, KeysError};
use crate::key_pair::KeyPair;

/// 256 bits that seal and open.
pub type DataKey = Zeroizing<[u8; 32]>;

/// A service that makes data keys and unwraps them again.
#[async_trait]
pub trait DataKeys: Send + Sync {
    /// A new data key, in clear and wrapped.
    async fn generate(&self) -> Result<(DataKey, WrappedKey), DataKeyError>;

    /// The data key that was wrapped.
    async fn unwrap(&self, wrapped: &WrappedKey) -> Result<DataKey, DataKeyError>;
}

/// Where the sealing key comes from.
#[derive(Clone)]
pub enum Sealing {
    /// From a local file: `identety serve`.
    Local(DataKey),
    /// From a key management service, wrapped in the store.
    Managed(Arc<dyn DataKeys>),
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local(_) => "Sealing::Local",
            Self::Managed(_) => "Sealing::Managed",
        })
    }
}

impl Sealing {
    /// The key that sealed what is stored; `None` where nothing is sealed yet.
    pub(crate) async fn data_key(&self, stored: &StoredKeys) -> Result<Option<DataKey>, KeysError> {
        match (self, &stored.wrapped_key) {
            (Self::Local(key), _) => Ok(Some(key.clone())),
            (Self::Managed(service), Some(wrapped)) => Ok(Some(service.unwrap(wrapped).await?)),
            (Self::Managed(_), None) if stored.rings.is_empty() => Ok(None),
            // Another key would open nothing of what is there.
            (Self::Managed(_), None) => Err(KeysError::SealMissing),
        }
    }

    /// A new key, where a service makes them.
    pub(crate) async fn generate(&self) -> Result<Option<(DataKey, WrappedKey)>, KeysError> {
        match self {
            Self::Local(_) => Ok(None),
            Self::Managed(service) => Ok(Some(service.generate().await?)),
        }
    }
}

/// A new key pair, sealed, with a name that no key of `rings` has.
pub(crate) fn new_key(
    alg: SigningAlg,
    sealer: &Sealer,
    rings: &[KeyRing],
    rng: &mut (dyn CryptoRng + Send),
) -> Result<NewKey, KeysError> {
    let pair = KeyPair::generate(alg)?;
    let mut kid = id::random_text::<12>(rng);
    while rings.iter().any(|ring| ring.key(&kid).is_some()) {
        kid = id::random_text::<12>(rng);
    }
    let sealed = sealer.seal(&kid, &pair.to_pkcs8()?)?;
    Ok(NewKey { kid, public: pair.public()?, sealed })
}

/// Seals private keys and opens them.
pub struct Sealer(RandomizedNonceKey);

impl Sealer {
    /// A sealer under `key`.
    ///
    /// # Errors
    /// When the cryptographic library refuses the key: never for 256 bits.
    pub fn new(key: &DataKey) -> Result<Self, KeysError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, key.as_ref());
        Ok(Self(key.map_err(|_| KeysError::Crypto("AES-256-GCM key"))?))
    }

    /// Seals `private`, bound to the name `kid`: another key cannot be put in its place.
    ///
    /// # Errors
    /// When the cryptographic library refuses.
    pub fn seal(&self, kid: &str, private: &[u8]) -> Result<SealedKey, KeysError> {
        let mut text = private.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(kid), &mut text)
            .map_err(|_| KeysError::Crypto("AES-256-GCM seal"))?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend_from_slice(&text);
        Ok(SealedKey(STANDARD_NO_PAD.encode(sealed)))
    }

    /// Opens what [`Sealer::seal`] sealed under the same name.
    ///
    /// # Errors
    /// [`KeysError::Damaged`] when it was changed, renamed, or sealed by another key.
    pub fn open(&self, kid: &str, sealed: &SealedKey) -> Result<Zeroizing<Vec<u8>>, KeysError> {
        let damaged = || KeysError::Damaged(kid.to_owned());
        let bytes = STANDARD_NO_PAD.decode(&sealed.0).map_err(|_| damaged())?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut text = Zeroizing::new(text.to_vec());
        let length =
            self.0.open_in_place(nonce, Aad::from(kid), &mut text).map_err(|_| damaged())?.len();
        text.truncate(length);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&Zeroizing::new([byte; 32])).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_under_the_same_key_and_name() {
        let sealed = sealer(1).seal("kid", b"private").unwrap();
        assert_eq!(*sealer(1).open("kid", &sealed).unwrap(), b"private");
        assert!(!sealed.0.contains("private"));
    }

    #[test]
    fn another_key_another_name_or_a_change_does_not_open() {
        let sealed = sealer(1).seal("kid", b"private").unwrap();
        assert!(matches!(sealer(2).open("kid", &sealed), Err(KeysError::Damaged(_))));
        assert!(matches!(sealer(1).open("other", &sealed), Err(KeysError::Damaged(_))));
        for at in 0..sealed.0.len() {
            let mut text = sealed.0.clone().into_bytes();
            text[at] = if text[at] == b'A' { b'B' } else { b'A' };
            let changed = SealedKey(String::from_utf8(text).unwrap());
            assert!(matches!(sealer(1).open("kid", &changed), Err(KeysError::Damaged(_))), "{at}");
        }
        assert!(sealer(1).open("kid", &SealedKey("AAAA".into())).is_err());
    }

    #[test]
    fn the_same_key_sealed_twice_looks_different() {
        let sealer = sealer(1);
        assert_ne!(sealer.seal("kid", b"x").unwrap(), sealer.seal("kid", b"x").unwrap());
    }
}
