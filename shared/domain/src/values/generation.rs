//! Generations: what ends everything of before in one write.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

/// A random 64-bit number. What was given under one generation counts as long as the stored one is the same. They are
/// compared for equality only, so a new one need not be greater, and no clock has a part in it.
///
/// The default, 0, is that of items which were made before there were generations.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(u64);

impl Generation {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(rng.next_u64())
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl From<u64> for Generation {
    fn from(number: u64) -> Self {
        Self(number)
    }
}
