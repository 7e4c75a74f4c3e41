//! Key pairs: made, sealed, opened once, signing in process; and the judging of signatures.
//!
//! The domain says what is signed and in which state a key is; this crate holds the cryptography,
//! which is `aws-lc-rs` throughout.

mod key_pair;
#[cfg(feature = "kms")]
pub mod kms;
mod public_keys;
mod refresh_key;
mod seal;
mod vault;

pub use public_keys::{PublicKeys, PublishedKeys};
pub use seal::{DataKey, DataKeyError, DataKeys, Sealer, Sealing};
pub use vault::{KeyVault, OpenedKeys};

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
    /// A stored key is damaged, or was sealed by another key.
    #[error("the signing key {0} cannot be opened: damaged, or sealed by another key")]
    Damaged(String),
    /// The cryptographic library refused.
    #[error("the cryptographic library failed: {0}")]
    Crypto(&'static str),
}
