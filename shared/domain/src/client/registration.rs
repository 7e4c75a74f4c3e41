//! The birth of a client: identifiers, secret, hash.

use rand_core::CryptoRng;

use super::{Client, ClientId, ClientType, StoredSecret, VerifiedMetadata};
use crate::hashing::{HashCost, HashError, SecretHasher};
use crate::{Secret, Timestamp, id};

/// What an import brings along.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// The identifier that the client already has elsewhere.
    pub client_id: Option<ClientId>,
    /// The secret that the client already has elsewhere.
    pub client_secret: Option<Secret>,
}

/// A client that is not yet stored, and its secret, which nothing else holds.
#[derive(Debug)]
pub struct NewClient {
    /// The client as it is to be written.
    pub client: Client,
    /// Its secret; `None` for public clients.
    pub secret: Option<Secret>,
}

/// Makes a client of verified metadata.
///
/// # Errors
/// When its secret cannot be hashed.
pub fn register(
    kind: ClientType,
    metadata: VerifiedMetadata,
    import: Import,
    hasher: &SecretHasher,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<NewClient, HashError> {
    let client_id = import.client_id.unwrap_or_else(|| generated_client_id(kind, rng));
    let secret_and_cost = kind.is_confidential().then(|| match import.client_secret {
        // Whoever chose it, chance may not have had much say.
        Some(chosen) => (chosen, HashCost::Chosen),
        None => (generated_secret(kind, rng), generated_cost(&client_id)),
    });
    let mut secrets = Vec::new();
    if let Some((secret, cost)) = &secret_and_cost {
        secrets.push(stored(secret, *cost, hasher, now, rng)?);
    }
    let client = Client {
        id: id::uuid_v7(now, rng),
        client_id,
        kind,
        metadata,
        secrets,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    Ok(NewClient { client, secret: secret_and_cost.map(|(secret, _)| secret) })
}

/// `secret` as it is kept.
pub(super) fn stored(
    secret: &Secret,
    cost: HashCost,
    hasher: &SecretHasher,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<StoredSecret, HashError> {
    Ok(StoredSecret {
        id: id::uuid_v7(now, rng),
        hint: secret.hint(),
        phc: hasher.hash(secret, cost, rng)?,
        cost,
        created_at: now,
        expires_at: None,
        last_used_at: None,
    })
}

/// `{type}_` and 144 random bits.
fn generated_client_id(kind: ClientType, rng: &mut dyn CryptoRng) -> ClientId {
    ClientId(format!("{kind}_{}", id::random_text::<18>(rng)))
}

/// `{type}_secret_` and 256 random bits.
pub(super) fn generated_secret(kind: ClientType, rng: &mut dyn CryptoRng) -> Secret {
    Secret::new(format!("{kind}_secret_{}", id::random_text::<32>(rng)))
}

/// The cost for a secret that the server made.
///
/// An identifier that somebody chose can be guessed, and then the time of a failure must not tell
/// whether it exists. An unknown identifier of that form is burned at the higher cost (see
/// [`crate::authentication`]), so the secrets of known ones cost the same.
pub(super) fn generated_cost(client_id: &ClientId) -> HashCost {
    if client_id.has_generated_form() { HashCost::Generated } else { HashCost::Chosen }
}
