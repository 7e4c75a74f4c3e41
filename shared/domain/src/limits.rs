//! Limits on guessing.
//!
//! Only failures are counted, so the right secret always passes, costs no extra read, and nobody can
//! lock a client out by failing in its name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::store::{FailureStore, StoreError};
use crate::{Seconds, Timestamp};

/// Failures of one client (or of the API key) from one address in one minute, after which the answer
/// is 429.
pub const FAILURES_PER_MINUTE: u32 = 100;

const WINDOW: Seconds = 60;

/// Where a request came from: API Gateway's `sourceIp`, or the peer of the local socket; never a header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PeerAddress(pub String);

/// What a counted failure leads to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Counted {
    /// Answer as usual.
    WithinLimit,
    /// Too many: answer 429, and name this many seconds.
    TooMany {
        /// Until the window ends: 1 … 60.
        retry_after: Seconds,
    },
}

/// Counts a failure of `subject` from `peer` at `now`.
///
/// # Errors
/// When the counter cannot be written.
pub async fn count_failure(
    store: &dyn FailureStore,
    subject: &str,
    peer: &PeerAddress,
    now: Timestamp,
) -> Result<Counted, StoreError> {
    let window = now.seconds() / u64::from(WINDOW);
    // Hashed: a subject is what a stranger wrote, of any length and content.
    let mut digest = Sha256::new();
    for part in [subject, &peer.0] {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    let key = format!("FAILURES#{}#{window}", URL_SAFE_NO_PAD.encode(digest.finalize()));
    let count = store.count_failure(&key, now.plus(2 * WINDOW)).await?;
    if count <= FAILURES_PER_MINUTE {
        return Ok(Counted::WithinLimit);
    }
    let elapsed = u32::try_from(now.seconds() % u64::from(WINDOW)).unwrap_or(0);
    Ok(Counted::TooMany { retry_after: WINDOW - elapsed })
}
