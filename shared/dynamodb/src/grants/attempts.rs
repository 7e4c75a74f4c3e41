//! Counters of attempts. They are counters like those of failures, without a schema: a number, and
//! where there is one, the time until which nobody may try.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use identety_domain::Timestamp;
use identety_domain::store::{AttemptStore, Attempts, StoreError};

use super::{COUNT, GrantTable};
use crate::error::corrupt;
use crate::expression::Update;
use crate::item::{Item, TTL, number, time_to_live};
use crate::requests::Written;

/// Until when nobody may try.
const BLOCKED_UNTIL: &str = "blockedUntil";

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
        let mut update = Update::default();
        match limit {
            // Of no attempts, even the first is one too many.
            0 => update.require_below(&[COUNT], number(0)),
            _ => update.require_absent_or_below(&[COUNT], number(limit.into())),
        }
        update.add(&[COUNT], number(1));
        update.set(&[TTL], time_to_live(forget_at));
        match self.update(key.to_owned(), &update).await? {
            Written::Done => Ok(None),
            Written::Clash(Some(full)) => to_attempts(key, &full).map(Some),
            Written::Clash(None) => Ok(Some(Attempts { count: 0, blocked_until: None })),
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
        let mut update = Update::default();
        update.require_equal(&[COUNT], number(count));
        match seen.blocked_until {
            Some(until) => update.require_equal(&[BLOCKED_UNTIL], number(until.millis())),
            None => update.require_absent(&[BLOCKED_UNTIL]),
        }
        update.set(&[COUNT], number(count.saturating_add(1)));
        update.set(&[BLOCKED_UNTIL], number(blocked_until.millis()));
        update.set(&[TTL], time_to_live(forget_at));
        match self.update(key.to_owned(), &update).await? {
            Written::Done => Ok(true),
            Written::Clash(_) => Ok(false),
        }
    }

    /// A repeated request takes two attempts back when the first answer was lost, which only the
    /// network can bring about.
    async fn uncount_attempt(&self, key: &str) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.require_above(&[COUNT], number(0));
        update.add(&[COUNT], AttributeValue::N("-1".to_owned()));
        match self.update(key.to_owned(), &update).await? {
            // A condition that fails means that there is nothing to take back.
            Written::Done | Written::Clash(_) => Ok(()),
        }
    }
}

fn to_attempts(key: &str, counter: &Item) -> Result<Attempts, StoreError> {
    let count = counter.get(COUNT).and_then(|count| count.as_n().ok());
    let count = count.and_then(|count| count.parse().ok());
    let blocked_until = match counter.get(BLOCKED_UNTIL).map(AttributeValue::as_n) {
        None => None,
        Some(until) => {
            let millis = until.ok().and_then(|until| until.parse().ok());
            let millis = millis.ok_or_else(|| corrupt(key, "blocked until no time"))?;
            Some(Timestamp::from_millis(millis))
        }
    };
    Ok(Attempts { count: count.ok_or_else(|| corrupt(key, "no count"))?, blocked_until })
}
