//! A client's secret: as it is made, and as it is kept.

use rand_core::CryptoRng;

use crate::hashers::{HashError, SecretMaker};
use crate::models::client::StoredSecret;
use crate::values::{ClientId, ClientType, HashCost, Secret, id};

/// `secret` as it is kept.
pub(super) fn stored(
    secret: &Secret,
    cost: HashCost,
    maker: &mut SecretMaker<'_>,
) -> Result<StoredSecret, HashError> {
    Ok(StoredSecret {
        id: id::uuid_v7(maker.now, maker.rng),
        hint: secret.hint(),
        phc: maker.hash(secret, cost)?,
        cost,
        created_at: maker.now,
        expires_at: None,
        last_used_at: None,
    })
}

/// `{type}_secret_` and 256 random bits.
pub(super) fn generated_secret(kind: ClientType, rng: &mut dyn CryptoRng) -> Secret {
    Secret::new(format!("{kind}_secret_{}", id::random_text::<32>(rng)))
}

/// The cost for a secret that the server made.
///
/// An identifier that a person chose can be guessed, and then the time of a failure must not tell whether it
/// exists. An unknown identifier of that form is burned at the higher cost (see [`crate::authentication`]), so the
/// secrets of known ones cost the same.
pub(super) fn generated_cost(client_id: &ClientId) -> HashCost {
    if client_id.has_generated_form() { HashCost::Generated } else { HashCost::Chosen }
}
