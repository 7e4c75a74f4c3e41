//! Limits on guessing passwords. A password is what people choose, so here even the right one is refused beyond a limit;
//! but a browser that the user has signed in with before has a counter of its own, and no stranger fills that.

use std::sync::Arc;

use rand_core::Rng as _;

use super::hashed;
use crate::models::device::DeviceKey;
use crate::stores::{Allowance, AttemptStore, Count, Counter, StoreError};
use crate::values::{RequestContext, Seconds, Timestamp};

/// How many failures of one account from one address are let through in [`SIGN_IN_WINDOW`].
pub const PER_ACCOUNT_AND_ADDRESS: u32 = 10;
/// How many failures of one account in a row, from anywhere but its known browsers (NIST SP 800-63B §3.2.2).
pub const PER_ACCOUNT: u32 = 100;
/// How many failures from one address in [`SIGN_IN_WINDOW`], of any accounts.
pub const PER_ADDRESS: u32 = 300;
/// How many failures of a known browser in [`SIGN_IN_WINDOW`].
pub const PER_BROWSER: u32 = 10;
/// After so many failures in a row, a known browser is forgotten.
pub const PER_BROWSER_IN_A_ROW: u32 = 100;
/// The time in which failures are counted that need not be in a row: a quarter of an hour.
pub const SIGN_IN_WINDOW: Seconds = 900;
/// How long failures in a row count after the last one: 30 days.
pub const COUNTED_FOR: Seconds = 30 * 86_400;
/// The pause between two attempts from an address over its limit.
pub const OVER_LIMIT_PAUSE: Seconds = 1;
/// The same for two attempts at one account.
pub const OVER_LIMIT_PAUSE_OF_ACCOUNT: Seconds = 60;

/// Over how many items the counter of an address is spread, so that no item is written by all who come from there.
const SHARDS: u32 = 10;

const ACCOUNT: Allowance = Allowance { below: PER_ACCOUNT, apart: 0, kept: COUNTED_FOR };
const BROWSER_IN_A_ROW: Allowance =
    Allowance { below: PER_BROWSER_IN_A_ROW, apart: 0, kept: COUNTED_FOR };
const SHARD_OF_ADDRESS: Allowance = in_a_window(PER_ADDRESS / SHARDS);
const OVER_LIMIT: Allowance = Allowance { apart: OVER_LIMIT_PAUSE, ..in_a_window(u32::MAX) };

/// An allowance whose counter has the window in its key, and is kept until that is surely over.
const fn in_a_window(below: u32) -> Allowance {
    Allowance { below, apart: 0, kept: 2 * SIGN_IN_WINDOW }
}

/// Bounds guessing at passwords. Known and unknown accounts are counted alike.
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
    /// It may not.
    Blocked {
        /// Seconds until one may; `None` where time alone does not help.
        retry_after: Option<Seconds>,
    },
}

/// Whether a known browser may make an attempt.
#[derive(Debug)]
#[must_use]
pub enum BrowserAdmission {
    /// As for others.
    Judged(Admission),
    /// It has failed too often in a row to be a known browser.
    Forgotten,
}

/// An attempt that has been counted as if it had failed.
#[derive(Debug, Default)]
pub struct Attempt {
    /// The counters from which it is taken back.
    counted: Vec<String>,
    /// The counters that its success ends.
    ended: Vec<String>,
}

/// How the counter of an address took an attempt.
enum FromAddress {
    /// Within the limit, under this key.
    Counted(String),
    /// Over the limit, after the pause.
    AfterPause,
    /// Over the limit, in the pause.
    TooSoon,
}

impl SignInLimits {
    /// Counts an attempt to sign in to `account` by a browser that the account does not know, if it may be made.
    ///
    /// # Errors
    /// When a counter cannot be read or written: what cannot be counted is not allowed.
    pub async fn admit(
        &self,
        context: &mut RequestContext,
        account: &str,
    ) -> Result<Admission, StoreError> {
        let key = account_key(account);
        // Read first, so that attempts at a locked account write nothing.
        let standing = self.attempts.find_counter(&key).await?;
        if standing.at(context.now, COUNTED_FOR) >= PER_ACCOUNT {
            return Ok(Admission::Blocked { retry_after: None });
        }
        let subject = ["account and address", account, &standing.resets.to_string()];
        let mut attempt = match self.admit_address(context, &subject).await? {
            Admission::Admitted(attempt) => attempt,
            blocked @ Admission::Blocked { .. } => return Ok(blocked),
        };
        match self.attempts.count_attempt(&key, &ACCOUNT, context.now).await? {
            Count::Counted => {
                attempt.ended.push(key);
                Ok(Admission::Admitted(attempt))
            }
            Count::Refused(_) => {
                self.take_back(&attempt).await?;
                Ok(Admission::Blocked { retry_after: None })
            }
        }
    }

    /// Counts an attempt to register `account`, which tells whether it is there: like a guess, but it is no failure to
    /// sign in.
    ///
    /// # Errors
    /// When a counter cannot be written.
    pub async fn admit_registration(
        &self,
        context: &mut RequestContext,
        account: &str,
    ) -> Result<Admission, StoreError> {
        self.admit_address(context, &["registration and address", account]).await
    }

    /// Counts an attempt to sign in to `account` by a browser that the account knows, if it may be made. No other
    /// counter has a say.
    ///
    /// # Errors
    /// When a counter cannot be read or written.
    pub async fn admit_browser(
        &self,
        account: &str,
        browser: &DeviceKey,
        now: Timestamp,
    ) -> Result<BrowserAdmission, StoreError> {
        let of_account = account_key(account);
        let standing = self.attempts.find_counter(&of_account).await?;
        let resets = standing.resets.to_string();
        let subject = ["known browser", account, browser.as_str(), &resets];
        let (in_window, in_a_row) = (window_key(&subject, now), key(&subject));
        let allowance = in_a_window(PER_BROWSER);
        if let Count::Refused(_) = self.attempts.count_attempt(&in_window, &allowance, now).await? {
            let retry_after = Some(window_left(now));
            return Ok(BrowserAdmission::Judged(Admission::Blocked { retry_after }));
        }
        let mut attempt = Attempt { counted: vec![in_window], ended: Vec::new() };
        if let Count::Refused(_) =
            self.attempts.count_attempt(&in_a_row, &BROWSER_IN_A_ROW, now).await?
        {
            self.take_back(&attempt).await?;
            return Ok(BrowserAdmission::Forgotten);
        }
        attempt.ended.push(in_a_row);
        if standing.count > 0 {
            attempt.ended.push(of_account);
        }
        Ok(BrowserAdmission::Judged(Admission::Admitted(attempt)))
    }

    /// Notes that an attempt was no failure: it is taken back, and failures in a row have ended.
    ///
    /// # Errors
    /// When a counter cannot be written.
    pub async fn succeeded(&self, attempt: &Attempt) -> Result<(), StoreError> {
        self.take_back(attempt).await?;
        for key in &attempt.ended {
            self.attempts.clear_attempts(key).await?;
        }
        Ok(())
    }

    /// Starts the counters of `account` anew: failures in a row, from each address, and of each known browser.
    ///
    /// # Errors
    /// When the counter cannot be written.
    pub async fn unlock(&self, account: &str, now: Timestamp) -> Result<(), StoreError> {
        self.attempts.reset_attempts(&account_key(account), COUNTED_FOR, now).await
    }

    /// Counts an attempt from the address of the request at `subject`, which names an account. Where that counter is full,
    /// it is only read: an attempt that is not made must neither be counted elsewhere nor cost a write.
    async fn admit_address(
        &self,
        context: &mut RequestContext,
        subject: &[&str],
    ) -> Result<Admission, StoreError> {
        let now = context.now;
        let peer = context.peer.counted();
        let key = window_key(&[subject, &[peer.as_str()]].concat(), now);
        if self.attempts.find_counter(&key).await?.count >= PER_ACCOUNT_AND_ADDRESS {
            return Ok(Admission::Blocked { retry_after: Some(window_left(now)) });
        }
        let mut attempt = Attempt::default();
        let apart = match self.count_address(context, &peer).await? {
            FromAddress::Counted(key) => {
                attempt.counted.push(key);
                0
            }
            FromAddress::AfterPause => OVER_LIMIT_PAUSE_OF_ACCOUNT,
            FromAddress::TooSoon => {
                return Ok(Admission::Blocked { retry_after: Some(OVER_LIMIT_PAUSE) });
            }
        };
        let allowance = Allowance { apart, ..in_a_window(PER_ACCOUNT_AND_ADDRESS) };
        match self.attempts.count_attempt(&key, &allowance, now).await? {
            Count::Counted => {
                attempt.counted.push(key);
                Ok(Admission::Admitted(attempt))
            }
            Count::Refused(seen) => {
                self.take_back(&attempt).await?;
                Ok(Admission::Blocked { retry_after: Some(pause(&seen, &allowance, now)) })
            }
        }
    }

    /// Counts an attempt from `peer`, whatever the account. Its limit is spread over [`SHARDS`] counters. Once all are
    /// full, one more item says so until the end of the window, and paces the attempts that are still made; an
    /// attempt in a pause only reads it.
    async fn count_address(
        &self,
        context: &mut RequestContext,
        peer: &str,
    ) -> Result<FromAddress, StoreError> {
        let now = context.now;
        let over_limit = window_key(&["address over its limit", peer], now);
        let seen = self.attempts.find_counter(&over_limit).await?;
        if seen.count == 0 {
            if let Some(key) = self.count_in_a_shard(context, peer).await? {
                return Ok(FromAddress::Counted(key));
            }
        } else if pause(&seen, &OVER_LIMIT, now) > 0 {
            return Ok(FromAddress::TooSoon);
        }
        Ok(match self.attempts.count_attempt(&over_limit, &OVER_LIMIT, now).await? {
            Count::Counted => FromAddress::AfterPause,
            Count::Refused(_) => FromAddress::TooSoon,
        })
    }

    /// Counts an attempt in one of the counters of `peer` that have room; `None` where none has. One counter that cannot
    /// be written just now is passed over; with two, it is the table that cannot.
    async fn count_in_a_shard(
        &self,
        context: &mut RequestContext,
        peer: &str,
    ) -> Result<Option<String>, StoreError> {
        let first = context.rng.next_u32() % SHARDS;
        let mut failure = None;
        for shard in (first..SHARDS).chain(0..first) {
            let key = window_key(&["address", peer, &shard.to_string()], context.now);
            match self.attempts.count_attempt(&key, &SHARD_OF_ADDRESS, context.now).await {
                Ok(Count::Counted) => return Ok(Some(key)),
                Ok(Count::Refused(_)) => {}
                Err(error @ StoreError::Unavailable(_)) if failure.is_none() => {
                    failure = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    async fn take_back(&self, attempt: &Attempt) -> Result<(), StoreError> {
        for key in &attempt.counted {
            self.attempts.uncount_attempt(key).await?;
        }
        Ok(())
    }
}

/// How long an attempt has to wait that `allowance` does not let through; 0 where it need not.
fn pause(seen: &Counter, allowance: &Allowance, now: Timestamp) -> Seconds {
    if seen.count >= allowance.below {
        return window_left(now);
    }
    let Some(last) = seen.last_at else { return 0 };
    // The clocks of two processes differ a little: never longer than from the start.
    let left = last.plus(allowance.apart).since(now).as_millis().div_ceil(1000);
    Seconds::try_from(left).unwrap_or(allowance.apart).min(allowance.apart)
}

/// The seconds until the window of `now` is over: 1 … 900.
fn window_left(now: Timestamp) -> Seconds {
    let gone = now.seconds() % u64::from(SIGN_IN_WINDOW);
    SIGN_IN_WINDOW - Seconds::try_from(gone).unwrap_or(0)
}

fn account_key(account: &str) -> String {
    key(&["account", account])
}

fn key(subject: &[&str]) -> String {
    format!("ATTEMPTS#{}", hashed(subject))
}

/// A key under which counting starts anew with each window.
fn window_key(subject: &[&str], now: Timestamp) -> String {
    format!("{}#{}", key(subject), now.seconds() / u64::from(SIGN_IN_WINDOW))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_full_counter_waits_for_the_end_of_the_window_and_another_for_its_pause() {
        let allowance = Allowance { apart: 60, ..in_a_window(10) };
        let seen = |count| Counter { count, last_at: Some(at(9_000)), resets: 0 };
        assert_eq!(pause(&seen(10), &allowance, at(9_001)), 899);
        assert_eq!(pause(&seen(10), &allowance, at(9_899)), 1);
        assert_eq!(pause(&seen(9), &allowance, at(9_001)), 59);
        assert_eq!(pause(&seen(9), &allowance, at(9_060)), 0);
        assert_eq!(pause(&seen(9), &allowance, at(5_000)), 60, "a clock that is behind");
        assert_eq!(pause(&Counter::default(), &allowance, at(0)), 0);
    }

    #[test]
    fn the_shards_of_an_address_together_are_its_limit() {
        assert_eq!(SHARD_OF_ADDRESS.below * SHARDS, PER_ADDRESS);
    }

    #[test]
    fn no_two_subjects_share_a_key() {
        let keys = [
            key(&["account", "ab"]),
            key(&["account", "a", "b"]),
            key(&["accounta", "b"]),
            window_key(&["account", "ab"], at(0)),
            window_key(&["account", "ab"], at(900)),
        ];
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
