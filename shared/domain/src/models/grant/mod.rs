//! A grant: what a user has allowed a client. It is one item for its whole life, from the code, over
//! its redemption, through every generation of refresh tokens, to its end, so that each step is one
//! conditional write and a fork cannot exist.

mod refresh_token;

use uuid::Uuid;

pub use refresh_token::{RefreshKey, RefreshToken};

use super::authentication::AuthenticationEvent;
use super::claims::RequestedClaims;
use super::client::{Client, Lifetimes};
use crate::values::{CodeChallenge, Generation, GrantId, Scope, Seconds, SessionId, Timestamp};

/// How long a code lives.
pub const CODE_LIFETIME: Seconds = 60;

/// How long after a rotation the token before it gets the same successor again.
pub const REFRESH_GRACE: Seconds = 10;

/// What a user has allowed a client, and what has become of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    /// Its identifier.
    pub id: GrantId,
    /// The client's id: not its `clientId`, which another client may have later.
    pub client: Uuid,
    /// The user.
    pub user: Uuid,
    /// What is allowed.
    pub scope: Scope,
    /// The claims about the user that were asked for beside the scope.
    pub claims: RequestedClaims,
    /// The resources that were named (RFC 8707); none is the client's default.
    pub resources: Vec<String>,
    /// The `redirect_uri` of the request; `None` where it was left out.
    pub redirect_uri: Option<String>,
    /// What the client must know to redeem the code (RFC 7636).
    pub code_challenge: Option<CodeChallenge>,
    /// What the ID token must repeat.
    pub nonce: Option<String>,
    /// How and when the user showed who they are.
    pub authentication: AuthenticationEvent,
    /// The session in which the user allowed it: the `sid` of its ID tokens.
    pub session: SessionId,
    /// Whether it ends with that session; one with `offline_access` does not.
    pub ends_with_session: bool,
    /// The generation of the user's consent when the user allowed it: another one since means that the consent was
    /// withdrawn.
    pub consent: Generation,
    /// When the code was issued.
    pub issued_at: Timestamp,
    /// Since when the code is used.
    pub redeemed: Option<Redeemed>,
    /// When the grant ended.
    pub ended_at: Option<Timestamp>,
}

/// A grant whose code is used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Redeemed {
    /// When.
    pub at: Timestamp,
    /// The live generation of refresh tokens, from 1.
    pub generation: u32,
    /// Since when it is live.
    pub rotated_at: Timestamp,
}

/// The redemption of a code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Redemption {
    /// By which a repetition is known.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// From when on the grant may be forgotten.
    pub forget_at: Timestamp,
}

/// The rotation of a refresh token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rotation {
    /// The generation that is used.
    pub from: u32,
    /// When.
    pub at: Timestamp,
    /// From when on the grant may be forgotten.
    pub forget_at: Timestamp,
}

impl Grant {
    /// What of it `client` may have: a scope that an administrator has taken from the client since is not
    /// given any more, for as long as that is so.
    #[must_use]
    pub fn scope_for(&self, client: &Client) -> Scope {
        self.scope.within(client.scope())
    }

    /// Whether the code counts at `now`.
    #[must_use]
    pub fn code_is_live(&self, now: Timestamp) -> bool {
        self.redeemed.is_none()
            && self.ended_at.is_none()
            && now < self.issued_at.plus(CODE_LIFETIME)
    }

    /// When the live refresh token stops working: `refresh_token` seconds after it became live, and no
    /// later than `refresh_token_absolute` seconds after the code was redeemed. The client's lifetimes
    /// are those of now, so that shortening them bites at once.
    #[must_use]
    pub fn refresh_ends_at(redeemed: &Redeemed, lifetimes: &Lifetimes) -> Timestamp {
        let sliding = redeemed.rotated_at.plus(lifetimes.refresh_token);
        sliding.min(redeemed.at.plus(lifetimes.refresh_token_absolute))
    }
}
