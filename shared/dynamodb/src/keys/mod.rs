//! The table of signing keys.

mod items;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client as DynamoDb;
use identety_domain::client::SigningAlg;
use identety_domain::keys::{KeyRing, WrappedKey};
use identety_domain::store::{Change, KeyStore, StoreError, StoredKeys};

use self::items::{KEYS, StoredKey};
use crate::error::failed;
use crate::expression::Condition;
use crate::item::{Item, PK, SK, VERSION, number, text};
use crate::requests::{Table, Written};

/// The keys table: a [`KeyStore`].
#[derive(Clone, Debug)]
pub struct KeyTable {
    table: Table,
}

impl KeyTable {
    /// The table of that name.
    pub fn new(dynamo: DynamoDb, table: impl Into<String>) -> Self {
        Self { table: Table::new(dynamo, table) }
    }

    /// The stored ring of `alg`. A query asks for it, because the functions' roles allow no other read.
    async fn stored_ring(&self, alg: SigningAlg) -> Result<Option<Item>, StoreError> {
        let found = self
            .table
            .dynamo()
            .query()
            .table_name(self.table.name())
            .consistent_read(true)
            .key_condition_expression("#pk = :pk AND #sk = :sk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", text(KEYS))
            .expression_attribute_values(":sk", text(alg.as_str()))
            .send()
            .await
            .map_err(|error| failed(&error))?;
        Ok(found.items.unwrap_or_default().into_iter().next())
    }

    /// Writes `ring` after the ring of version `previous`. Between its reading and its change, the stored
    /// ring is held by its version: no release changes a ring and leaves the version.
    async fn replace_ring(&self, ring: &KeyRing, previous: u64) -> Result<Change, StoreError> {
        let Some(stored) = self.stored_ring(ring.alg).await? else { return Ok(Change::Conflict) };
        match items::to_stored_key(stored.clone())? {
            StoredKey::Ring(before) if before.version == previous => {}
            before => return Ok(settled(&before, ring)),
        }
        let update = items::ring_update(&stored, ring)?;
        let only_if = Condition::default().equal(&[VERSION], number(previous));
        match self.table.update(items::ring_key(ring.alg), &update, &only_if).await? {
            Written::Done(_) => Ok(Change::Done),
            Written::Clash(None) => Ok(Change::Conflict),
            Written::Clash(Some(stored)) => Ok(settled(&items::to_stored_key(stored)?, ring)),
        }
    }
}

/// What it means that `stored` is not what `wanted` was made from. An earlier attempt of this very request
/// may have written `wanted`, and its answer been lost.
fn settled(stored: &StoredKey, wanted: &KeyRing) -> Change {
    match stored {
        StoredKey::Ring(stored) if stored == wanted => Change::Done,
        StoredKey::Ring(_) | StoredKey::Wrapped(_) => Change::Conflict,
    }
}

#[async_trait]
impl KeyStore for KeyTable {
    async fn load(&self) -> Result<StoredKeys, StoreError> {
        let mut keys = StoredKeys::default();
        let mut start = None;
        loop {
            let page = self
                .table
                .dynamo()
                .query()
                .table_name(self.table.name())
                .consistent_read(true)
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_values(":pk", text(KEYS))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| failed(&error))?;
            for item in page.items.unwrap_or_default() {
                match items::to_stored_key(item)? {
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
        match ring.version.checked_sub(1) {
            // Nothing comes before version 0, so nothing can be what it was made from.
            None => Ok(Change::Conflict),
            Some(0) => {
                let model = StoredKey::Ring(ring.clone());
                self.table.put_once(&model, items::from_ring(ring)?, items::to_stored_key).await
            }
            Some(previous) => self.replace_ring(ring, previous).await,
        }
    }

    async fn put_wrapped_key(&self, key: &WrappedKey) -> Result<Change, StoreError> {
        let model = StoredKey::Wrapped(key.clone());
        self.table.put_once(&model, items::from_wrapped_key(key)?, items::to_stored_key).await
    }
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
