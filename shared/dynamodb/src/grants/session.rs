//! Sessions, and marks that a user has signed out.

use async_trait::async_trait;
use identety_domain::Timestamp;
use identety_domain::session::{SESSION_KEPT, Session, SessionId, SessionKey};
use identety_domain::store::{SessionStore, StoreError};
use uuid::Uuid;

use super::items::{self, session as member};
use super::{GrantTable, is_own};
use crate::expression::{Condition, Update};
use crate::item::{PK, number};
use crate::requests::{New, Written};

#[async_trait]
impl SessionStore for GrantTable {
    async fn create_session(&self, session: &Session) -> Result<(), StoreError> {
        let forget_at = session.authentication.time.plus(SESSION_KEPT);
        match self.put_new(items::from_session(session)?, forget_at).await? {
            New::Written => Ok(()),
            New::There(stored) => is_own(&items::to_session(&session.key, stored)?, session),
        }
    }

    async fn find_session(&self, key: &SessionKey) -> Result<Option<Session>, StoreError> {
        let item = self.table.get(items::session_key(key)).await?;
        item.map(|item| items::to_session(key, item)).transpose()
    }

    /// A session that was used later than `at` stays as it is. So does the time to live, which has nothing
    /// to do with use: grants that end with the session may be there long after it has expired.
    async fn touch_session(&self, key: &SessionKey, at: Timestamp) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.set(&[member::LAST_SEEN_AT], number(at.millis()));
        // Where there is no session, there is nothing that could be below.
        let only_if = Condition::default().below(&[member::LAST_SEEN_AT], number(at.millis()));
        match self.table.update(items::session_key(key), &update, &only_if).await? {
            Written::Done(_) | Written::Clash(_) => Ok(()),
        }
    }

    async fn end_session(&self, key: &SessionKey, at: Timestamp) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.set(&[member::ENDED_AT], number(at.millis()));
        let only_if = Condition::default().existing(&[PK]).absent(&[member::ENDED_AT]);
        match self.table.update(items::session_key(key), &update, &only_if).await? {
            Written::Done(_) | Written::Clash(_) => Ok(()),
        }
    }

    /// A mark that is there already says the same, and stays as it is.
    async fn sign_out(&self, id: &SessionId, at: Timestamp) -> Result<(), StoreError> {
        match self.put_new(items::signed_out(id, at)?, at.plus(SESSION_KEPT)).await? {
            New::Written => Ok(()),
            New::There(stored) => items::check_signed_out(stored),
        }
    }

    async fn is_signed_out(&self, id: &SessionId) -> Result<bool, StoreError> {
        match self.table.get(items::signed_out_key(id)).await? {
            Some(item) => items::check_signed_out(item).map(|()| true),
            None => Ok(false),
        }
    }

    async fn sessions_of(
        &self,
        user: Uuid,
        after: Option<&SessionKey>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let after = after.map(items::session_pk);
        let items = self.owned(user, items::SESSION, after, limit as usize).await?;
        items.into_iter().map(items::to_owned_session).collect()
    }
}
