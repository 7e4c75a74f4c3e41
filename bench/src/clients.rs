//! Clients for the benchmarks, made by the rules and written by the stores.

use identety_domain::client::{ClientMetadata, ClientType, Import, NewClient, register};
use identety_domain::hashing::{SecretHasher, SecretMaker};
use identety_domain::store::Creation;
use identety_domain::store::Stores;
use identety_http::ambient;

/// A client's identifier and its secret.
pub struct Credentials {
    /// The identifier.
    pub client_id: String,
    /// The secret.
    pub secret: String,
}

/// A client that is not stored yet: m2m, as the administration API would register it.
pub fn new(alg: &str, hasher: &SecretHasher) -> NewClient {
    let metadata = ClientMetadata {
        name: Some("Orders".to_owned()),
        scopes: Some(vec!["orders:read".to_owned()]),
        audiences: Some(vec![format!("https://api.example.com/{alg}")]),
        access_token_signing_alg: Some(alg.to_owned()),
        ..ClientMetadata::default()
    };
    let metadata = metadata.validate(ClientType::M2m).expect("valid metadata");
    let mut rng = ambient::rng().expect("randomness");
    let now = ambient::now();
    let maker = &mut SecretMaker { hasher, now, rng: &mut rng };
    register(ClientType::M2m, metadata, Import::default(), maker).expect("a client")
}

/// Registers one.
pub async fn create(stores: &Stores, alg: &str, hasher: &SecretHasher) -> Credentials {
    let new = new(alg, hasher);
    let created = stores.clients.create(&new.client).await.expect("a client");
    assert!(matches!(created, Creation::Created));
    credentials(&new)
}

/// What the client shows.
pub fn credentials(new: &NewClient) -> Credentials {
    let secret = new.secret.as_ref().map_or("", |secret| secret.expose()).to_owned();
    Credentials { client_id: new.client.client_id.to_string(), secret }
}
