//! The client model: public, private and m2m clients (RFC 6749 §2).

mod change;
mod metadata;
mod redirect_uri;
mod registration;

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use change::{
    DeleteSecretError, RotateSecretError, RotatedSecret, delete_secret, rotate_secret,
};
pub use metadata::{
    ClientMetadata, LONGEST_ACCESS_TOKEN, LONGEST_REFRESH_TOKEN, Lifetimes, VerifiedMetadata,
};
pub use redirect_uri::{RedirectUri, RedirectUriError};
pub use registration::{Import, NewClient, register};

use crate::admin::API_KEY_SUBJECT;
use crate::hashing::{HashCost, PhcString};
use crate::{Scope, Seconds, Timestamp, id};

/// How many secrets of one client may be live at once: the one in use and its successor.
pub const MAX_LIVE_SECRETS: usize = 2;

/// What kind of program the client is. Never changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientType {
    /// Runs on the user's device (SPA, mobile) and can keep no secret.
    Public,
    /// Runs on a server and acts for users.
    Private,
    /// Runs on a server and acts for itself.
    M2m,
}

impl ClientType {
    /// All types.
    pub const ALL: [Self; 3] = [Self::Public, Self::Private, Self::M2m];

    /// The name on the wire, which also begins the client's identifier.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::M2m => "m2m",
        }
    }

    /// The grants that a client of this type may have.
    #[must_use]
    pub const fn possible_grants(self) -> &'static [GrantType] {
        match self {
            Self::Public => &[GrantType::AuthorizationCode, GrantType::RefreshToken],
            Self::Private => {
                &[GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::TokenExchange]
            }
            Self::M2m => &[GrantType::ClientCredentials, GrantType::TokenExchange],
        }
    }

    /// The grants that a client of this type has when it names none.
    #[must_use]
    pub const fn default_grants(self) -> &'static [GrantType] {
        match self {
            Self::Public | Self::Private => {
                &[GrantType::AuthorizationCode, GrantType::RefreshToken]
            }
            Self::M2m => &[GrantType::ClientCredentials],
        }
    }

    /// Whether clients of this type have secrets.
    #[must_use]
    pub const fn is_confidential(self) -> bool {
        match self {
            Self::Public => false,
            Self::Private | Self::M2m => true,
        }
    }

    /// Whether clients of this type act for users.
    #[must_use]
    pub const fn acts_for_users(self) -> bool {
        match self {
            Self::Public | Self::Private => true,
            Self::M2m => false,
        }
    }
}

impl fmt::Display for ClientType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A grant that a client may be allowed (RFC 6749 §1.3, RFC 8693).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 8693.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
}

impl GrantType {
    /// All grants of the client model.
    pub const ALL: [Self; 4] =
        [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials, Self::TokenExchange];

    /// The value of `grant_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }
}

/// How a client authenticates at the token endpoint (RFC 7591 §2).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuthMethod {
    /// Public clients: only their `client_id`.
    None,
    /// The secret in the Authorization header.
    ClientSecretBasic,
    /// The secret in the form.
    ClientSecretPost,
}

impl TokenEndpointAuthMethod {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }
}

/// The algorithm of a signature (RFC 7518 §3.1).
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
pub enum SigningAlg {
    /// RSASSA-PKCS1-v1_5 with SHA-256: what API Gateway's JWT authorizer takes.
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256: ten times cheaper to make.
    #[serde(rename = "ES256")]
    Es256,
}

impl SigningAlg {
    /// All algorithms that this server signs with.
    pub const ALL: [Self; 2] = [Self::Rs256, Self::Es256];

    /// The value of `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// The algorithm of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.as_str() == name)
    }
}

/// The public identifier of a client: `public_…`, `private_…` or `m2m_…` and 24 URL-safe random
/// characters, or what an import brought.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(String);

/// The longest client identifier, in characters.
pub const MAX_CLIENT_ID: usize = 255;

impl ClientId {
    /// Takes a `client_id` as it came: 1–255 VSCHAR (RFC 6749 §A.1). `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_vschar = |byte: u8| (0x20..=0x7E).contains(&byte);
        let fits = !text.is_empty() && text.len() <= MAX_CLIENT_ID && text.bytes().all(is_vschar);
        fits.then(|| Self(text.to_owned()))
    }

    /// Takes the identifier of an import. `None` when it is none, or a UUID: users are named by UUIDs,
    /// and a client's tokens must never be taken for a user's (RFC 9700 §4.15). Nor may a client be taken
    /// for the API key: by that name its failures are counted, and what it did is logged.
    #[must_use]
    pub fn for_import(text: &str) -> Option<Self> {
        let names_another = |text: &str| {
            Uuid::try_parse(text).is_ok() || text.eq_ignore_ascii_case(API_KEY_SUBJECT)
        };
        Self::parse(text).filter(|id| !names_another(id.as_str()))
    }

    /// The identifier as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has the form of the identifiers that this server makes, whose 144 random bits
    /// nobody can guess.
    #[must_use]
    pub fn has_generated_form(&self) -> bool {
        ClientType::ALL.iter().any(|kind| {
            self.0
                .strip_prefix(kind.as_str())
                .and_then(|rest| rest.strip_prefix('_'))
                .is_some_and(|random| id::is_url_safe(random, 24))
        })
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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
    fn next_version(&self, now: Timestamp) -> Self {
        // An ETag must never be seen twice, nor the time of a change go back.
        let updated_at = now.max(self.updated_at);
        Self { updated_at, version: self.version + 1, ..self.clone() }
    }
}
