//! `identety keys`: the keys that sign tokens, for people. The timer moves them on by itself; this is for
//! looking, and for emergencies.

mod output;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use identety_domain::client::SigningAlg;
use identety_domain::keys::{KeyRing, Obstacle};
use identety_domain::store::StoreError;
#[cfg(feature = "aws")]
use identety_dynamodb::config;
use identety_dynamodb::{Embedded, EmbeddedError, KeyTable, Tables};
use identety_http::ambient::{self, NoRandomness};
#[cfg(feature = "aws")]
use identety_keys::kms::{self, Kms};
use identety_keys::{ChangeError, Rotator, Sealing};

use crate::data::{DataError, DataFolder};
#[cfg(feature = "aws")]
use crate::stack::{Stack, StackError};
#[cfg(not(feature = "aws"))]
use crate::without_aws::NoAws as StackError;
use output::Format;

/// The options of `identety keys`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Shows the keys of each algorithm: next, current and previous.
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Lets the next key sign now; refused where that would make anybody refuse good tokens.
    Rotate {
        #[command(flatten)]
        of: Of,
        /// Of one algorithm alone: RS256 or ES256.
        #[arg(long, value_parser = alg)]
        alg: Option<SigningAlg>,
        /// Rotates even so: APIs that keep the key set refuse new tokens for up to two hours, or tokens of
        /// the key that goes.
        #[arg(long)]
        force: bool,
    },
    /// Takes a key away at once, because it is known to somebody else. What it signed is refused.
    Revoke {
        #[command(flatten)]
        of: Of,
        /// The key, as `identety keys list` shows it.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

/// Whose keys, and how to show them.
#[derive(Args, Clone, Debug)]
struct Of {
    /// The data folder of a server on this machine, which must not be running.
    #[arg(long, env = "IDENTETY_DATA", default_value = ".identety")]
    data: PathBuf,
    /// A deployed stack, in the place of a data folder; with your AWS credentials.
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    /// How the answer looks.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// Why a command was not carried out: one line for the person who gave it.
#[derive(Debug, thiserror::Error)]
pub enum KeysCommandError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The embedded store does not open.
    #[error("the data cannot be opened: {0}")]
    Embedded(#[from] EmbeddedError),
    /// The stack cannot be reached.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It would break something that has time.
    #[error("{alg}: {obstacle}; wait until then, or see --force", alg = .0.as_str(), obstacle = .1)]
    Obstacle(SigningAlg, Obstacle),
    /// The keys were not changed.
    #[error(transparent)]
    Change(ChangeError),
    /// No randomness, no keys.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The answer cannot be written.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// The runtime does not start.
    #[error("cannot start: {0}")]
    Runtime(io::Error),
}

impl From<ChangeError> for KeysCommandError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Obstacle(alg, obstacle) => Self::Obstacle(alg, obstacle),
            other => Self::Change(other),
        }
    }
}

/// Carries a command out.
///
/// # Errors
/// When the keys cannot be reached, or not be changed.
pub fn run(options: &Options) -> Result<(), KeysCommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(KeysCommandError::Runtime)?.block_on(carry_out(&options.command))
}

async fn carry_out(command: &Command) -> Result<(), KeysCommandError> {
    let now = ambient::now();
    let mut rng = ambient::rng()?;
    match command {
        Command::List { of } => {
            let opened = of.open().await?;
            Ok(output::list(&opened.rotator.rings().await?, of.output)?)
        }
        Command::Rotate { of, alg, force } => {
            let opened = of.open().await?;
            let before = opened.rotator.rings().await?;
            let rotated = opened.rotator.rotate(*alg, *force, now, &mut rng).await?;
            let broken = rotated.iter().flat_map(|rotated| obstacles(&before, rotated.alg, now));
            Ok(output::rotated(&rotated, broken, of.output)?)
        }
        Command::Revoke { of, kid } => {
            let opened = of.open().await?;
            let revoked = opened.rotator.revoke(kid, now, &mut rng).await?;
            Ok(output::revoked(kid, &revoked, of.output)?)
        }
    }
}

/// What a rotation of `alg` broke.
fn obstacles(
    before: &[KeyRing],
    alg: SigningAlg,
    now: identety_domain::Timestamp,
) -> impl Iterator<Item = (SigningAlg, Obstacle)> {
    let ring = before.iter().filter(move |ring| ring.alg == alg);
    ring.flat_map(move |ring| ring.obstacles(now)).map(move |obstacle| (alg, obstacle))
}

/// Keys within reach.
struct Opened {
    rotator: Rotator,
    /// The lock on the data folder.
    _folder: Option<DataFolder>,
}

impl Of {
    async fn open(&self) -> Result<Opened, KeysCommandError> {
        if let Some(name) = &self.stack {
            return Ok(Opened { rotator: rotator_of(name).await?, _folder: None });
        }
        let folder = DataFolder::open_existing(&self.data)?;
        let embedded = Embedded::open(&folder.database())?;
        let tables = Tables::with_prefix("identety-");
        let keys = KeyTable::new(embedded.client(), tables.keys);
        let key = folder.sealing_key()?.ok_or_else(|| folder.no_sealing_key())?;
        let rotator = Rotator::new(Arc::new(keys), Sealing::Local(key));
        Ok(Opened { rotator, _folder: Some(folder) })
    }
}

/// What changes the keys of a deployed stack.
#[cfg(feature = "aws")]
async fn rotator_of(stack: &str) -> Result<Rotator, StackError> {
    let Stack { tables, sealing_key_arn, config: aws, .. } = Stack::load(stack).await?;
    let keys = KeyTable::new(config::dynamodb(&aws), tables.keys);
    let kms = Kms::new(kms::Client::new(&aws), sealing_key_arn);
    Ok(Rotator::new(Arc::new(keys), Sealing::Managed(Arc::new(kms))))
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "with the feature aws, this asks CloudFormation")]
async fn rotator_of(_stack: &str) -> Result<Rotator, StackError> {
    Err(StackError)
}

fn alg(name: &str) -> Result<SigningAlg, String> {
    SigningAlg::parse(name).ok_or_else(|| "RS256 or ES256".to_owned())
}
