//! Counters of attempts: counters like those of failures, and where there is one, the time until which
//! an attempt is refused.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use identety_domain::Timestamp;
use identety_domain::store::{AttemptStore, Attempts, StoreError};

use super::GrantTable;
use super::failures::{BLOCKED_UNTIL, COUNT, Counter, count_one, to_counter};
use crate::expression::{Condition, Update};
use crate::item::{self, TTL, number, time_to_live};
use crate::layout;
use crate::requests::Written;

/// A request that is repeated because its answer was lost may be applied twice, or find that it is too
/// late: in both counting verbs that errs towards fewer attempts.
#[async_trait]
impl AttemptStore for GrantTable {
    async fn count_attempt(
        &self,
        key: &str,
        limit: u32,
        forget_at: Timestamp,
    ) -> Result<Option<Attempts>, StoreError> {
        let below = Condition::default().below(&[COUNT], number(limit.into()));
        let has_room = match limit {
            // Where no attempt is allowed, even the first is one too many.
            0 => below,
            _ => Condition::default().absent(&[COUNT]).or(below),
        };
        let only_if = layout::is_new_or_known().and(has_room);
        match self.table.update(item::key(key), &count_one(forget_at), &only_if).await? {
            Written::Done(_) => Ok(None),
            Written::Clash(None) => Ok(Some(Attempts { count: 0, blocked_until: None })),
            Written::Clash(Some(full)) => {
                let Counter { count, blocked_until } = to_counter(full)?;
                Ok(Some(Attempts { count, blocked_until }))
            }
        }
    }

    async fn count_late_attempt(
        &self,
        key: &str,
        seen: &Attempts,
        blocked_until: Timestamp,
        forget_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let count = u64::from(seen.count);
        let as_seen = Condition::default().equal(&[COUNT], number(count));
        let as_seen = match seen.blocked_until {
            Some(until) => as_seen.equal(&[BLOCKED_UNTIL], number(until.millis())),
            None => as_seen.absent(&[BLOCKED_UNTIL]),
        };
        let mut update = Update::default();
        update.set(&[COUNT], number(count.saturating_add(1)));
        update.set(&[BLOCKED_UNTIL], number(blocked_until.millis()));
        update.set(&[TTL], time_to_live(forget_at));
        match self.table.update(item::key(key), &update, &as_seen).await? {
            Written::Done(_) => Ok(true),
            Written::Clash(_) => Ok(false),
        }
    }

    /// A repeated request takes two attempts back when the first answer was lost, which only the
    /// network can bring about.
    async fn uncount_attempt(&self, key: &str) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.add(&[COUNT], AttributeValue::N("-1".to_owned()));
        let only_if = Condition::default().above(&[COUNT], number(0));
        match self.table.update(item::key(key), &update, &only_if).await? {
            // A condition that fails means that there is nothing to take back.
            Written::Done(_) | Written::Clash(_) => Ok(()),
        }
    }
}
