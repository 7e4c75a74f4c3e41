//! Reads of many items at once.

use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use identety_domain::store::StoreError;

use crate::error::failed;
use crate::item::Item;
use crate::requests::Table;

/// How many items one request can ask for.
pub(crate) const BATCH: usize = 100;
/// The pauses before keys are asked for, the first time and again where DynamoDB did not get to them.
pub(crate) const BATCH_PAUSES: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
];

impl Table {
    /// The items with these keys, of which there are at most [`BATCH`], in any order; one that is not there is left out.
    /// Strongly consistent.
    pub(crate) async fn get_batch(&self, mut keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        for pause in BATCH_PAUSES {
            if keys.is_empty() {
                return Ok(found);
            }
            tokio::time::sleep(pause).await;
            let (items, left) = self.get_some(keys).await?;
            found.extend(items);
            keys = left;
        }
        if keys.is_empty() {
            return Ok(found);
        }
        Err(StoreError::Unavailable("keys of a batch stay unprocessed".into()))
    }

    /// The items with these keys, and the keys that DynamoDB did not get to.
    async fn get_some(&self, keys: Vec<Item>) -> Result<(Vec<Item>, Vec<Item>), StoreError> {
        let request = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()
            .map_err(|error| StoreError::Other(error.into()))?;
        let got = self
            .dynamo()
            .batch_get_item()
            .request_items(self.name(), request)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        // There is one table, so its name need not be looked up (an ARN could stand for it).
        let items = got.responses.into_iter().flatten().flat_map(|(_, items)| items).collect();
        let left = got.unprocessed_keys.into_iter().flatten().flat_map(|(_, left)| left.keys);
        Ok((items, left.collect()))
    }
}
