//! The longest lives, on which other spans depend: of keys, of sessions, of items.

use super::Seconds;

/// No access token lives longer, whatever its client is registered with: a day.
pub const LONGEST_ACCESS_TOKEN: Seconds = 86_400;

/// No refresh token lives longer, however often it is used: a year.
pub const LONGEST_REFRESH_TOKEN: Seconds = 31_536_000;
