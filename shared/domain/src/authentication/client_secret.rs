//! The methods `client_secret_basic` and `client_secret_post` (RFC 6749 §2.3.1): one secret, in the header or in the
//! form. Only failures are counted, so the right secret always passes.

use super::error::AuthenticationError;
use crate::hashers::{HashError, SecretHasher, Verification};
use crate::limits::{self, Counted};
use crate::models::client::{Client, MAX_LIVE_SECRETS, StoredSecret};
use crate::stores::{ClientStore, FailureStore, Rehashed};
use crate::values::{
    ClientId, HashCost, RequestContext, Seconds, Secret, TokenEndpointAuthMethod as Method,
};

/// How often the use of a secret is written down.
const USE_RECORDED_EVERY: Seconds = 3600;

/// What judging a secret takes.
pub(super) struct ClientSecret<'a> {
    /// Compares secrets, and remembers matches.
    pub(super) hasher: &'a SecretHasher,
    /// Where the use of a secret is written down.
    pub(super) clients: &'a dyn ClientStore,
    /// The counters of failures.
    pub(super) failures: &'a dyn FailureStore,
}

/// Whether `client` is registered for a secret.
const fn is_for(client: &Client) -> bool {
    match client.metadata.token_endpoint_auth_method {
        Method::None => false,
        Method::ClientSecretBasic | Method::ClientSecretPost => true,
    }
}

impl ClientSecret<'_> {
    /// Whether `secret` is known, without any work, to be one of `client`.
    pub(super) fn remembers(
        &self,
        client: &Client,
        secret: &Secret,
        context: &RequestContext,
    ) -> bool {
        client.live_secrets(context.now).any(|live| self.hasher.remembers(secret, &live.phc))
    }

    /// The client, if `secret` is one of its secrets; a failure is counted under `client_id`.
    pub(super) async fn judge(
        &self,
        context: &mut RequestContext,
        client: Option<Client>,
        client_id: &str,
        secret: &Secret,
    ) -> Result<Client, AuthenticationError> {
        match self.proven(context, client, client_id, secret).await {
            Err(failure) if is_wrong_guess(&failure) => {
                let RequestContext { peer, now, .. } = context;
                match limits::count_failure(self.failures, client_id, peer, *now).await? {
                    Counted::WithinLimit => Err(failure),
                    Counted::TooMany { retry_after } => {
                        Err(AuthenticationError::TooManyFailures { retry_after })
                    }
                }
            }
            decided => decided,
        }
    }

    async fn proven(
        &self,
        context: &mut RequestContext,
        client: Option<Client>,
        client_id: &str,
        secret: &Secret,
    ) -> Result<Client, AuthenticationError> {
        let matched = self.compare(client.as_ref(), client_id, secret, context)?;
        let client = client.ok_or(AuthenticationError::UnknownClient)?;
        if !is_for(&client) {
            return Err(AuthenticationError::OtherMethod(client.auth_method()));
        }
        let (stored, found) = matched.ok_or(AuthenticationError::WrongSecret)?;
        if !client.metadata.is_active {
            return Err(AuthenticationError::Inactive);
        }
        self.record_use(context, &client, secret, (&stored, found)).await?;
        Ok(client)
    }

    /// The stored secret that `secret` is, in the time that an unknown client would take: a failure costs the
    /// same number of comparisons, whether the client has two secrets, one, none, or does not exist.
    fn compare(
        &self,
        client: Option<&Client>,
        client_id: &str,
        secret: &Secret,
        context: &RequestContext,
    ) -> Result<Option<(StoredSecret, Verification)>, HashError> {
        let mut compared = 0;
        for stored in client.into_iter().flat_map(|client| client.live_secrets(context.now)) {
            compared += 1;
            let found = self.hasher.verify(secret, &stored.phc, stored.cost)?;
            if found != Verification::Mismatch {
                return Ok(Some((stored.clone(), found)));
            }
        }
        let cost = client.map_or_else(|| unknown_cost(client_id), cost_of);
        for _ in compared..MAX_LIVE_SECRETS {
            self.hasher.burn(secret, cost)?;
        }
        Ok(None)
    }

    /// Writes down, at most once an hour, that the secret is in use; and its new hash when the cost of hashes has
    /// changed.
    async fn record_use(
        &self,
        context: &mut RequestContext,
        client: &Client,
        secret: &Secret,
        (stored, found): (&StoredSecret, Verification),
    ) -> Result<(), HashError> {
        let now = context.now;
        let recent = stored.last_used_at.is_some_and(|last| now < last.plus(USE_RECORDED_EVERY));
        let rehashed = match found {
            Verification::MatchOutdated => {
                Some(self.hasher.hash(secret, stored.cost, &mut *context.rng)?)
            }
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

/// An unknown identifier of the form that the server makes costs what known ones of that form cost; any other could
/// only be an import, and costs what imports cost.
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

/// Whether the caller guessed, and guessed wrong.
const fn is_wrong_guess(failure: &AuthenticationError) -> bool {
    match failure {
        AuthenticationError::UnknownClient
        | AuthenticationError::WrongSecret
        | AuthenticationError::OtherMethod(_)
        | AuthenticationError::Inactive => true,
        AuthenticationError::TooManyFailures { .. }
        | AuthenticationError::Store(_)
        | AuthenticationError::Hash(_) => false,
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
