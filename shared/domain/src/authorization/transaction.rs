//! A transaction: an authorization request that waits for its user, kept by the server so that nothing
//! of it can be changed on the way.

use std::fmt;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::BrowserKey;
use crate::client::ClientId;
use crate::grant::CodeChallenge;
use crate::{Scope, Seconds, Timestamp, id};

/// How long a user may take to sign in and consent: half an hour.
pub const TRANSACTION_LIFETIME: Seconds = 1800;

/// The name of a transaction in our URLs. It is no secret: only the browser that it belongs to can do
/// anything with it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransactionId(String);

impl TransactionId {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(id::random_text::<18>(rng))
    }

    /// Takes a parameter's value. `None` when this server did not make it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        id::is_url_safe(text, 24).then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the answer travels to the client.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect URI (RFC 6749 §4.1.2).
    #[default]
    Query,
    /// In a form that the browser posts (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

impl ResponseMode {
    /// All modes.
    pub const ALL: [Self; 2] = [Self::Query, Self::FormPost];

    /// The value of `response_mode`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }
}

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
}

/// A transaction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transaction {
    /// Its name.
    pub id: TransactionId,
    /// The browser that it belongs to.
    pub browser: BrowserKey,
    /// What is asked for.
    pub request: AuthorizationRequest,
    /// When it began.
    pub created_at: Timestamp,
    /// Whether the user has denied it.
    pub is_denied: bool,
}

impl Transaction {
    /// Whether it counts at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.created_at.plus(TRANSACTION_LIFETIME)
    }
}
