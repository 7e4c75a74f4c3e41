//! Whether what a user has allowed still stands: read anew at each use, so that an end bites at once.

use std::sync::Arc;

use crate::models::grant::Grant;
use crate::models::user::User;
use crate::stores::{ConsentStore, GrantStore, SessionStore, StoreError, UserStore};

/// The stores that a grant depends on.
#[derive(Clone)]
pub struct Grants {
    /// The grants.
    pub grants: Arc<dyn GrantStore>,
    /// The sessions that some of them end with.
    pub sessions: Arc<dyn SessionStore>,
    /// The users who made them.
    pub users: Arc<dyn UserStore>,
    /// What those users have allowed, and whether they still do.
    pub consents: Arc<dyn ConsentStore>,
}

impl Grants {
    /// The user of a grant that stands. `None` once the grant has ended, its user has signed out (unless
    /// it may outlive that), has withdrawn the consent, is disabled or gone, or has another password since.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn user_behind(&self, grant: &Grant) -> Result<Option<User>, StoreError> {
        if grant.ended_at.is_some() {
            return Ok(None);
        }
        if grant.ends_with_session && self.sessions.is_signed_out(&grant.session).await? {
            return Ok(None);
        }
        let consent = self.consents.consented(grant.user, grant.client).await?;
        if consent.unwrap_or_default().generation != grant.consent {
            return Ok(None);
        }
        let user = self.users.find(grant.user).await?;
        Ok(user.filter(|user| user.stands_by(grant.authentication.time)))
    }
}
