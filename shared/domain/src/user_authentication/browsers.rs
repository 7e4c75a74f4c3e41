//! Remembering the browsers that users have signed in with, however they have shown who they are.

use std::sync::Arc;

use crate::models::device::{DeviceSecret, DeviceSecrets};
use crate::models::user::User;
use crate::stores::{Change, StoreError, UserStore};
use crate::values::RequestContext;

/// Remembers browsers.
#[derive(Clone)]
pub struct BrowserMemory {
    /// The users.
    pub users: Arc<dyn UserStore>,
}

impl BrowserMemory {
    /// Remembers that `user` has signed in with the browser that has `device`: what the browser keeps from then on. A
    /// browser that the account knows keeps its secret, any other gets a new one. So a secret that an
    /// attacker has planted never becomes known.
    ///
    /// The sign-in succeeds whether or not that could be written down: `None`, and the log hears of it.
    pub async fn remember(
        &self,
        context: &mut RequestContext,
        user: &User,
        device: &DeviceSecrets,
    ) -> Option<DeviceSecrets> {
        match self.note(context, user, device).await {
            Ok(device) => device,
            Err(error) => {
                tracing::warn!(%error, user = %user.id, "a browser was not remembered");
                None
            }
        }
    }

    async fn note(
        &self,
        context: &mut RequestContext,
        user: &User,
        device: &DeviceSecrets,
    ) -> Result<Option<DeviceSecrets>, StoreError> {
        let now = context.now;
        let secret = match device.known_to(user.id, &user.browsers, now) {
            Some(secret) => secret.clone(),
            None => DeviceSecret::generate(&mut *context.rng),
        };
        let key = secret.key(user.id);
        if user.browsers.is_to_be_noted(&key, now)
            && self.users.remember_browser(user, &key, now).await? == Change::Conflict
        {
            return Ok(None);
        }
        Ok(Some(device.with(&secret)))
    }
}
