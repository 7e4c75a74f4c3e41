//! What the processes of one deployment share without asking each other.

use std::sync::Arc;

use identety_domain::Timestamp;
use identety_domain::grant::{GrantId, RefreshToken};
use identety_domain::store::KeyStore;
use identety_dynamodb::{Embedded, KeyTable, Tables, create_tables};
use identety_keys::{KeyVault, Sealing};
use zeroize::Zeroizing;

async fn store() -> Arc<dyn KeyStore> {
    let dynamo = Embedded::in_memory().unwrap().client();
    let tables = Tables::with_prefix("");
    create_tables(&dynamo, &tables).await.unwrap();
    Arc::new(KeyTable::new(dynamo, tables.keys))
}

/// A refresh token as a process makes it that starts now.
async fn token_of_a_process(store: &Arc<dyn KeyStore>, sealing: u8) -> String {
    let sealing = Sealing::Local(Zeroizing::new([sealing; 32]));
    let vault = KeyVault::new(store.clone(), sealing);
    let mut rng = identety_http::ambient::rng().unwrap();
    let keys = vault.opened(Timestamp::from_seconds(1_900_000_000), &mut rng).await.unwrap();
    let token = RefreshToken { grant: GrantId::of_code("code"), generation: 3 };
    let text = keys.refresh_key().token(&token);
    assert_eq!(keys.refresh_key().read(text.expose()), Some(token));
    text.expose().to_owned()
}

#[tokio::test]
async fn every_process_of_a_deployment_makes_the_same_refresh_tokens() {
    let store = store().await;
    let first = token_of_a_process(&store, 1).await;
    assert_eq!(token_of_a_process(&store, 1).await, first);
}

#[tokio::test]
async fn a_deployment_that_seals_with_another_key_makes_other_refresh_tokens() {
    let (one, other) = (store().await, store().await);
    assert_ne!(token_of_a_process(&one, 1).await, token_of_a_process(&other, 2).await);
}
