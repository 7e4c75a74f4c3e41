//! Key pairs: made, sealed, opened once, signing in process, rotated; and the judging of signatures.
//!
//! The domain says what is signed and in which state a key is; this crate holds the cryptography,
//! which is `aws-lc-rs` throughout.

mod key_pair;
#[cfg(feature = "kms")]
pub mod kms;
mod opened;
mod public_keys;
mod published;
mod refresh_key;
mod rotator;
mod schedule;
mod seal;
mod vault;

pub use opened::OpenedKeys;
pub use public_keys::PublicKeys;
pub use published::PublishedKeys;
pub use rotator::{ChangeError, Report, Revoked, RingReport, Rotated, Rotator, Step};
pub use seal::{DataKey, DataKeyError, DataKeys, Sealer, Sealing};
pub use vault::KeyVault;

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
