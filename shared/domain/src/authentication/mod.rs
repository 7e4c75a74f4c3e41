//! Client authentication (RFC 6749 §2.3).

mod recent_clients;

use std::sync::Arc;

use rand_core::CryptoRng;

pub use recent_clients::RecentClients;

use crate::client::{Client, ClientId, MAX_LIVE_SECRETS, StoredSecret, TokenEndpointAuthMethod};
use crate::hashing::{HashCost, HashError, SecretHasher, Verification};
use crate::limits::{self, Counted, PeerAddress};
use crate::store::{ClientStore, FailureStore, Rehashed, StoreError};
use crate::{Seconds, Secret, Timestamp};

/// What a client showed to prove who it is.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Only its identifier: a public client.
    None {
        /// The `client_id` parameter.
        client_id: String,
    },
    /// Identifier and secret, in the Authorization header or in the form.
    ///
    /// Clients registered for one of the two may use the other: both show the same secret to the same
    /// endpoint.
    Secret {
        /// The identifier.
        client_id: String,
        /// The secret.
        secret: Secret,
    },
}

/// Why a client is not who it says. The caller must not be told which.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// No client has that identifier.
    #[error("unknown client")]
    UnknownClient,
    /// The client is disabled.
    #[error("client is not active")]
    Inactive,
    /// None of its live secrets is the one shown.
    #[error("wrong secret")]
    WrongSecret,
    /// A public client has no secret to show.
    #[error("public client showed a secret")]
    SecretOfPublicClient,
    /// A confidential client must show its secret.
    #[error("confidential client showed no secret")]
    SecretMissing,
    /// Too many failures from one address.
    #[error("too many failures")]
    TooManyFailures {
        /// Seconds until another attempt makes sense.
        retry_after: Seconds,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored hash is damaged.
    #[error(transparent)]
    Hash(#[from] HashError),
}

/// Authenticates clients, limits guessing, and keeps hashes at today's cost.
#[derive(Clone)]
pub struct ClientAuthenticator {
    /// The registered clients.
    pub clients: Arc<dyn ClientStore>,
    /// The counters of failures.
    pub failures: Arc<dyn FailureStore>,
    /// Compares secrets and remembers matches.
    pub hasher: Arc<SecretHasher>,
    /// Where a deployment would rather save the read of a client.
    pub recent: Arc<RecentClients>,
}

/// How often the use of a secret is written down.
const USE_RECORDED_EVERY: Seconds = 3600;

impl ClientAuthenticator {
    /// The client that `credentials` prove.
    ///
    /// # Errors
    /// When they prove none; or when the store fails.
    pub async fn authenticate(
        &self,
        credentials: &Credentials,
        peer: &PeerAddress,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Client, AuthenticationError> {
        let (client_id, secret) = match credentials {
            Credentials::None { client_id } => (client_id, None),
            Credentials::Secret { client_id, secret } => (client_id, Some(secret)),
        };
        let Some(id) = ClientId::parse(client_id) else {
            return self.judge(None, client_id, secret, peer, now, rng).await;
        };
        let is_proven = |client: &Client| self.is_remembered(client, secret, now);
        if let Some(client) = self.recent.find(&id, now, is_proven) {
            return Ok(client);
        }
        let client = self.clients.find(&id).await?;
        let judged = self.judge(client, client_id, secret, peer, now, rng).await;
        match &judged {
            Ok(client) => self.recent.keep(client, now),
            Err(AuthenticationError::UnknownClient | AuthenticationError::Inactive) => {
                self.recent.forget(&id);
            }
            // A wrong guess says nothing of the client.
            Err(_) => {}
        }
        judged
    }

    /// Whether these credentials are known, without any work, to prove `client`.
    ///
    /// Everything else goes the way of a client that was never seen, and takes its time: a new secret
    /// works at once, and a wrong one does not tell that the client is kept.
    fn is_remembered(&self, client: &Client, secret: Option<&Secret>, now: Timestamp) -> bool {
        match secret {
            None => client.auth_method() == TokenEndpointAuthMethod::None,
            Some(secret) => {
                client.live_secrets(now).any(|live| self.hasher.remembers(secret, &live.phc))
            }
        }
    }

    /// The client, if the credentials prove it; failures are counted.
    async fn judge(
        &self,
        client: Option<Client>,
        client_id: &str,
        secret: Option<&Secret>,
        peer: &PeerAddress,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Client, AuthenticationError> {
        let Some(secret) = secret else { return without_secret(client) };
        match self.with_secret(client, client_id, secret, now, rng).await {
            Err(failure) if failure.is_wrong_guess() => {
                match limits::count_failure(&*self.failures, client_id, peer, now).await? {
                    Counted::WithinLimit => Err(failure),
                    Counted::TooMany { retry_after } => {
                        Err(AuthenticationError::TooManyFailures { retry_after })
                    }
                }
            }
            decided => decided,
        }
    }

    /// Compares the secret, in the time that an unknown client would take.
    async fn with_secret(
        &self,
        client: Option<Client>,
        client_id: &str,
        secret: &Secret,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Client, AuthenticationError> {
        let live = client.iter().flat_map(|client| client.live_secrets(now));
        let mut compared = 0;
        let mut matched = None;
        for stored in live {
            compared += 1;
            let found = self.hasher.verify(secret, &stored.phc, stored.cost)?;
            if found != Verification::Mismatch {
                matched = Some((stored.clone(), found));
                break;
            }
        }
        let Some((stored, found)) = matched else {
            // A failure costs the same number of comparisons, whether the client has two secrets,
            // one, none, or does not exist.
            let cost = client.as_ref().map_or_else(|| unknown_cost(client_id), cost_of);
            for _ in compared..MAX_LIVE_SECRETS {
                self.hasher.burn(secret, cost)?;
            }
            return Err(match client {
                None => AuthenticationError::UnknownClient,
                Some(client) if !client.kind.is_confidential() => {
                    AuthenticationError::SecretOfPublicClient
                }
                Some(_) => AuthenticationError::WrongSecret,
            });
        };
        let client = client.ok_or(AuthenticationError::UnknownClient)?;
        if !client.metadata.is_active {
            return Err(AuthenticationError::Inactive);
        }
        self.record_use(&client, secret, &stored, found, now, rng).await?;
        Ok(client)
    }

    /// Writes down, at most once an hour, that the secret is in use; and its new hash when the cost of
    /// hashes has changed.
    async fn record_use(
        &self,
        client: &Client,
        secret: &Secret,
        stored: &StoredSecret,
        found: Verification,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), AuthenticationError> {
        let recent = stored.last_used_at.is_some_and(|last| now < last.plus(USE_RECORDED_EVERY));
        let rehashed = match found {
            Verification::MatchOutdated => Some(self.hasher.hash(secret, stored.cost, rng)?),
            Verification::Match if recent => return Ok(()),
            Verification::Match | Verification::Mismatch => None,
        };
        let rehashed = rehashed.as_ref().map(|to| Rehashed { from: &stored.phc, to });
        let recorded =
            self.clients.record_secret_use(&client.client_id, stored.id, now, rehashed).await;
        // The secret is right whether or not that could be written down; the next request tries again.
        if let Err(error) = recorded {
            let client = client.client_id.as_str();
            tracing::warn!(%error, client, "the use of a client's secret was not written down");
        }
        Ok(())
    }
}

/// A client that showed only its identifier.
fn without_secret(client: Option<Client>) -> Result<Client, AuthenticationError> {
    let client = client.ok_or(AuthenticationError::UnknownClient)?;
    match client.auth_method() {
        TokenEndpointAuthMethod::None if client.metadata.is_active => Ok(client),
        TokenEndpointAuthMethod::None => Err(AuthenticationError::Inactive),
        TokenEndpointAuthMethod::ClientSecretBasic | TokenEndpointAuthMethod::ClientSecretPost => {
            Err(AuthenticationError::SecretMissing)
        }
    }
}

/// An unknown identifier of the form that the server makes costs what known ones of that form cost;
/// any other could only be an import, and costs what imports cost.
fn unknown_cost(client_id: &str) -> HashCost {
    match ClientId::parse(client_id) {
        Some(id) if id.has_generated_form() => HashCost::Generated,
        Some(_) | None => HashCost::Chosen,
    }
}

fn cost_of(client: &Client) -> HashCost {
    let own = client.secrets.last().map(|secret| secret.cost);
    own.unwrap_or_else(|| unknown_cost(client.client_id.as_str()))
}

impl AuthenticationError {
    /// Whether somebody guessed, and guessed wrong.
    const fn is_wrong_guess(&self) -> bool {
        match self {
            Self::UnknownClient
            | Self::WrongSecret
            | Self::SecretOfPublicClient
            | Self::Inactive => true,
            Self::SecretMissing | Self::TooManyFailures { .. } | Self::Store(_) | Self::Hash(_) => {
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_identifier_costs_what_known_ones_of_its_form_cost() {
        for kind in ["public", "private", "m2m"] {
            let generated = format!("{kind}_{}", "A".repeat(24));
            assert_eq!(unknown_cost(&generated), HashCost::Generated);
        }
        for chosen in ["orders", "m2m_short", "m2m_AAAAAAAAAAAAAAAAAAAAAAA!", "", "umlaut-ü"] {
            assert_eq!(unknown_cost(chosen), HashCost::Chosen, "{chosen}");
        }
    }
}
