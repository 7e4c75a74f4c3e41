//! The Lambda function `client-admin`: joins the stores of DynamoDB with the rules of the domain.

use std::sync::Arc;

use client_admin::Management;
use identety_domain::admin::AdminAuthenticator;
use identety_domain::hashing::SecretHasher;
use identety_dynamodb::{AccountTable, ClientTable, GrantTable, KeyTable, config};
use identety_http::lambda::{self, StartError};
use identety_http::logging::Function;
use identety_http::{ambient, environment};
use identety_keys::PublishedKeys;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartError> {
    lambda::start_log(Function::ClientAdmin, config::take_retries);
    let dynamodb = config::dynamodb(&config::from_environment()?);
    let tables = config::tables(environment::required)?;
    let clients = Arc::new(ClientTable::new(dynamodb.clone(), tables.clients));
    let accounts = Arc::new(AccountTable::new(dynamodb.clone(), tables.accounts));
    let grants = Arc::new(GrantTable::new(dynamodb.clone(), tables.grants));
    let keys = KeyTable::new(dynamodb, tables.keys);
    let keys = Arc::new(PublishedKeys::new(Arc::new(keys)));
    let hasher = Arc::new(SecretHasher::new(&mut ambient::rng()?));
    let settings = environment::settings()?;
    let authenticator = AdminAuthenticator {
        settings: settings.clone(),
        clients: clients.clone(),
        api_keys: clients.clone(),
        failures: grants,
        hasher: hasher.clone(),
        verifier: keys.clone(),
    };
    keys.warm_up(ambient::now()).await;
    let (users, consents) = (accounts.clone(), accounts);
    let management = Management { settings, authenticator, clients, users, consents, hasher, keys };
    lambda::run(client_admin::router(Arc::new(management))).await
}
