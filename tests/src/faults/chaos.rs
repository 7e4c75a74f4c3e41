//! Faults by chance: of a seed, always the same ones.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::{Fault, Request};

/// What chance does to requests.
pub struct Chaos {
    rng: StdRng,
    /// Of a thousand requests, how many meet with a fault.
    per_mille: u32,
}

impl Chaos {
    /// Of a thousand requests, `per_mille` meet with a fault; which ones follows from `seed`.
    pub fn new(seed: u64, per_mille: u32) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), per_mille }
    }

    /// What becomes of a request. Only what may happen to a service that is ill and whole again later: what
    /// is stored stays readable.
    pub(super) fn strike(&mut self, request: &Request) -> Option<Fault> {
        if self.rng.random_range(0..1000) >= self.per_mille {
            return None;
        }
        let conflict: &[&str] = match self.rng.random_range(0..3) {
            0 => &["TransactionConflict", "None"],
            1 => &["None", "ThrottlingError"],
            _ => &["ProvisionedThroughputExceeded", "TransactionConflict"],
        };
        Some(match self.rng.random_range(0..10) {
            0 if request.operation == "TransactWriteItems" => Fault::Canceled(conflict),
            0 | 1 => Fault::Throttled,
            2 => Fault::Refused("ThrottlingException"),
            3 => Fault::Refused("RequestLimitExceeded"),
            4 => Fault::ServerError,
            5 => Fault::ServiceUnavailable,
            6 => Fault::CutBefore,
            7 | 8 => Fault::CutAfter,
            _ if self.rng.random() => Fault::Slow,
            _ => Fault::SlowAfter,
        })
    }

    /// How long a request is on its way: so that those of several callers mingle.
    pub(super) fn pause(&mut self) -> Duration {
        Duration::from_micros(self.rng.random_range(0..3000))
    }
}
