//! Sessions: a browser in which a user has signed in.

use uuid::Uuid;

use super::browser::SessionKey;
use super::user::User;
use crate::values::{Seconds, SessionId, Timestamp, TransactionId};

/// How long a session lasts that nobody uses: a day.
pub const SESSION_IDLE: Seconds = 86_400;

/// How long a session lasts after its user has shown who they are: a week.
pub const SESSION_ABSOLUTE: Seconds = 7 * 86_400;

/// How long a session, its cookie and the mark that its user has signed out are kept: 400 days, for as
/// long as a grant may hang on the session that ends when its user signs out. The last one is made a week
/// after the sign-in, its refresh tokens live for a year, and the last access token for a day. No browser
/// keeps a cookie for longer (RFC 6265bis §5.5).
pub const SESSION_KEPT: Seconds = 400 * 86_400;

/// How often the use of a session is written down.
pub const SESSION_TOUCHED_EVERY: Seconds = 300;

/// A session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    /// The hash of its cookie.
    pub key: SessionKey,
    /// Its lasting identifier.
    pub id: SessionId,
    /// Who has signed in.
    pub user: Uuid,
    /// When the user showed who they are.
    pub auth_time: Timestamp,
    /// For which transaction; `None` where there was none.
    pub transaction: Option<TransactionId>,
    /// When it was last used, to some minutes.
    pub last_seen_at: Timestamp,
    /// When its user signed out, or showed again who they are and got another cookie.
    pub ended_at: Option<Timestamp>,
}

/// A session that counts, and its user.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// Who has signed in.
    pub user: User,
}

impl Session {
    /// Whether it counts at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.ends_at()
    }

    /// When it ends at the latest, if it is not used.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.last_seen_at.plus(SESSION_IDLE).min(self.auth_time.plus(SESSION_ABSOLUTE))
    }

    /// Whether its use should be written down at `now`.
    #[must_use]
    pub fn is_to_be_touched(&self, now: Timestamp) -> bool {
        now >= self.last_seen_at.plus(SESSION_TOUCHED_EVERY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::grant::CODE_LIFETIME;
    use crate::values::{LONGEST_ACCESS_TOKEN, LONGEST_REFRESH_TOKEN};

    #[test]
    fn a_session_is_kept_until_the_last_grant_that_ends_with_it_has_ended() {
        let of_grant = CODE_LIFETIME + LONGEST_REFRESH_TOKEN + LONGEST_ACCESS_TOKEN;
        // A sign-out that failed half-way leaves a session that makes grants for another week.
        assert!(SESSION_KEPT > 2 * SESSION_ABSOLUTE + of_grant);
    }
}
