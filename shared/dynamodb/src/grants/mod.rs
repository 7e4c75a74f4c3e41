//! The table of what does not last: grants, sessions, authorization requests, and counters.

mod attempts;
mod failures;
mod grant;
mod items;
mod links;
mod owned;
mod session;
#[cfg(feature = "embedded")]
#[cfg(test)]
mod times_to_live;
mod transaction;

use aws_sdk_dynamodb::Client as DynamoDb;
use identety_domain::store::StoreError;
use identety_domain::{Seconds, Timestamp};

use crate::item::{Item, TTL, time_to_live};
use crate::requests::{New, Table};

/// The grants table: a [`GrantStore`](identety_domain::store::GrantStore), a
/// [`SessionStore`](identety_domain::store::SessionStore), a
/// [`TransactionStore`](identety_domain::store::TransactionStore), an
/// [`AttemptStore`](identety_domain::store::AttemptStore), a
/// [`BrowserLinkStore`](identety_domain::store::BrowserLinkStore) and a
/// [`FailureStore`](identety_domain::store::FailureStore).
#[derive(Clone, Debug)]
pub struct GrantTable {
    table: Table,
}

/// How long an item is kept after it has become meaningless, for an operator who looks into a case.
const KEPT: Seconds = 86_400;

impl GrantTable {
    /// The table of that name.
    pub fn new(dynamo: DynamoDb, table: impl Into<String>) -> Self {
        Self { table: Table::new(dynamo, table) }
    }

    /// Writes an item that may be forgotten from `forget_at` on, if none with its key is there.
    async fn put_new(&self, mut item: Item, forget_at: Timestamp) -> Result<New, StoreError> {
        item.insert(TTL.to_owned(), time_to_live(forget_at));
        self.table.put_new(item).await
    }
}

/// What it means that an item whose key is random is there already: an earlier attempt of this very
/// request wrote it, and its answer was lost.
fn is_own<T: PartialEq>(stored: &T, wanted: &T) -> Result<(), StoreError> {
    if stored == wanted {
        return Ok(());
    }
    Err(StoreError::Other("the key of a new item is taken".into()))
}
