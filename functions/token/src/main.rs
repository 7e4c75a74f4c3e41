//! The Lambda function `token`: joins the stores of DynamoDB with the rules of the domain.

use std::sync::Arc;

use identety_domain::authentication::{ClientAuthenticator, RecentClients};
use identety_domain::grant::Grants;
use identety_domain::hashing::SecretHasher;
use identety_dynamodb::{AccountTable, ClientTable, GrantTable, KeyTable, config};
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
    let dynamodb = config::dynamodb(&aws);
    let tables = config::tables(environment::required)?;
    let clients = ClientTable::new(dynamodb.clone(), tables.clients);
    let accounts = AccountTable::new(dynamodb.clone(), tables.accounts);
    let grants = Arc::new(GrantTable::new(dynamodb.clone(), tables.grants));
    let keys = KeyTable::new(dynamodb, tables.keys);
    let kept = environment::seconds("IDENTETY_CLIENT_CACHE_SECONDS", &RecentClients::SECONDS)?;
    let authenticator = ClientAuthenticator {
        clients: Arc::new(clients),
        failures: grants.clone(),
        hasher: Arc::new(SecretHasher::new(&mut ambient::rng()?)),
        recent: Arc::new(RecentClients::kept_for(kept)),
    };
    let grants = Grants { grants: grants.clone(), sessions: grants, users: Arc::new(accounts) };
    let kms = Kms::new(kms::Client::new(&aws), environment::required("IDENTETY_KMS_KEY")?);
    let vault = KeyVault::new(Arc::new(keys), Sealing::Managed(Arc::new(kms)));
    let channel =
        Arc::new(BackChannel::new(environment::settings()?, authenticator, grants, vault));
    channel.warm_up().await;
    lambda::run(token::router(channel)?).await
}
