//! Counters of attempts to sign in.

use async_trait::async_trait;

use super::StoreError;
use crate::values::{Seconds, Timestamp};

/// A counter of attempts, as it is stored. One that is not there counts nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counter {
    /// How many attempts count.
    pub count: u32,
    /// When the last one was made.
    pub last_at: Option<Timestamp>,
    /// How often an administrator has started the counter anew.
    pub resets: u32,
}

/// What a counter lets through.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Allowance {
    /// An attempt may be made while fewer than this count.
    pub below: u32,
    /// An attempt may be made so many seconds after the last one; 0: at any time.
    pub apart: Seconds,
    /// So many seconds after the last attempt, nothing counts any more.
    pub kept: Seconds,
}

/// What became of an attempt that was to be counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Count {
    /// It counts, and may be made.
    Counted,
    /// It may not be made, and does not count. The counter as it is.
    Refused(Counter),
}

impl Counter {
    /// How many attempts count at `now`.
    #[must_use]
    pub fn at(&self, now: Timestamp, kept: Seconds) -> u32 {
        let is_forgotten = self.last_at.is_some_and(|last| last.plus(kept) <= now);
        if is_forgotten { 0 } else { self.count }
    }
}

/// Counters of attempts, each counted *before* it is made, so that no number of attempts at once gets past a limit.
#[async_trait]
pub trait AttemptStore: Send + Sync {
    /// The counter under `key`: one strongly consistent read.
    async fn find_counter(&self, key: &str) -> Result<Counter, StoreError>;

    /// Counts an attempt at `now` under `key`, in one conditional write, if `allowance` lets it through. The time by
    /// which a counter is forgotten is judged by what it says, never by whether it is still there.
    async fn count_attempt(
        &self,
        key: &str,
        allowance: &Allowance,
        now: Timestamp,
    ) -> Result<Count, StoreError>;

    /// Takes an attempt back, because it succeeded or was not made. The time of the last one stays.
    async fn uncount_attempt(&self, key: &str) -> Result<(), StoreError>;

    /// Takes all attempts back, because one succeeded.
    async fn clear_attempts(&self, key: &str) -> Result<(), StoreError>;

    /// Starts a counter anew, and raises [`Counter::resets`], whether or not there is one. It is kept for `kept`
    /// seconds.
    async fn reset_attempts(
        &self,
        key: &str,
        kept: Seconds,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}
