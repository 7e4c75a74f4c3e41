//! Consents: one item for each user and client, to which scopes are added.

use async_trait::async_trait;
use identety_domain::grant::Consented;
use identety_domain::store::{ConsentStore, StoreError};
use identety_domain::{ScopeToken, Timestamp};
use uuid::Uuid;

use super::items::consent::{CLAIMS, CONSENTED_AT, SCOPE};
use super::{AccountTable, items};
use crate::error::{corrupt, failed};
use crate::expression::Update;
use crate::item::{Item, PK, SK, number, text};
use crate::layout;
use crate::requests::Written;

impl AccountTable {
    /// The keys of some of a user's consents.
    async fn some_consents(&self, user: Uuid) -> Result<Vec<Item>, StoreError> {
        let page = self
            .table
            .dynamo()
            .query()
            .table_name(self.table.name())
            .consistent_read(true)
            .key_condition_expression("#pk = :pk")
            .projection_expression("#pk, #sk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", text(items::consents_pk(user)))
            .send()
            .await
            .map_err(|error| failed(&error))?;
        Ok(page.items.unwrap_or_default())
    }
}

#[async_trait]
impl ConsentStore for AccountTable {
    async fn consented(&self, user: Uuid, client: Uuid) -> Result<Option<Consented>, StoreError> {
        let found = self.table.get(items::consent_key(user, client)).await?;
        found.map(items::to_consented).transpose()
    }

    /// Adds to sets, so a repeated request changes nothing more.
    async fn consent(
        &self,
        user: Uuid,
        client: Uuid,
        allowed: &Consented,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.set(&[CONSENTED_AT], number(at.millis()));
        let Consented { scope, claims } = allowed;
        if let Some(tokens) = items::set_of(scope.iter().map(ScopeToken::as_str)) {
            update.add(&[SCOPE], tokens);
        }
        if let Some(names) = items::set_of(claims.iter().map(|claim| claim.as_str())) {
            update.add(&[CLAIMS], names);
        }
        layout::stamp(&mut update);
        let only_if = layout::is_new_or_known();
        match self.table.update(items::consent_key(user, client), &update, &only_if).await? {
            Written::Done(_) => Ok(()),
            Written::Clash(_) => {
                let why = "another layout than this release knows";
                Err(corrupt(&format!("{} {client}", items::consents_pk(user)), why))
            }
        }
    }

    async fn forget_consents(&self, user: Uuid) -> Result<(), StoreError> {
        loop {
            let keys = self.some_consents(user).await?;
            if keys.is_empty() {
                return Ok(());
            }
            for key in keys {
                let delete = self.table.dynamo().delete_item().table_name(self.table.name());
                let deleted = delete.set_key(Some(key)).send().await;
                deleted.map_err(|error| failed(&error))?;
            }
        }
    }
}
