//! The table of signing keys.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use identety_domain::keys::{KeyRing, WrappedKey};
use identety_domain::store::{Change, KeyStore, StoreError, StoredKeys};

use crate::error::failed;
use crate::item::{self, Item, KEYS, PK, StoredKey, VERSION, number, text};
use crate::requests::{self, Written};

/// The keys table: a [`KeyStore`].
#[derive(Clone, Debug)]
pub struct KeyTable {
    dynamo: DynamoDb,
    table: String,
}

impl KeyTable {
    /// The table of that name.
    pub fn new(dynamo: DynamoDb, table: impl Into<String>) -> Self {
        Self { dynamo, table: table.into() }
    }

    fn put(&self, item: Item) -> PutItemFluentBuilder {
        self.dynamo.put_item().table_name(&self.table).set_item(Some(item))
    }

    /// Writes `key` if the condition of `put` holds. Where it fails because `key` is there already, an
    /// earlier attempt of this very request wrote it, and its answer was lost.
    async fn put_key(
        &self,
        put: PutItemFluentBuilder,
        key: StoredKey,
    ) -> Result<Change, StoreError> {
        match requests::put(put.return_values_on_condition_check_failure(AllOld)).await? {
            Written::Done => Ok(Change::Done),
            Written::Clash(Some(stored)) if item::to_stored_key(stored.clone())? == key => {
                Ok(Change::Done)
            }
            Written::Clash(_) => Ok(Change::Conflict),
        }
    }
}

#[async_trait]
impl KeyStore for KeyTable {
    async fn load(&self) -> Result<StoredKeys, StoreError> {
        let mut keys = StoredKeys::default();
        let mut start = None;
        loop {
            let page = self
                .dynamo
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_values(":pk", text(KEYS))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| failed(&error))?;
            for item in page.items.unwrap_or_default() {
                match item::to_stored_key(item)? {
                    StoredKey::Ring(ring) if ring.is_sound() => keys.rings.push(ring),
                    StoredKey::Ring(ring) => {
                        let what = format!(
                            "the ring of {} has keys that no rule makes",
                            ring.alg.as_str()
                        );
                        return Err(StoreError::Corrupt(what.into()));
                    }
                    StoredKey::Wrapped(key) => keys.wrapped_key = Some(key),
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(keys);
            }
        }
    }

    async fn put_ring(&self, ring: &KeyRing) -> Result<Change, StoreError> {
        let put = self.put(item::from_ring(ring)?);
        let put = match ring.version.checked_sub(1) {
            // Nothing comes before version 0, so nothing can be what it was made from.
            None => return Ok(Change::Conflict),
            Some(0) => absent(put),
            Some(previous) => put
                .condition_expression("#version = :previous")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":previous", number(previous)),
        };
        self.put_key(put, StoredKey::Ring(ring.clone())).await
    }

    async fn put_wrapped_key(&self, key: &WrappedKey) -> Result<Change, StoreError> {
        let put = absent(self.put(item::from_wrapped_key(key)?));
        self.put_key(put, StoredKey::Wrapped(key.clone())).await
    }
}

/// Only if there is no such item.
fn absent(put: PutItemFluentBuilder) -> PutItemFluentBuilder {
    put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", PK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Answer, answering};

    const SEAL: &str = r#"{"Items": [{"pk": {"S": "KEY"}, "sk": {"S": "SEAL"}, "schema": {"N": "1"},
        "wrapped": {"S": "w"}}], "LastEvaluatedKey": {"pk": {"S": "KEY"}, "sk": {"S": "SEAL"}}}"#;

    /// An answer with one ring, whose keys are in these states.
    fn ring(states: &[&str]) -> &'static str {
        let key = |(number, state): (usize, &&str)| {
            format!(
                r#"{{"M": {{"kid": {{"S": "{number}"}}, "state": {{"S": "{state}"}}, "since": {{"N": "1"}},
                    "public": {{"M": {{"kty": {{"S": "RSA"}}, "n": {{"S": "n"}}, "e": {{"S": "e"}}}}}},
                    "sealed": {{"S": "s"}}}}}}"#
            )
        };
        let keys: Vec<_> = states.iter().enumerate().map(key).collect();
        let ring = format!(
            r#"{{"Items": [{{"pk": {{"S": "KEY"}}, "sk": {{"S": "RS256"}}, "schema": {{"N": "1"}},
                "alg": {{"S": "RS256"}}, "version": {{"N": "1"}}, "keys": {{"L": [{}]}}}}]}}"#,
            keys.join(",")
        );
        ring.leak()
    }

    #[tokio::test]
    async fn keys_that_come_in_pieces_are_all_loaded() {
        let pieces = [SEAL, ring(&["current", "next"])];
        let (dynamo, _) =
            answering(move |request| Answer::Json(200, pieces[request]), |config| config);
        let keys = KeyTable::new(dynamo, "keys").load().await.unwrap();
        assert_eq!(keys.rings.len(), 1);
        assert!(keys.wrapped_key.is_some());
    }

    #[tokio::test]
    async fn a_ring_that_no_rule_makes_is_corrupt() {
        for states in [&["current"][..], &["next", "next"], &["current", "current", "next"]] {
            let answer = ring(states);
            let (dynamo, _) = answering(move |_| Answer::Json(200, answer), |config| config);
            let error = KeyTable::new(dynamo, "keys").load().await.unwrap_err();
            assert!(matches!(error, StoreError::Corrupt(_)), "{states:?}: {error}");
        }
    }
}
