//! One-time links that make browsers known.

use async_trait::async_trait;
use identety_domain::Timestamp;
use identety_domain::session::{BrowserLink, BrowserLinkKey, DeviceKey};
use identety_domain::store::{BrowserLinkStore, Change, StoreError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{GrantTable, KEPT, is_own};
use crate::expression::{Condition, Update};
use crate::item::{self, Item, PK, number, present, text};
use crate::layout;
use crate::requests::{New, Written};

const EXPIRES_AT: &str = "expiresAt";
const USED_BY: &str = "usedBy";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LinkItem {
    pk: String,
    schema: u32,
    user: Uuid,
    expires_at: Timestamp,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    used_by: Option<DeviceKey>,
}

fn pk(key: &BrowserLinkKey) -> String {
    format!("LINK#{key}")
}

fn from_link(link: &BrowserLink) -> Result<Item, StoreError> {
    let BrowserLink { key, user, expires_at, used_by } = link;
    item::write(&LinkItem {
        pk: pk(key),
        schema: layout::WRITTEN,
        user: *user,
        expires_at: *expires_at,
        used_by: used_by.clone(),
    })
}

fn to_link(key: &BrowserLinkKey, item: Item) -> Result<BrowserLink, StoreError> {
    let LinkItem { pk: _, schema: _, user, expires_at, used_by } = item::read(item)?;
    Ok(BrowserLink { key: key.clone(), user, expires_at, used_by })
}

#[async_trait]
impl BrowserLinkStore for GrantTable {
    async fn create_link(&self, link: &BrowserLink) -> Result<(), StoreError> {
        match self.put_new(from_link(link)?, link.expires_at.plus(KEPT)).await? {
            New::Written => Ok(()),
            New::There(stored) => is_own(&to_link(&link.key, stored)?, link),
        }
    }

    async fn find_link(&self, key: &BrowserLinkKey) -> Result<Option<BrowserLink>, StoreError> {
        let found = self.table.get(item::key(pk(key))).await?;
        found.map(|item| to_link(key, item)).transpose()
    }

    async fn use_link(
        &self,
        key: &BrowserLinkKey,
        browser: &DeviceKey,
        now: Timestamp,
    ) -> Result<Change, StoreError> {
        let mut update = Update::default();
        update.set(&[USED_BY], text(browser.as_str()));
        let own = Condition::default().equal(&[USED_BY], text(browser.as_str()));
        let unused = Condition::default().absent(&[USED_BY]).or(own);
        let open = Condition::default().existing(&[PK]).above(&[EXPIRES_AT], number(now.millis()));
        match self.table.update(item::key(pk(key)), &update, &open.and(unused)).await? {
            Written::Done(_) => Ok(Change::Done),
            Written::Clash(_) => Ok(Change::Conflict),
        }
    }
}
