//! A transaction: an authorization request that waits for its user, kept by the server so that nothing
//! of it can be changed on the way.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::browser::RequestKey;
use super::claims::RequestedClaims;
use crate::values::{
    ClientId, CodeChallenge, GrantId, ResponseMode, Scope, Seconds, Timestamp, TransactionId,
    UserClaim,
};

/// How long a user may take to sign in and consent: half an hour.
pub const TRANSACTION_LIFETIME: Seconds = 1800;

/// An authorization request after every rule has been checked.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the request")]
pub struct AuthorizationRequest {
    /// The client's id.
    pub client: Uuid,
    /// Its `clientId`.
    pub client_id: ClientId,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// Whether the request named it, so that the exchange of the code must too.
    pub redirect_uri_was_sent: bool,
    /// How the answer travels.
    pub response_mode: ResponseMode,
    /// What is asked for.
    pub scope: Scope,
    /// For which resources (RFC 8707).
    pub resources: Vec<String>,
    /// Given back as it came.
    pub state: Option<String>,
    /// For the ID token.
    pub nonce: Option<String>,
    /// RFC 7636.
    pub code_challenge: Option<CodeChallenge>,
    /// `prompt=none`: no page may be shown.
    pub is_silent: bool,
    /// `prompt=login` or `select_account`: the user has to show anew who they are.
    pub asks_for_login: bool,
    /// `prompt=consent`: the user has to be asked anew.
    pub asks_for_consent: bool,
    /// The greatest age of the sign-in, in seconds.
    pub max_age: Option<u64>,
    /// What to put into the field for the address.
    pub login_hint: Option<String>,
    /// Who must be the one to sign in (`id_token_hint`).
    pub expected_user: Option<Uuid>,
    /// The claims about the user that are asked for beside the scope (`claims`, OpenID Connect Core 1.0 §5.5).
    #[serde(default)]
    pub claims: RequestedClaims,
    /// Whose `sub` the parameter `claims` asks for; `None` is anybody's.
    #[serde(default)]
    pub subjects: Option<Vec<Uuid>>,
}

impl AuthorizationRequest {
    /// Whether the request may be answered for `user`: "The Authorization Server MUST NOT reply with an ID Token or
    /// Access Token for a different user" (OpenID Connect Core 1.0 §3.1.2.2).
    #[must_use]
    pub fn is_for(&self, user: Uuid) -> bool {
        self.expected_user.is_none_or(|expected| expected == user)
            && self.subjects.as_ref().is_none_or(|subjects| subjects.contains(&user))
    }

    /// The claims that the user has to allow beside the scope. Without `openid` there is nothing that could hold one.
    #[must_use]
    pub fn claims_beyond_scope(&self) -> Vec<UserClaim> {
        let is_openid = self.scope.contains("openid");
        if is_openid { self.claims.beyond(&self.scope) } else { Vec::new() }
    }
}

/// A transaction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transaction {
    /// Its name.
    pub id: TransactionId,
    /// The hash of the secret that its browser holds.
    pub key: RequestKey,
    /// The query of the authorization request as it came, by which a page that was left open starts again. Empty if
    /// it is longer than [`MAX_QUERY_KEPT`].
    pub query: String,
    /// What is asked for.
    pub request: AuthorizationRequest,
    /// When it began.
    pub created_at: Timestamp,
    /// What it was answered with, if it was.
    pub answer: Option<Answer>,
}

/// The longest query that a transaction keeps, in bytes.
pub const MAX_QUERY_KEPT: usize = 4096;

/// The answer to a transaction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// The user has denied the request. That is final.
    Denied,
    /// A grant, whose code went to the client.
    Granted(GrantId),
}

impl Transaction {
    /// Whether it counts at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.ends_at()
    }

    /// When it ends.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.created_at.plus(TRANSACTION_LIFETIME)
    }
}
