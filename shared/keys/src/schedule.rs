//! When a running process reads the keys again.

use std::sync::atomic::{AtomicU64, Ordering};

use identety_domain::{Seconds, Timestamp};

/// How soon a read that failed, or that nobody waited for, is repeated.
const RETRY_AFTER: Seconds = 30;

/// How far a clock may be set back without consequence; where it is more, what was planned by the old clock
/// is not waited for.
const SET_BACK: Seconds = 60;

/// When something is to be read again. Looking costs one atomic load.
pub(crate) struct Schedule {
    every: Seconds,
    /// Milliseconds since the epoch.
    due_at: AtomicU64,
}

impl Schedule {
    /// Every so many seconds, from now on.
    pub(crate) const fn every(seconds: Seconds) -> Self {
        Self { every: seconds, due_at: AtomicU64::new(0) }
    }

    /// Whether it is time.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.judge(self.due_at.load(Ordering::Acquire), now)
    }

    fn judge(&self, due_at: u64, now: Timestamp) -> bool {
        let due_at = Timestamp::from_millis(due_at);
        now >= due_at || due_at > now.plus(self.every + SET_BACK)
    }

    /// Whether it is time, to one caller alone. Until that one has done it, or some time has passed, it is
    /// not time to others.
    pub(crate) fn claim(&self, now: Timestamp) -> bool {
        let due_at = self.due_at.load(Ordering::Acquire);
        let again = now.plus(RETRY_AFTER.min(self.every)).millis();
        self.judge(due_at, now)
            && self
                .due_at
                .compare_exchange(due_at, again, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    /// It has been done.
    pub(crate) fn done(&self, now: Timestamp) {
        self.due_at.store(now.plus(self.every).millis(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(1_900_000_000 + seconds)
    }

    #[test]
    fn it_is_time_at_first_and_then_at_intervals() {
        let schedule = Schedule::every(300);
        assert!(schedule.claim(at(0)));
        schedule.done(at(0));
        assert!(!schedule.claim(at(299)));
        assert!(schedule.claim(at(300)));
    }

    #[test]
    fn it_is_time_to_one_caller_alone_and_again_when_nothing_came_of_it() {
        let schedule = Schedule::every(300);
        assert!(schedule.claim(at(0)));
        assert!(!schedule.claim(at(29)));
        assert!(schedule.claim(at(30)));
        let short = Schedule::every(5);
        assert!(short.claim(at(0)) && !short.claim(at(4)) && short.claim(at(5)));
    }

    #[test]
    fn a_clock_that_is_set_back_puts_nothing_off_for_long() {
        let schedule = Schedule::every(300);
        schedule.done(at(10_000));
        // A little: no reason to hurry.
        assert!(!schedule.is_due(at(9_999)));
        assert!(!schedule.is_due(at(9_940)));
        assert!(schedule.is_due(at(10_300)));
        // Much: the plan of the old clock counts for nothing, and one read makes a new one.
        assert!(schedule.claim(at(5_000)));
        schedule.done(at(5_000));
        assert!(!schedule.is_due(at(5_299)));
        assert!(schedule.is_due(at(5_300)));
    }
}
