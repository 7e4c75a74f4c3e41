//! The signing keys.

use async_trait::async_trait;

use super::{Change, StoreError};
use crate::models::keys::{Judgement, KeyRing, WrappedKey};
use crate::values::Timestamp;

/// The signing keys: one ring for each algorithm, and the key that seals their private parts.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// All rings, strongly consistent, and the wrapped sealing key, where there are any.
    async fn load(&self) -> Result<StoredKeys, StoreError>;

    /// Writes a ring if the stored one of that algorithm has version `ring.version - 1`, where 0 stands
    /// for none: of two writers, one wins.
    async fn put_ring(&self, ring: &KeyRing) -> Result<Change, StoreError>;

    /// Writes the wrapped sealing key if there is none.
    async fn put_wrapped_key(&self, key: &WrappedKey) -> Result<Change, StoreError>;
}

/// Judges who signed, by the published keys.
#[async_trait]
pub trait Verifier: Send + Sync {
    /// Judges a compact JWS that must have the header `typ`. Where the keys at hand may be too old for
    /// that, the implementation reads them again first: a caller has nothing to prepare.
    ///
    /// # Errors
    /// When the key is not among those at hand, and the store fails.
    async fn verify(&self, typ: &str, jws: &str, now: Timestamp) -> Result<Judgement, StoreError>;
}

/// All that the key store holds.
#[derive(Clone, Debug, Default)]
pub struct StoredKeys {
    /// At most one for each algorithm.
    pub rings: Vec<KeyRing>,
    /// The sealing key, wrapped by a key management service; `None` where a local file holds it.
    pub wrapped_key: Option<WrappedKey>,
}
