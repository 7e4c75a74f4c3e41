//! The Lambda function `client-admin`: joins the stores of DynamoDB with the rules of the domain.

use std::sync::Arc;

use client_admin::Management;
use identety_domain::hashing::SecretHasher;
use identety_domain::{Choices, Services};
use identety_dynamodb::{config, stores};
use identety_http::lambda::{self, StartError};
use identety_http::logging::Function;
use identety_http::{ambient, environment};
use identety_keys::PublishedKeys;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartError> {
    lambda::start_log(Function::ClientAdmin, config::take_retries);
    let dynamodb = config::dynamodb(&config::from_environment()?);
    let stores = stores(&dynamodb, &config::tables(environment::required)?);
    let keys = Arc::new(PublishedKeys::new(stores.keys.clone()));
    let hasher = Arc::new(SecretHasher::new(&mut ambient::rng()?));
    let services = Services::new(environment::settings()?, stores, hasher, Choices::default());
    keys.warm_up(ambient::now()).await;
    lambda::run(client_admin::router(Arc::new(Management::new(services, keys)))).await
}
