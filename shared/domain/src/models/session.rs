//! Sessions: a browser in which a user has signed in.

use uuid::Uuid;

use super::authentication::AuthenticationEvent;
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

/// How many requests a session remembers for which its user signed in.
const REMEMBERED_REQUESTS: usize = 8;

/// The longest `User-Agent` that a session keeps, in bytes.
const MAX_USER_AGENT: usize = 256;

/// A session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    /// The hash of its cookie.
    pub key: SessionKey,
    /// Its lasting identifier: the `sid` of ID tokens.
    pub id: SessionId,
    /// Who has signed in.
    pub user: Uuid,
    /// How and when the user showed who they are, the last time.
    pub authentication: AuthenticationEvent,
    /// The requests for which the user has signed in, the latest last.
    pub signed_in_for: Vec<TransactionId>,
    /// What the browser called itself at the sign-in.
    pub user_agent: Option<String>,
    /// Where the browser was at the sign-in.
    pub address: String,
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
        self.last_seen_at.plus(SESSION_IDLE).min(self.authentication.time.plus(SESSION_ABSOLUTE))
    }

    /// Whether the user signed in for this very request.
    #[must_use]
    pub fn is_for(&self, request: &TransactionId) -> bool {
        self.signed_in_for.contains(request)
    }

    /// The requests for which the user has signed in, `request` the latest of them.
    #[must_use]
    pub fn signed_in_also_for(
        mut former: Vec<TransactionId>,
        request: &TransactionId,
    ) -> Vec<TransactionId> {
        former.retain(|own| own != request);
        former.push(request.clone());
        let surplus = former.len().saturating_sub(REMEMBERED_REQUESTS);
        former.split_off(surplus)
    }

    /// What is kept of a `User-Agent`: its beginning, without control characters.
    #[must_use]
    pub fn short_user_agent(text: &str) -> String {
        let mut short: String = text.chars().filter(|c| !c.is_control()).collect();
        short.truncate(short.floor_char_boundary(MAX_USER_AGENT));
        short
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
    fn the_latest_requests_are_remembered() {
        let mut remembered = Vec::new();
        for number in 0..20 {
            let request = TransactionId::of(&number.to_string());
            remembered = Session::signed_in_also_for(remembered, &request);
            assert_eq!(remembered.last(), Some(&request));
        }
        let again = Session::signed_in_also_for(remembered.clone(), &TransactionId::of("15"));
        let names = |all: &[TransactionId]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&remembered), ["12", "13", "14", "15", "16", "17", "18", "19"]);
        assert_eq!(names(&again), ["12", "13", "14", "16", "17", "18", "19", "15"]);
    }

    #[test]
    fn a_user_agent_is_cut_between_characters_and_has_no_control_characters() {
        assert_eq!(Session::short_user_agent("Firefox\r\n/1"), "Firefox/1");
        let long = Session::short_user_agent(&"é".repeat(200));
        assert_eq!(long, "é".repeat(128));
    }

    #[test]
    fn a_session_is_kept_until_the_last_grant_that_ends_with_it_has_ended() {
        let of_grant = CODE_LIFETIME + LONGEST_REFRESH_TOKEN + LONGEST_ACCESS_TOKEN;
        // A sign-out that failed half-way leaves a session that makes grants for another week.
        assert!(SESSION_KEPT > 2 * SESSION_ABSOLUTE + of_grant);
    }
}
