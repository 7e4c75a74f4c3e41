//! Consents: one item for each user and client, to which scopes, resources and claims are added.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use identety_domain::Timestamp;
use identety_domain::grant::{Allowed, Consent, Generation};
use identety_domain::store::{ConsentStore, StoreError};
use uuid::Uuid;

use super::items::consent::{
    CLAIMS, CONSENTED_AT, GENERATION, RESOURCE_SCOPE, SCOPE, WITHDRAWN_AT,
};
use super::{AccountTable, items};
use crate::error::{corrupt, failed};
use crate::expression::Update;
use crate::item::{Item, PK, SK, number, text};
use crate::layout;
use crate::requests::Written;

impl AccountTable {
    /// Changes or makes a consent. The attributes that are written come back.
    async fn change_consent(
        &self,
        user: Uuid,
        client: Uuid,
        mut update: Update,
    ) -> Result<Item, StoreError> {
        layout::stamp(&mut update);
        let (key, only_if) = (items::consent_key(user, client), layout::is_new_or_known());
        match self.table.update_and_see(key, &update, &only_if).await? {
            Written::Done(written) => Ok(written),
            Written::Clash(_) => {
                let why = "another layout than this release knows";
                Err(corrupt(&format!("{} {client}", items::consents_pk(user)), why))
            }
        }
    }

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
    async fn consented(&self, user: Uuid, client: Uuid) -> Result<Option<Consent>, StoreError> {
        let found = self.table.get(items::consent_key(user, client)).await?;
        found.map(items::to_consent).transpose()
    }

    /// Adds to sets, so a repeated request changes nothing more.
    async fn consent(
        &self,
        user: Uuid,
        client: Uuid,
        allowed: &Allowed<'_>,
        at: Timestamp,
    ) -> Result<Generation, StoreError> {
        let mut update = Update::default();
        update.set(&[CONSENTED_AT], number(at.millis()));
        update.set_if_absent(&[GENERATION], number(allowed.generation.number()));
        for (name, texts) in items::additions(allowed) {
            update.add(&[name], AttributeValue::Ss(texts));
        }
        let written = self.change_consent(user, client, update).await?;
        match items::generation(&written) {
            Some(generation) => Ok(generation),
            // Not every DynamoDB shows what an update has left as it was.
            None => Ok(self.consented(user, client).await?.unwrap_or_default().generation),
        }
    }

    async fn withdraw_consent(
        &self,
        user: Uuid,
        client: Uuid,
        generation: Generation,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.set(&[WITHDRAWN_AT], number(at.millis()));
        update.set(&[GENERATION], number(generation.number()));
        update.remove(&[SCOPE]);
        update.remove(&[RESOURCE_SCOPE]);
        update.remove(&[CLAIMS]);
        self.change_consent(user, client, update).await.map(drop)
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
