//! The clock and the random source of the real world: read here, once for each request, and passed on.

use std::time::{SystemTime, UNIX_EPOCH};

use identety_domain::Timestamp;
use rand::SeedableRng as _;
use rand::rngs::{StdRng, SysRng};

/// The operating system has no randomness: nothing can be done safely.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the operating system gives no randomness")]
pub struct NoRandomness;

/// The time, now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

/// A random source, seeded by the operating system.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn rng() -> Result<StdRng, NoRandomness> {
    StdRng::try_from_rng(&mut SysRng).map_err(|_| NoRandomness)
}
