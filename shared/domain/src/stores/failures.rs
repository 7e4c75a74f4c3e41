//! Counters of failures.

use async_trait::async_trait;

use super::StoreError;
use crate::values::Timestamp;

/// Counters of failed attempts.
#[async_trait]
pub trait FailureStore: Send + Sync {
    /// Counts one more failure under `key` and tells how many there are now. The counter starts anew
    /// under another key and is forgotten some time after `forget_at`.
    async fn count_failure(&self, key: &str, forget_at: Timestamp) -> Result<u32, StoreError>;
}
