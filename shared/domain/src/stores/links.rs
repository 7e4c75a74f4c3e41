//! One-time links, by which an administrator makes a browser known to an account.

use async_trait::async_trait;

use super::{Change, StoreError};
use crate::models::device::{BrowserLink, BrowserLinkKey, DeviceKey};
use crate::values::Timestamp;

/// One-time links.
#[async_trait]
pub trait BrowserLinkStore: Send + Sync {
    /// Writes a new link.
    async fn create_link(&self, link: &BrowserLink) -> Result<(), StoreError>;

    /// The link with this key: one strongly consistent read.
    async fn find_link(&self, key: &BrowserLinkKey) -> Result<Option<BrowserLink>, StoreError>;

    /// Notes that a link was used for `browser`, in one conditional write: of any number of browsers exactly one is
    /// [`Change::Done`], and none from `expires_at` on. The same browser once more is the same use.
    async fn use_link(
        &self,
        key: &BrowserLinkKey,
        browser: &DeviceKey,
        now: Timestamp,
    ) -> Result<Change, StoreError>;
}
