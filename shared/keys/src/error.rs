//! What keys fail of.

use identety_domain::store::StoreError;

/// Why there are no keys to work with.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sealing key could not be had.
    #[error(transparent)]
    DataKey(#[from] DataKeyError),
    /// The store holds sealed keys, and not the key that seals them.
    #[error(
        "the store holds signing keys without the wrapped key that seals them; restore the table of keys"
    )]
    SealMissing,
    /// The store held keys a while ago.
    #[error("the signing keys are gone from the store")]
    Gone,
    /// A stored key is damaged, or was sealed by another key.
    #[error("the signing key {0} cannot be opened: damaged, or sealed by another key")]
    Damaged(String),
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness")]
    NoRandomness,
    /// The cryptographic library refused.
    #[error("the cryptographic library failed: {0}")]
    Crypto(&'static str),
}

/// The key management service gave no key.
#[derive(Debug, thiserror::Error)]
pub enum DataKeyError {
    /// Throttled, timed out or out of reach.
    #[error("the key management service is unavailable: {0}")]
    Unavailable(String),
    /// Disabled, denied, or another key: never fall back to something weaker.
    #[error("the key management service refused: {0}")]
    Refused(String),
}
