//! What a user owns in this table: sessions and grants, by the index over users. It is for lists alone.

use std::collections::HashMap;

use identety_domain::store::StoreError;
use uuid::Uuid;

use super::GrantTable;
use crate::batch::BATCH;
use crate::error::failed;
use crate::item::{Item, PK, USER, attribute, text};

impl GrantTable {
    /// At most `limit` items of `user` whose key begins with `kind`, in the order of their keys, behind the one with the
    /// key `after`. The index lags behind the table: an item that was made just now may be missing.
    pub(super) async fn owned(
        &self,
        user: Uuid,
        kind: &str,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let mut keys = self.owned_keys(user, kind, after, limit).await?;
        let mut owned = Vec::with_capacity(keys.len());
        while !keys.is_empty() {
            let rest = keys.split_off(keys.len().min(BATCH));
            let mut found = HashMap::new();
            for item in self.table.get_batch(keys.clone()).await? {
                found.insert(attribute(&item, PK)?.to_owned(), item);
            }
            for key in keys {
                owned.extend(found.remove(attribute(&key, PK)?));
            }
            keys = rest;
        }
        Ok(owned)
    }

    async fn owned_keys(
        &self,
        user: Uuid,
        kind: &str,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let mut start = after.map(|pk| {
            Item::from([(PK.to_owned(), text(pk)), (USER.to_owned(), text(user.to_string()))])
        });
        let mut keys = Vec::new();
        while keys.len() < limit {
            let page = self
                .table
                .dynamo()
                .query()
                .table_name(self.table.name())
                .index_name(USER)
                .key_condition_expression("#user = :user AND begins_with(#pk, :kind)")
                .expression_attribute_names("#user", USER)
                .expression_attribute_names("#pk", PK)
                .expression_attribute_values(":user", text(user.to_string()))
                .expression_attribute_values(":kind", text(kind))
                .limit(i32::try_from(limit - keys.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| failed(&error))?;
            for mut item in page.items.unwrap_or_default() {
                item.retain(|name, _| name == PK);
                keys.push(item);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(keys)
    }
}
