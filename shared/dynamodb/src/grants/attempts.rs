//! Counters of attempts to sign in.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use identety_domain::store::{Allowance, AttemptStore, Count, Counter, StoreError};
use identety_domain::{Seconds, Timestamp};
use serde::Deserialize;

use super::GrantTable;
use super::failures::COUNT;
use crate::error::corrupt;
use crate::expression::{Condition, Update};
use crate::item::{self, Item, TTL, number, present, time_to_live};
use crate::layout;
use crate::requests::Written;

/// When the last attempt was made.
const LAST_AT: &str = "lastAt";
/// How often the counter was started anew.
const RESETS: &str = "resets";

/// How often a counter is looked at that others change at the same moment.
const LOOKS: usize = 3;

/// A counter. Its time to live is none of its meaning.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CounterItem {
    #[serde(rename = "n", default)]
    count: u32,
    #[serde(default, deserialize_with = "present")]
    last_at: Option<Timestamp>,
    #[serde(default)]
    resets: u32,
}

fn to_counter(item: Item) -> Result<Counter, StoreError> {
    let CounterItem { count, last_at, resets } = item::read(item)?;
    Ok(Counter { count, last_at, resets })
}

/// An attempt at `now`, and how long it is remembered.
fn attempted(now: Timestamp, kept: Seconds) -> Update {
    let mut update = Update::default();
    update.set(&[LAST_AT], number(now.millis()));
    update.set(&[TTL], time_to_live(now.plus(kept)));
    layout::stamp(&mut update);
    update
}

/// Only if a counter is as it was `seen`.
fn is_as_seen(seen: &Counter) -> Condition {
    let condition = Condition::default().equal(&[COUNT], number(seen.count.into()));
    match seen.last_at {
        Some(last) => condition.equal(&[LAST_AT], number(last.millis())),
        None => condition.absent(&[LAST_AT]),
    }
}

/// Only if `allowance` lets an attempt at `now` through.
fn is_allowed(allowance: &Allowance, now: Timestamp) -> Condition {
    let below = Condition::default().below(&[COUNT], number(allowance.below.into()));
    let has_room = match allowance.below {
        // Where no attempt is allowed, even the first is one too many.
        0 => below,
        _ => Condition::default().absent(&[COUNT]).or(below),
    };
    if allowance.apart == 0 {
        return has_room;
    }
    let latest = now.millis().saturating_sub(u64::from(allowance.apart) * 1000);
    let rested = Condition::default().at_most(&[LAST_AT], number(latest));
    has_room.and(Condition::default().absent(&[LAST_AT]).or(rested))
}

/// A request that is repeated because its answer was lost may be applied twice, or find that it is too
/// late: where it counts, that errs towards fewer attempts.
#[async_trait]
impl AttemptStore for GrantTable {
    async fn find_counter(&self, key: &str) -> Result<Counter, StoreError> {
        let found = self.table.get(item::key(key)).await?;
        found.map_or(Ok(Counter::default()), to_counter)
    }

    async fn count_attempt(
        &self,
        key: &str,
        allowance: &Allowance,
        now: Timestamp,
    ) -> Result<Count, StoreError> {
        let mut update = attempted(now, allowance.kept);
        update.add(&[COUNT], number(1));
        let only_if = layout::is_new_or_known().and(is_allowed(allowance, now));
        let mut seen = Counter::default();
        for _ in 0..LOOKS {
            match self.table.update(item::key(key), &update, &only_if).await? {
                Written::Done(_) => return Ok(Count::Counted),
                Written::Clash(None) => return Ok(Count::Refused(Counter::default())),
                Written::Clash(Some(full)) => seen = to_counter(full)?,
            }
            if allowance.below == 0 || seen.at(now, allowance.kept) == seen.count {
                return Ok(Count::Refused(seen));
            }
            // What it counts is forgotten by now, so this attempt is the first.
            let mut anew = attempted(now, allowance.kept);
            anew.set(&[COUNT], number(1));
            if let Written::Done(_) =
                self.table.update(item::key(key), &anew, &is_as_seen(&seen)).await?
            {
                return Ok(Count::Counted);
            }
        }
        Ok(Count::Refused(seen))
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

    async fn clear_attempts(&self, key: &str) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.set(&[COUNT], number(0));
        let only_if = Condition::default().above(&[COUNT], number(0));
        match self.table.update(item::key(key), &update, &only_if).await? {
            Written::Done(_) | Written::Clash(_) => Ok(()),
        }
    }

    /// A repeated request raises the number of resets twice, which says the same.
    async fn reset_attempts(
        &self,
        key: &str,
        kept: Seconds,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update = attempted(now, kept);
        update.set(&[COUNT], number(0));
        update.add(&[RESETS], number(1));
        match self.table.update(item::key(key), &update, &layout::is_new_or_known()).await? {
            Written::Done(_) => Ok(()),
            Written::Clash(_) => Err(corrupt(key, "another layout than this release knows")),
        }
    }
}
