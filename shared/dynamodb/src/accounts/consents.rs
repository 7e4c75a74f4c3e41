//! Consents: one item for each user and client, to which scopes are added.

use async_trait::async_trait;
use identety_domain::store::{ConsentStore, StoreError};
use identety_domain::{Scope, Timestamp};
use uuid::Uuid;

use super::item::consent::{CONSENTED_AT, SCOPE};
use super::{AccountTable, item};
use crate::error::failed;
use crate::item::{CURRENT_SCHEMA, Item, PK, SCHEMA, SK, number, text};
use crate::requests;

impl AccountTable {
    /// The keys of some of a user's consents.
    async fn some_consents(&self, user: Uuid) -> Result<Vec<Item>, StoreError> {
        let page = self
            .dynamo
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk")
            .projection_expression("#pk, #sk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", text(item::consents_pk(user)))
            .send()
            .await
            .map_err(|error| failed(&error))?;
        Ok(page.items.unwrap_or_default())
    }
}

#[async_trait]
impl ConsentStore for AccountTable {
    async fn consented(&self, user: Uuid, client: Uuid) -> Result<Option<Scope>, StoreError> {
        let key = item::consent_key(user, client);
        let found = requests::get(&self.dynamo, &self.table, key).await?;
        found.map(item::to_scope).transpose()
    }

    /// Adds to a set, so a repeated request changes nothing more.
    async fn consent(
        &self,
        user: Uuid,
        client: Uuid,
        scope: &Scope,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update = self
            .dynamo
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::consent_key(user, client)))
            .expression_attribute_names("#schema", SCHEMA)
            .expression_attribute_names("#at", CONSENTED_AT)
            .expression_attribute_values(":schema", number(CURRENT_SCHEMA.into()))
            .expression_attribute_values(":at", number(at.millis()));
        let set = "SET #schema = :schema, #at = :at";
        update = match item::scope_set(scope) {
            None => update.update_expression(set),
            Some(tokens) => update
                .update_expression(format!("{set} ADD #scope :scope"))
                .expression_attribute_names("#scope", SCOPE)
                .expression_attribute_values(":scope", tokens),
        };
        update.send().await.map(|_| ()).map_err(|error| failed(&error))
    }

    async fn forget_consents(&self, user: Uuid) -> Result<(), StoreError> {
        loop {
            let keys = self.some_consents(user).await?;
            if keys.is_empty() {
                return Ok(());
            }
            for key in keys {
                let delete = self.dynamo.delete_item().table_name(&self.table);
                let deleted = delete.set_key(Some(key)).send().await;
                deleted.map_err(|error| failed(&error))?;
            }
        }
    }
}
