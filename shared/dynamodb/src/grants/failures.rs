//! Counters of failures.

use async_trait::async_trait;
use identety_domain::Timestamp;
use identety_domain::store::{FailureStore, StoreError};

use super::GrantTable;
use crate::error::corrupt;
use crate::expression::Update;
use crate::item::{self, TTL, number, time_to_live};
use crate::layout;
use crate::requests::Written;

/// The count of failures or attempts.
pub(super) const COUNT: &str = "n";

/// Counts one more, in the one write that makes the counter where there is none.
fn count_one(forget_at: Timestamp) -> Update {
    let mut update = Update::default();
    update.add(&[COUNT], number(1));
    update.set(&[TTL], time_to_live(forget_at));
    layout::stamp(&mut update);
    update
}

#[async_trait]
impl FailureStore for GrantTable {
    /// A repeated request counts twice when the first answer was lost: a counter of failures may err
    /// that way.
    async fn count_failure(&self, key: &str, forget_at: Timestamp) -> Result<u32, StoreError> {
        let (update, only_if) = (count_one(forget_at), layout::is_new_or_known());
        match self.table.update_and_see(item::key(key), &update, &only_if).await? {
            // What comes back is what changed, so it may lack the layout. The condition has judged that.
            Written::Done(written) => {
                let count = written.get(COUNT).and_then(|count| count.as_n().ok());
                let count = count.and_then(|count| count.parse().ok());
                count.ok_or_else(|| corrupt(key, "no count"))
            }
            Written::Clash(_) => Err(corrupt(key, "another layout than this release knows")),
        }
    }
}
