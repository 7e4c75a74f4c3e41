//! Sessions, and marks that a user has signed out.

use async_trait::async_trait;
use identety_domain::Timestamp;
use identety_domain::session::{SESSION_KEPT, Session, SessionId, SessionKey};
use identety_domain::store::{SessionStore, StoreError};

use super::GrantTable;
use super::items::{self, session as member};
use crate::error::failed;
use crate::expression::Update;
use crate::item::{PK, number};
use crate::requests::Written;

#[async_trait]
impl SessionStore for GrantTable {
    async fn create_session(&self, session: &Session) -> Result<(), StoreError> {
        let forget_at = session.auth_time.plus(SESSION_KEPT);
        let put = self.put(items::from_session(session)?, forget_at);
        put.send().await.map(|_| ()).map_err(|error| failed(&error))
    }

    async fn find_session(&self, key: &SessionKey) -> Result<Option<Session>, StoreError> {
        let item = self.get(items::session_pk(key)).await?;
        item.map(|item| items::to_session(key, item)).transpose()
    }

    /// A session that was used later than `at` stays as it is. So does the time to live, which has nothing
    /// to do with use: grants that end with the session may be there long after it has expired.
    async fn touch_session(&self, key: &SessionKey, at: Timestamp) -> Result<(), StoreError> {
        let mut update = Update::default();
        // Of no session, nothing is below anything.
        update.require_below(&[member::LAST_SEEN_AT], number(at.millis()));
        update.set(&[member::LAST_SEEN_AT], number(at.millis()));
        match self.update(items::session_pk(key), &update).await? {
            Written::Done | Written::Clash(_) => Ok(()),
        }
    }

    async fn end_session(&self, key: &SessionKey, at: Timestamp) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.require_existing(&[PK]);
        update.require_absent(&[member::ENDED_AT]);
        update.set(&[member::ENDED_AT], number(at.millis()));
        match self.update(items::session_pk(key), &update).await? {
            Written::Done | Written::Clash(_) => Ok(()),
        }
    }

    async fn sign_out(&self, id: &SessionId, at: Timestamp) -> Result<(), StoreError> {
        let put = self.put(items::signed_out(id, at)?, at.plus(SESSION_KEPT));
        put.send().await.map(|_| ()).map_err(|error| failed(&error))
    }

    async fn is_signed_out(&self, id: &SessionId) -> Result<bool, StoreError> {
        match self.get(items::signed_out_pk(id)).await? {
            Some(item) => items::check_signed_out(item).map(|()| true),
            None => Ok(false),
        }
    }
}
