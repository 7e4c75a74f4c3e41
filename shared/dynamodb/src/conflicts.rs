//! Writes that meet others at the same item: they are tried again here, for a caller could do nothing else. DynamoDB
//! refuses the later of two that overlap, and the SDK does not repeat those.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::CancellationReason;
use tokio::time::sleep;

use crate::error::is_transient_code;

/// The longest pause before the second try; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// How often a write is tried: with all pauses at their longest, that takes a second and a half.
const TRIES: u32 = 8;

/// The tries of one write.
#[derive(Debug, Default)]
pub(crate) struct Tries(u32);

impl Tries {
    /// Waits for a while, of which chance decides a half, so that those who have met do not meet again. Whether there is
    /// another try.
    pub(crate) async fn another(&mut self) -> bool {
        self.0 += 1;
        if self.0 >= TRIES {
            return false;
        }
        let longest = FIRST_PAUSE.saturating_mul(1 << (self.0 - 1)).min(LONGEST_PAUSE);
        let chance = u32::try_from(RandomState::new().hash_one(self.0) % 1000).unwrap_or(0);
        sleep(longest / 2 + longest * chance / 2000).await;
        true
    }
}

/// Whether a write was refused because it met another one. It is not applied.
pub(crate) fn met_another<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    matches!(code, Some("TransactionConflictException" | "ReplicatedWriteConflictException"))
}

/// Whether a canceled transaction may succeed when it is tried again.
pub(crate) fn is_worth_another(reasons: &[CancellationReason]) -> bool {
    reasons.iter().any(|reason| reason.code().is_some_and(is_transient_code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_write_is_tried_eight_times_within_a_second_and_a_half() {
        let began = tokio::time::Instant::now();
        let mut tries = Tries::default();
        let mut made = 1;
        while tries.another().await {
            made += 1;
        }
        assert_eq!(made, 8);
        let taken = began.elapsed();
        assert!(taken >= Duration::from_millis(787) && taken < Duration::from_millis(1600));
    }
}
