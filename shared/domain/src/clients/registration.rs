//! The birth of a client: identifiers, secret, hash.

use rand_core::CryptoRng;

use super::stored::{generated_cost, generated_secret, stored};
use crate::hashers::{HashError, SecretMaker};
use crate::models::client::{Client, VerifiedMetadata};
use crate::values::{ClientId, ClientType, HashCost, Secret, id};

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
    maker: &mut SecretMaker<'_>,
) -> Result<NewClient, HashError> {
    let Import { client_id, client_secret } = import;
    let client_id = client_id.unwrap_or_else(|| generated_client_id(kind, maker.rng));
    let uses_secret = metadata.token_endpoint_auth_method.uses_secret();
    let secret_and_cost = uses_secret.then(|| match client_secret {
        // Nothing says that chance had much to do with it.
        Some(chosen) => (chosen, HashCost::Chosen),
        None => (generated_secret(kind, maker.rng), generated_cost(&client_id)),
    });
    let mut secrets = Vec::new();
    if let Some((secret, cost)) = &secret_and_cost {
        secrets.push(stored(secret, *cost, maker)?);
    }
    let client = Client {
        id: id::uuid_v7(maker.now, maker.rng),
        client_id,
        kind,
        metadata,
        secrets,
        created_at: maker.now,
        updated_at: maker.now,
        version: 1,
    };
    Ok(NewClient { client, secret: secret_and_cost.map(|(secret, _)| secret) })
}

/// `{type}_` and 144 random bits.
fn generated_client_id(kind: ClientType, rng: &mut dyn CryptoRng) -> ClientId {
    ClientId(format!("{kind}_{}", id::random_text::<18>(rng)))
}
