//! Lists of what is in an index that holds keys alone: of clients, and of users.

use std::collections::HashMap;
use std::marker::PhantomData;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::Select;
use identety_domain::store::{From, Order, StoreError};
use uuid::Uuid;

use crate::batch::BATCH;
use crate::error::{corrupt, failed};
use crate::item::{ID, Item, LISTING, PK, SK, attribute, text};
use crate::requests::Table;

/// What is listed.
pub(crate) trait Listed: Sized {
    /// The partition of the index that holds the keys of all of them.
    const PARTITION: &'static str;

    /// Reads one.
    fn from_item(item: Item) -> Result<Self, StoreError>;

    /// By which they are sorted: UUIDs v7 sort by time.
    fn id(&self) -> Uuid;
}

/// The list of all `T` in a table.
pub(crate) struct Listing<'a, T> {
    table: &'a Table,
    listed: PhantomData<T>,
}

/// A piece of a list, and the id after which the next piece begins; `None` at the end.
pub(crate) struct Piece<T> {
    pub(crate) nodes: Vec<T>,
    pub(crate) next: Option<Uuid>,
}

/// One of them in the index, and its key in the table.
struct Entry {
    id: Uuid,
    key: Item,
}

impl<'a, T: Listed> Listing<'a, T> {
    /// The list in that table.
    pub(crate) fn new(table: &'a Table) -> Self {
        Self { table, listed: PhantomData }
    }

    /// At most `limit` of them.
    pub(crate) async fn piece(
        &self,
        order: Order,
        from: From,
        limit: u32,
    ) -> Result<Piece<T>, StoreError> {
        let limit = limit as usize;
        let mut entries = if limit == 0 {
            Vec::new()
        } else {
            // One more than asked for tells whether there is more.
            self.entries(order, from, limit + 1).await?
        };
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| more).map(|last| last.id);
        let mut nodes = Vec::with_capacity(entries.len());
        for batch in entries.chunks(BATCH) {
            self.fetch(batch, &mut nodes).await?;
        }
        Ok(Piece { nodes, next })
    }

    /// How many there are.
    pub(crate) async fn count(&self) -> Result<u64, StoreError> {
        let mut count = 0;
        let mut start = None;
        loop {
            let query = self.query(Order::default(), None).select(Select::Count);
            let page = query
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| failed(&error))?;
            count += u64::from(page.count.unsigned_abs());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(count);
            }
        }
    }

    /// The index, in `order`, behind the one with the id `after`.
    fn query(&self, order: Order, after: Option<Uuid>) -> QueryFluentBuilder {
        let query = self
            .table
            .dynamo()
            .query()
            .table_name(self.table.name())
            .index_name(LISTING)
            .expression_attribute_names("#listing", LISTING)
            .expression_attribute_values(":listing", text(T::PARTITION))
            .scan_index_forward(order == Order::OldestFirst);
        let Some(after) = after else {
            return query.key_condition_expression("#listing = :listing");
        };
        query
            .key_condition_expression(match order {
                Order::NewestFirst => "#listing = :listing AND #id < :after",
                Order::OldestFirst => "#listing = :listing AND #id > :after",
            })
            .expression_attribute_names("#id", ID)
            .expression_attribute_values(":after", text(after))
    }

    /// At most `wanted` entries of the index.
    async fn entries(
        &self,
        order: Order,
        from: From,
        wanted: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let (after, mut start) = match from {
            From::After(id) => (Some(id), None),
            From::Offset(0) => (None, None),
            From::Offset(count) => match self.skip(order, count).await? {
                None => return Ok(Vec::new()),
                start => (None, start),
            },
        };
        let mut entries = Vec::new();
        loop {
            let page = self
                .query(order, after)
                .limit(page_size(wanted - entries.len()))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| failed(&error))?;
            for item in page.items.unwrap_or_default() {
                entries.push(entry(item)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() || entries.len() >= wanted {
                return Ok(entries);
            }
        }
    }

    /// The key behind which the list goes on after `count` of them; `None` where it has ended.
    async fn skip(&self, order: Order, count: u32) -> Result<Option<Item>, StoreError> {
        let mut left = count;
        let mut start = None;
        loop {
            let page = self
                .query(order, None)
                .select(Select::Count)
                .limit(i32::try_from(left).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| failed(&error))?;
            left = left.saturating_sub(page.count.unsigned_abs());
            start = page.last_evaluated_key;
            if start.is_none() || left == 0 {
                return Ok(start);
            }
        }
    }

    /// Adds what `entries` lead to, of which there are at most [`BATCH`], in the same order.
    async fn fetch(&self, entries: &[Entry], nodes: &mut Vec<T>) -> Result<(), StoreError> {
        let keys = entries.iter().map(|entry| entry.key.clone()).collect();
        let mut found = HashMap::new();
        for item in self.table.get_batch(keys).await? {
            let node = T::from_item(item)?;
            found.insert(node.id(), node);
        }
        // By id: another client may have taken a clientId since, with its own place in the list.
        nodes.extend(entries.iter().filter_map(|entry| found.remove(&entry.id)));
        Ok(())
    }
}

fn entry(mut item: Item) -> Result<Entry, StoreError> {
    let pk = attribute(&item, PK)?;
    let id = attribute(&item, ID)?.parse().map_err(|error| corrupt(pk, error))?;
    item.retain(|name, _| name == PK || name == SK);
    Ok(Entry { id, key: item })
}

fn page_size(entries: usize) -> i32 {
    i32::try_from(entries).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use identety_domain::store::ClientStore as _;

    use super::*;
    use crate::ClientTable;
    use crate::batch::BATCH_PAUSES;
    use crate::testing::{Answer, answering};

    /// A table that gives `answers`, one after the other and the last one for ever, and the number of
    /// its requests.
    fn table(answers: &'static [&'static str]) -> (ClientTable, impl Fn() -> usize) {
        let answer = |request: usize| Answer::Json(200, answers[request.min(answers.len() - 1)]);
        let (dynamo, requests) = answering(answer, |config| config);
        (ClientTable::new(dynamo, "clients"), requests)
    }

    const ONE_AND_MORE: &str = r#"{"Count": 1,
        "Items": [{"pk": {"S": "CLIENT#a"}, "id": {"S": "00000000-0000-7000-8000-000000000001"}}],
        "LastEvaluatedKey": {"pk": {"S": "CLIENT#a"}}}"#;
    const NONE_AND_MORE: &str =
        r#"{"Count": 0, "Items": [], "LastEvaluatedKey": {"pk": {"S": "CLIENT#a"}}}"#;
    const ONE_AND_NO_MORE: &str = r#"{"Count": 1,
        "Items": [{"pk": {"S": "CLIENT#b"}, "id": {"S": "00000000-0000-7000-8000-000000000002"}}]}"#;
    const UNPROCESSED: &str = r#"{"Responses": {}, "UnprocessedKeys":
        {"clients": {"Keys": [{"pk": {"S": "CLIENT#a"}}], "ConsistentRead": true}}}"#;
    const ALL_GONE: &str = r#"{"Responses": {"clients": []}, "UnprocessedKeys": {}}"#;

    #[tokio::test]
    async fn a_count_adds_up_all_pieces_of_the_index() {
        let (clients, requests) = table(&[ONE_AND_MORE, NONE_AND_MORE, ONE_AND_NO_MORE]);
        assert_eq!(clients.count().await.unwrap(), 2);
        assert_eq!(requests(), 3);
    }

    #[tokio::test]
    async fn a_list_puts_together_as_many_pieces_of_the_index_as_it_needs() {
        let (clients, requests) = table(&[ONE_AND_MORE, NONE_AND_MORE, ONE_AND_NO_MORE, ALL_GONE]);
        let list = clients.list(Order::OldestFirst, From::Offset(0), 1).await.unwrap();
        assert_eq!(list.next, Some(Uuid::from_u128(0x7000_8000_0000_0000_0001)));
        assert_eq!(requests(), 4);
    }

    #[tokio::test]
    async fn an_offset_is_passed_over_as_many_pieces_as_it_takes() {
        let (clients, requests) =
            table(&[ONE_AND_MORE, NONE_AND_MORE, ONE_AND_MORE, ONE_AND_NO_MORE, ALL_GONE]);
        let list = clients.list(Order::OldestFirst, From::Offset(2), 1).await.unwrap();
        assert_eq!(list.next, None);
        assert_eq!(requests(), 5);
    }

    #[tokio::test]
    async fn a_client_deleted_meanwhile_leaves_a_gap() {
        let (clients, _) = table(&[ONE_AND_NO_MORE, ALL_GONE]);
        let list = clients.list(Order::OldestFirst, From::Offset(0), 10).await.unwrap();
        assert_eq!(list.clients, []);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_were_not_processed_are_asked_for_again() {
        let (clients, requests) = table(&[ONE_AND_NO_MORE, UNPROCESSED, UNPROCESSED, ALL_GONE]);
        clients.list(Order::OldestFirst, From::Offset(0), 10).await.unwrap();
        assert_eq!(requests(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_stay_unprocessed_are_given_up() {
        let (clients, requests) = table(&[ONE_AND_NO_MORE, UNPROCESSED]);
        let error = clients.list(Order::OldestFirst, From::Offset(0), 10).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        assert_eq!(requests(), 1 + BATCH_PAUSES.len());
    }
}
