//! Points in time and spans, as the protocols count them.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A span in whole seconds, the unit of every lifetime on the wire.
pub type Seconds = u32;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
///
/// Tokens carry whole seconds (`NumericDate`, RFC 7519 §2), so [`Timestamp::seconds`] rounds down.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The moment `seconds` seconds after the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// This moment, `seconds` later.
    #[must_use]
    pub const fn plus(self, seconds: Seconds) -> Self {
        Self(self.0.saturating_add(seconds as u64 * 1000))
    }

    /// The time that has passed since `earlier`; zero when the clock stepped back.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with milliseconds, in UTC: `2031-05-09T12:00:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 9999-12-31: the last moment that RFC 3339 can write.
        let millis = self.0.min(253_402_300_799_999);
        humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(millis)).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_written_as_rfc_3339() {
        let at = Timestamp::from_millis(1_936_008_000_123);
        assert_eq!(at.to_string(), "2031-05-08T12:00:00.123Z");
        assert_eq!(at.seconds(), 1_936_008_000);
    }

    #[test]
    fn a_clock_that_steps_back_gives_no_negative_span() {
        let later = Timestamp::from_seconds(100);
        assert_eq!(Timestamp::from_seconds(90).since(later), Duration::ZERO);
    }

    #[test]
    fn the_end_of_time_is_still_written() {
        assert_eq!(
            Timestamp::from_millis(u64::MAX).plus(5).to_string(),
            "9999-12-31T23:59:59.999Z"
        );
    }
}
