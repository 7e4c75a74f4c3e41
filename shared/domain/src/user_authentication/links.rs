//! One-time links, by which an administrator makes a browser known to a user's account.

use std::sync::Arc;

use uuid::Uuid;

use crate::models::device::{
    BROWSER_LINK_LIFETIME, BrowserLink, BrowserLinkToken, DeviceSecret, DeviceSecrets,
};
use crate::models::user::User;
use crate::stores::{BrowserLinkStore, Change, StoreError, UserStore};
use crate::values::{RequestContext, Timestamp};

/// Makes one-time links, and honours them.
#[derive(Clone)]
pub struct BrowserLinks {
    /// The users.
    pub users: Arc<dyn UserStore>,
    /// The links.
    pub links: Arc<dyn BrowserLinkStore>,
}

/// Why a link does nothing.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It is unknown, over or used, or its user is gone or disabled: a page does not tell which.
    #[error("the link is unknown, over or used, or its user cannot sign in")]
    NotOpen,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BrowserLinks {
    /// Makes a link for `user`: what it carries, and until when it works.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn make(
        &self,
        context: &mut RequestContext,
        user: Uuid,
    ) -> Result<(BrowserLinkToken, Timestamp), StoreError> {
        let token = BrowserLinkToken::generate(&mut *context.rng);
        let expires_at = context.now.plus(BROWSER_LINK_LIFETIME);
        let link = BrowserLink { key: token.key(), user, expires_at, used_by: None };
        self.links.create_link(&link).await?;
        Ok((token, expires_at))
    }

    /// Checks that a link works. Changes nothing.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check(&self, token: &BrowserLinkToken, now: Timestamp) -> Result<(), LinkError> {
        self.open(token, now).await.map(|_| ())
    }

    /// Uses a link for the browser that has `device`: what the browser keeps from then on. It signs no user in.
    ///
    /// # Errors
    /// When the link does not work, any more.
    pub async fn redeem(
        &self,
        context: &mut RequestContext,
        token: &BrowserLinkToken,
        device: &DeviceSecrets,
    ) -> Result<DeviceSecrets, LinkError> {
        let now = context.now;
        let user = self.open(token, now).await?;
        let secret = DeviceSecret::generate(&mut *context.rng);
        let browser = secret.key(user.id);
        if self.links.use_link(&token.key(), &browser, now).await? == Change::Conflict
            || self.users.remember_browser(&user, &browser, now).await? == Change::Conflict
        {
            return Err(LinkError::NotOpen);
        }
        Ok(device.with(&secret))
    }

    /// The user of a link that works.
    async fn open(&self, token: &BrowserLinkToken, now: Timestamp) -> Result<User, LinkError> {
        let link = self.links.find_link(&token.key()).await?;
        let link = link.filter(|link| link.is_open(now)).ok_or(LinkError::NotOpen)?;
        let user = self.users.find(link.user).await?;
        user.filter(|user| user.details.is_active).ok_or(LinkError::NotOpen)
    }
}
