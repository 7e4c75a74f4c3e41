//! Key pairs: made, sealed, opened once, signing in process, rotated; and the judging of signatures.
//!
//! The domain says what is signed and in which state a key is; this crate holds the cryptography,
//! which is `aws-lc-rs` throughout.

mod error;
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

pub use error::{DataKeyError, KeysError};
pub use opened::OpenedKeys;
pub use public_keys::PublicKeys;
pub use published::PublishedKeys;
pub use rotator::{ChangeError, Report, Revoked, RingReport, Rotated, Rotator, Step};
pub use seal::{DataKey, DataKeys, Sealer, Sealing};
pub use vault::KeyVault;
