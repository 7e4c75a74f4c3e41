//! The client model: public, private and m2m clients (RFC 6749 §2).

mod id_token_claims;
mod metadata;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use id_token_claims::{IdTokenClaims, IdTokenRule};
pub use metadata::{ClientMetadata, Lifetimes, RuleOrList, VerifiedMetadata};

use crate::values::{
    ClientId, ClientType, GrantType, HashCost, PhcString, Scope, Seconds, Timestamp,
    TokenEndpointAuthMethod,
};

/// How many secrets of one client may be live at once: the one in use and its successor.
pub const MAX_LIVE_SECRETS: usize = 2;

/// A secret as it is kept: its hash, never the secret.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSecret {
    /// By which it is deleted.
    pub id: Uuid,
    /// The last four characters.
    pub hint: String,
    /// The argon2id hash.
    pub phc: PhcString,
    /// The cost that the hash should have.
    pub cost: HashCost,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working; `None` is never.
    pub expires_at: Option<Timestamp>,
    /// When it last worked, to the hour.
    pub last_used_at: Option<Timestamp>,
}

impl StoredSecret {
    /// Whether the secret works at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// A registered client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Client {
    /// The key of the administration API.
    pub id: Uuid,
    /// The key of the protocols.
    pub client_id: ClientId,
    /// What kind of program it is.
    pub kind: ClientType,
    /// What its administrator said of it, verified.
    pub metadata: VerifiedMetadata,
    /// Its secrets, oldest first; empty for public clients.
    pub secrets: Vec<StoredSecret>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When its administrator last changed it.
    pub updated_at: Timestamp,
    /// Counts the changes; the ETag.
    pub version: u64,
}

impl Client {
    /// Whether the client may use `grant`.
    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.metadata.grants.contains(&grant)
    }

    /// How the client authenticates.
    #[must_use]
    pub fn auth_method(&self) -> TokenEndpointAuthMethod {
        self.metadata.token_endpoint_auth_method
    }

    /// The scope that a request without `scope` gets: the whole allow-list.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.metadata.scopes
    }

    /// What its ID tokens say of the user without being asked; `None` for an m2m client, which gets no ID token.
    #[must_use]
    pub fn id_token_claims(&self) -> Option<IdTokenClaims> {
        // A client of before the member has the default.
        let own = self.metadata.id_token_claims.clone();
        self.kind.acts_for_users().then(|| own.unwrap_or_default())
    }

    /// How long its access tokens live.
    #[must_use]
    pub fn access_token_lifetime(&self) -> Seconds {
        self.metadata.lifetimes.access_token
    }

    /// The secrets that work at `now`.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &StoredSecret> {
        self.secrets.iter().filter(move |secret| secret.is_live(now))
    }

    /// This client with other metadata: one version on.
    #[must_use]
    pub fn with_metadata(&self, metadata: VerifiedMetadata, now: Timestamp) -> Self {
        Self { metadata, ..self.next_version(now) }
    }

    /// This client, one version on.
    pub(crate) fn next_version(&self, now: Timestamp) -> Self {
        // An ETag must never be seen twice, nor the time of a change go back.
        let updated_at = now.max(self.updated_at);
        Self { updated_at, version: self.version + 1, ..self.clone() }
    }
}
