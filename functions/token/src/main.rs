//! The Lambda function `token`: joins the stores of DynamoDB with the rules of the domain.

use std::sync::Arc;

use identety_domain::authentication::ClientAuthenticator;
use identety_domain::hashing::SecretHasher;
use identety_dynamodb::{ClientTable, GrantTable, KeyTable, config};
use identety_http::{ambient, environment, lambda};
use identety_keys::kms::Kms;
use identety_keys::{KeyVault, Sealing};
use token::BackChannel;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    lambda::start_log();
    let aws = config::from_environment().await;
    let dynamodb = config::dynamodb(&aws);
    let authenticator = ClientAuthenticator {
        clients: Arc::new(ClientTable::new(
            dynamodb.clone(),
            environment::required("IDENTETY_TABLE_CLIENTS")?,
        )),
        failures: Arc::new(GrantTable::new(
            dynamodb.clone(),
            environment::required("IDENTETY_TABLE_GRANTS")?,
        )),
        hasher: Arc::new(SecretHasher::new(&mut ambient::rng()?)),
    };
    let keys = KeyTable::new(dynamodb, environment::required("IDENTETY_TABLE_KEYS")?);
    let kms = Kms::new(aws_sdk_kms::Client::new(&aws), environment::required("IDENTETY_KMS_KEY")?);
    let vault = KeyVault::new(Arc::new(keys), Sealing::Managed(Arc::new(kms)));
    let channel = Arc::new(BackChannel::new(environment::settings()?, authenticator, vault));
    channel.warm_up().await;
    lambda::run(token::router(channel)?).await
}
