//! The Lambda function `authorize`: joins the stores of DynamoDB with the rules of the domain.

use std::sync::Arc;

use authorize::FrontDoor;
use identety_domain::authorization::FrontChannel;
use identety_domain::grant::Grants;
use identety_domain::hashing::SecretHasher;
use identety_domain::limits::SignInLimits;
use identety_dynamodb::{AccountTable, ClientTable, GrantTable, KeyTable, config};
use identety_http::lambda::{self, StartError};
use identety_http::logging::Function;
use identety_http::{ambient, environment};
use identety_keys::PublishedKeys;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartError> {
    lambda::start_log(Function::Authorize, config::take_retries);
    let dynamodb = config::dynamodb(&config::from_environment()?);
    let tables = config::tables(environment::required)?;
    let clients = Arc::new(ClientTable::new(dynamodb.clone(), tables.clients));
    let accounts = Arc::new(AccountTable::new(dynamodb.clone(), tables.accounts));
    let grants = Arc::new(GrantTable::new(dynamodb.clone(), tables.grants));
    let keys = KeyTable::new(dynamodb, tables.keys);
    let keys = Arc::new(PublishedKeys::new(Arc::new(keys)));
    let channel = FrontChannel {
        settings: environment::settings()?,
        registration_is_open: environment::is_set("IDENTETY_SELF_REGISTRATION")?,
        clients,
        grants: Grants {
            grants: grants.clone(),
            sessions: grants.clone(),
            users: accounts.clone(),
        },
        transactions: grants.clone(),
        consents: accounts,
        limits: SignInLimits { attempts: grants },
        hasher: Arc::new(SecretHasher::new(&mut ambient::rng()?)),
        verifier: keys.clone(),
    };
    keys.warm_up(ambient::now()).await;
    lambda::run(authorize::router(Arc::new(FrontDoor { channel, keys }))).await
}
