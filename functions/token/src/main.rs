//! The Lambda function `token`: joins the stores of DynamoDB with the rules of the domain.

use std::sync::Arc;

use identety_domain::authentication::RecentClients;
use identety_domain::hashing::SecretHasher;
use identety_domain::{Choices, Services};
use identety_dynamodb::{config, stores};
use identety_http::lambda::{self, StartError};
use identety_http::logging::Function;
use identety_http::{ambient, environment};
use identety_keys::kms::{self, Kms};
use identety_keys::{KeyVault, Sealing};
use token::BackChannel;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartError> {
    lambda::start_log(Function::Token, config::take_retries);
    let aws = config::from_environment()?;
    let stores = stores(&config::dynamodb(&aws), &config::tables(environment::required)?);
    let kms = Kms::new(kms::Client::new(&aws), environment::required("IDENTETY_KMS_KEY")?);
    let vault = KeyVault::new(stores.keys.clone(), Sealing::Managed(Arc::new(kms)));
    let client_cache =
        environment::seconds("IDENTETY_CLIENT_CACHE_SECONDS", &RecentClients::SECONDS)?;
    let choices = Choices { client_cache, ..Choices::default() };
    let hasher = Arc::new(SecretHasher::new(&mut ambient::rng()?));
    let services = Services::new(environment::settings()?, stores, hasher, choices);
    let channel = Arc::new(BackChannel::new(services, vault));
    channel.warm_up().await;
    lambda::run(token::router(channel)?).await
}
