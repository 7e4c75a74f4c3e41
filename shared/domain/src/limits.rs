//! Limits on guessing.
//!
//! Of clients' secrets only failures are counted, so the right secret always passes, costs no extra read,
//! and nobody can lock a client out by failing in its name. Passwords are counted otherwise: see
//! [`SignInLimits`].

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::stores::{AttemptStore, FailureStore, StoreError};
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

/// How many failed sign-ins count as mistakes, in [`SIGN_IN_WINDOW`]: of one account from one address.
pub const PER_ACCOUNT_AND_ADDRESS: u32 = 10;
/// Of one account, from anywhere.
pub const PER_ACCOUNT: u32 = 100;
/// From one address, of any accounts.
pub const PER_ADDRESS: u32 = 300;
/// The time in which failed sign-ins are counted: a quarter of an hour.
pub const SIGN_IN_WINDOW: Seconds = 900;
/// The longest pause between two attempts beyond a limit.
const LONGEST_PAUSE: Seconds = 60;
/// How often a counter is looked at that others change at the same moment.
const LOOKS: usize = 3;

/// Limits on guessing passwords. A password is what people choose, so here even the right one waits:
/// beyond a limit one attempt is allowed after each pause, and the pauses double up to a minute. Known
/// and unknown accounts are counted alike.
#[derive(Clone)]
pub struct SignInLimits {
    /// The counters.
    pub attempts: Arc<dyn AttemptStore>,
}

/// Whether an attempt may be made.
#[derive(Debug)]
#[must_use]
pub enum Admission {
    /// It may, and has been counted.
    Admitted(Attempt),
    /// Not yet.
    Blocked {
        /// Seconds until one may: 1 … 60.
        retry_after: Seconds,
    },
}

/// An attempt that has been counted as if it had failed.
#[derive(Debug)]
pub struct Attempt(Vec<String>);

impl SignInLimits {
    /// Counts an attempt to sign in to `account` from `peer`, if it may be made.
    ///
    /// # Errors
    /// When a counter cannot be written: what cannot be counted is not allowed.
    pub async fn admit(
        &self,
        account: &str,
        peer: &PeerAddress,
        now: Timestamp,
    ) -> Result<Admission, StoreError> {
        let peer = peer.counted();
        let counters = [
            (PER_ACCOUNT_AND_ADDRESS, ["account and address", account, &peer]),
            (PER_ACCOUNT, ["account", account, ""]),
            (PER_ADDRESS, ["address", "", &peer]),
        ];
        let mut attempt = Attempt(Vec::with_capacity(counters.len()));
        for (limit, subject) in counters {
            let window = now.seconds() / u64::from(SIGN_IN_WINDOW);
            let key = format!("ATTEMPTS#{}#{window}", hashed(&subject));
            match self.count(&key, limit, now).await? {
                None => attempt.0.push(key),
                Some(retry_after) => {
                    self.succeeded(&attempt).await?;
                    return Ok(Admission::Blocked { retry_after });
                }
            }
        }
        Ok(Admission::Admitted(attempt))
    }

    /// Takes an attempt back that was no failure.
    ///
    /// # Errors
    /// When a counter cannot be written.
    pub async fn succeeded(&self, attempt: &Attempt) -> Result<(), StoreError> {
        for key in &attempt.0 {
            self.attempts.uncount_attempt(key).await?;
        }
        Ok(())
    }

    /// Counts an attempt under `key`: `None`, or how long to wait.
    async fn count(
        &self,
        key: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Option<Seconds>, StoreError> {
        let forget_at = now.plus(2 * SIGN_IN_WINDOW);
        for _ in 0..LOOKS {
            // The attempt that reaches the limit is the first to be followed by a pause.
            let counted = self.attempts.count_attempt(key, limit - 1, forget_at).await?;
            let Some(seen) = counted else { return Ok(None) };
            if let Some(until) = seen.blocked_until.filter(|until| now < *until) {
                let seconds = until.since(now).as_millis().div_ceil(1000);
                return Ok(Some(Seconds::try_from(seconds).unwrap_or(LONGEST_PAUSE)));
            }
            let until = now.plus(pause(seen.count.saturating_sub(limit - 1)));
            if self.attempts.count_late_attempt(key, &seen, until, forget_at).await? {
                return Ok(None);
            }
        }
        Ok(Some(1))
    }
}

/// The pause after an attempt that has `excess` attempts beyond the limit before it: 1, 2, 4 … 60 s.
fn pause(excess: u32) -> Seconds {
    1_u32.checked_shl(excess).map_or(LONGEST_PAUSE, |seconds| seconds.min(LONGEST_PAUSE))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_double_up_to_a_minute() {
        let pauses: Vec<_> = (0..8).map(pause).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pause(1000), 60);
    }
}
