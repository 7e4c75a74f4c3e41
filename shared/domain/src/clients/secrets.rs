//! Rotation of a client's secrets: two may be live, never none.

use uuid::Uuid;

use super::stored::{generated_cost, generated_secret, stored};
use crate::hashers::{HashError, SecretMaker};
use crate::models::client::{Client, MAX_LIVE_SECRETS, StoredSecret};
use crate::values::{Seconds, Secret, Timestamp, TokenEndpointAuthMethod};

/// A client with one secret more, and that secret, which nothing else holds.
#[derive(Debug)]
pub struct RotatedSecret {
    /// The client as it is to be written.
    pub client: Client,
    /// Which of its secrets is the new one.
    pub secret_id: Uuid,
    /// The new secret.
    pub secret: Secret,
}

/// Why a client gets no further secret.
#[derive(Debug, thiserror::Error)]
pub enum RotateSecretError {
    /// The client authenticates by something else, or not at all.
    #[error("a client that authenticates by {0} has no secret")]
    NoSecrets(TokenEndpointAuthMethod),
    /// Both places are taken.
    #[error("two secrets are live already; delete one, or wait until the older one expires")]
    TooManyLive,
    /// The secret could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
}

/// Why a secret stays.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DeleteSecretError {
    /// The client has no secret with this id.
    #[error("the client has no such secret")]
    NotFound,
    /// Without it, the client could not authenticate any more.
    #[error("this is the client's last live secret; make its successor first")]
    LastLive,
}

/// Gives `client` another secret; the older one may get an end, `expire_previous_in` seconds from
/// now. Secrets that have ended are forgotten.
///
/// # Errors
/// When the client has no secrets, or two live ones already.
pub fn rotate_secret(
    client: &Client,
    expire_previous_in: Option<Seconds>,
    maker: &mut SecretMaker<'_>,
) -> Result<RotatedSecret, RotateSecretError> {
    let now = maker.now;
    if !client.auth_method().uses_secret() {
        return Err(RotateSecretError::NoSecrets(client.auth_method()));
    }
    let mut secrets: Vec<StoredSecret> = client.live_secrets(now).cloned().collect();
    if secrets.len() >= MAX_LIVE_SECRETS {
        return Err(RotateSecretError::TooManyLive);
    }
    if let Some(seconds) = expire_previous_in {
        for previous in &mut secrets {
            let end = now.plus(seconds);
            previous.expires_at = Some(previous.expires_at.map_or(end, |own| own.min(end)));
        }
    }
    let secret = generated_secret(client.kind, maker.rng);
    let cost = generated_cost(&client.client_id);
    let stored = stored(&secret, cost, maker)?;
    let secret_id = stored.id;
    secrets.push(stored);
    let client = Client { secrets, ..client.next_version(now) };
    Ok(RotatedSecret { client, secret_id, secret })
}

/// Takes a secret from `client`.
///
/// # Errors
/// When the client does not have it, or when it is the last one that works.
pub fn delete_secret(
    client: &Client,
    secret_id: Uuid,
    now: Timestamp,
) -> Result<Client, DeleteSecretError> {
    if !client.secrets.iter().any(|secret| secret.id == secret_id) {
        return Err(DeleteSecretError::NotFound);
    }
    if !client.live_secrets(now).any(|secret| secret.id != secret_id) {
        return Err(DeleteSecretError::LastLive);
    }
    let mut after = client.next_version(now);
    after.secrets.retain(|secret| secret.id != secret_id);
    Ok(after)
}
