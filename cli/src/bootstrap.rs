//! `identety bootstrap`: the first administrator of a deployed stack.
//!
//! A deployment has an administrator when it has an API key. That is one item, written only if it is absent,
//! so of two people who do this at once, one does.

use std::io::{self, Write as _};

use clap::Args;
use identety_domain::admin;
use identety_domain::hashing::{HashCost, HashError, SecretHasher, SecretMaker};
use identety_domain::store::{ApiKeyStore as _, Change, StoreError};
use identety_dynamodb::ClientTable;
use identety_dynamodb::sdk::Client as DynamoDb;
use identety_http::ambient::{self, NoRandomness};
use serde::Serialize;

use crate::administrator::{Administrator, AdministratorError, register_administrator};
use crate::stack::{Stack, StackError};

/// The options of `identety bootstrap`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The name of the deployed CloudFormation stack.
    #[arg(long)]
    stack: String,
    /// Makes an administrator though there is one: the API key of before ends at once, its clients stay.
    #[arg(long)]
    force: bool,
}

/// Why there is no new administrator: one line for the person who asked for one.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// There is one already.
    #[error(
        "the stack {0} has an administrator already; nothing was changed. If its credentials are lost, --force makes \
         another one and ends the API key of before"
    )]
    Exists(String),
    /// The stack cannot be found.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The clients table cannot be written.
    #[error("the clients table {table} cannot be written: {cause}")]
    Store {
        /// The table.
        table: String,
        /// What the store said.
        cause: StoreError,
    },
    /// The API key is there, the client is not.
    #[error("{0}. The API key was set all the same, and is lost: run this again with --force")]
    HalfDone(#[source] AdministratorError),
    /// A secret cannot be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// No randomness, no secrets.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The credentials could not be shown.
    #[error("the credentials cannot be written: {0}. Run this again with --force")]
    Output(#[from] io::Error),
    /// The runtime does not start.
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
}

/// The credentials, as they are shown this once.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Credentials<'a> {
    issuer: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
    api_key: &'a str,
}

/// Makes the administrator and prints its credentials: JSON on standard output, and what to do with them on
/// standard error.
///
/// # Errors
/// When the stack has one and `force` is not set; and without AWS credentials that may write its clients.
pub fn run(options: &Options) -> Result<(), BootstrapError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(BootstrapError::Runtime)?.block_on(bootstrap(options))
}

async fn bootstrap(options: &Options) -> Result<(), BootstrapError> {
    let stack = Stack::load(&options.stack).await?;
    let table = stack.tables.clients.clone();
    let clients = ClientTable::new(DynamoDb::new(&stack.config), &table);
    let refused = |cause| BootstrapError::Store { table: table.clone(), cause };

    let mut rng = ambient::rng()?;
    let hasher = SecretHasher::new(&mut rng);
    let api_key = admin::generate_api_key(&mut rng);
    let phc = hasher.hash(&api_key, HashCost::Generated, &mut rng)?;
    if options.force {
        clients.set_api_key(&phc).await.map_err(refused)?;
    } else {
        match clients.create_api_key(&phc).await.map_err(refused)? {
            Change::Done => {}
            Change::Conflict => return Err(BootstrapError::Exists(options.stack.clone())),
        }
    }
    let maker = &mut SecretMaker { hasher: &hasher, now: ambient::now(), rng: &mut rng };
    let administrator = register_administrator(&clients, maker).await;
    let administrator = administrator.map_err(BootstrapError::HalfDone)?;
    show(&stack.issuer, &administrator, api_key.expose())?;
    Ok(())
}

fn show(issuer: &str, administrator: &Administrator, api_key: &str) -> io::Result<()> {
    let credentials = Credentials {
        issuer,
        client_id: &administrator.client_id,
        client_secret: administrator.client_secret.expose(),
        api_key,
    };
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &credentials)?;
    writeln!(out)?;
    out.flush()?;
    eprintln!(
        "\nThese credentials are shown this once: keep them in a secrets manager. With them:\n\n  \
         curl {issuer}/admin/clients -H 'x-api-key: …'\n  \
         curl {issuer}/oauth2/token -u 'clientId:clientSecret' -d grant_type=client_credentials"
    );
    Ok(())
}
