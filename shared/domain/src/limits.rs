//! Limits on guessing.
//!
//! Of clients' secrets only failures are counted, so the right secret always passes, costs no extra read,
//! and nobody can lock a client out by failing in its name. Passwords are counted otherwise: see
//! [`SignInLimits`].

mod sign_in;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

pub use sign_in::{
    Admission, Attempt, BrowserAdmission, COUNTED_FOR, OVER_LIMIT_PAUSE,
    OVER_LIMIT_PAUSE_OF_ACCOUNT, PER_ACCOUNT, PER_ACCOUNT_AND_ADDRESS, PER_ADDRESS, PER_BROWSER,
    PER_BROWSER_IN_A_ROW, SIGN_IN_WINDOW, SignInLimits,
};

use crate::stores::{FailureStore, StoreError};
use crate::values::{PeerAddress, Seconds, Timestamp};

/// Failures of one client (or of the API key) from one address in one minute, after which the answer
/// is 429.
pub const FAILURES_PER_MINUTE: u32 = 100;

const WINDOW: Seconds = 60;

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
    let key = format!("FAILURES#{}#{window}", hashed(&[subject, &peer.counted()]));
    let count = store.count_failure(&key, now.plus(2 * WINDOW)).await?;
    if count <= FAILURES_PER_MINUTE {
        return Ok(Counted::WithinLimit);
    }
    let elapsed = u32::try_from(now.seconds() % u64::from(WINDOW)).unwrap_or(0);
    Ok(Counted::TooMany { retry_after: WINDOW - elapsed })
}

/// Hashed: a subject is what a stranger wrote, of any length and content.
fn hashed(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    URL_SAFE_NO_PAD.encode(digest.finalize())
}
