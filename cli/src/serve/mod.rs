//! `identety serve`: everything in one process.

mod administrator;
mod demo;
mod listener;
mod timers;
mod welcome;

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use identety_domain::hashing::{HashError, SecretHasher, SecretMaker};
use identety_domain::issuer::IssuerError;
use identety_domain::keys::RotationPeriod;
use identety_domain::store::StoreError;
use identety_domain::{Choices, Issuer, Services, Settings};
use identety_dynamodb::{Embedded, EmbeddedError, Tables, create_tables, stores};
use identety_http::ambient::{self, NoRandomness};
use identety_http::logging;
use identety_keys::{KeysError, Rotator, Sealing};
use tokio::net::TcpListener;

use crate::administrator::AdministratorError;
use crate::app::App;
use crate::data::{DataError, DataFolder};

/// The options of `identety serve`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The port to listen on, of this machine alone; 0 takes any free one.
    #[arg(long, env = "IDENTETY_PORT", default_value_t = 8080)]
    port: u16,
    /// The folder of the data; made when it is not there.
    #[arg(long, env = "IDENTETY_DATA", default_value = ".identety")]
    data: PathBuf,
    /// The issuer, when it is not http://localhost:PORT.
    #[arg(long, env = "IDENTETY_ISSUER")]
    issuer: Option<String>,
    /// Lets people make accounts for themselves.
    #[arg(long, env = "IDENTETY_SELF_REGISTRATION")]
    self_registration: bool,
    /// How many seconds a client that was read may be used again without a read, 0 to 300. Disabling it or
    /// deleting one of its secrets takes as long.
    #[arg(
        long,
        env = "IDENTETY_CLIENT_CACHE_SECONDS",
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(0..=300)
    )]
    client_cache_seconds: u32,
    /// After how many days another key signs tokens: 2 to 365.
    #[arg(long, env = "IDENTETY_KEY_ROTATION_DAYS", value_name = "DAYS", default_value_t)]
    key_rotation_days: RotationPeriod,
    /// What is logged: a level (error, warn, info, debug) or directives.
    #[arg(long, env = "IDENTETY_LOG", default_value = "info")]
    log: String,
}

/// Why the server does not run: one line for the person who started it.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody else listens there.
    #[error("port {0} is taken; choose another with --port")]
    PortTaken(u16),
    /// The socket refuses for another reason.
    #[error("cannot listen on port {port}: {cause}")]
    Listen {
        /// The port.
        port: u16,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The issuer is not valid.
    #[error("--issuer: {0}")]
    Issuer(#[from] IssuerError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The embedded store does not open.
    #[error("the data cannot be opened: {0}")]
    Embedded(#[from] EmbeddedError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing keys cannot be opened.
    #[error(
        "the signing keys in the data folder cannot be used: {0}; is seal.key the one of this folder?"
    )]
    Keys(#[from] KeysError),
    /// A secret cannot be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// There is no administrator.
    #[error(transparent)]
    Administrator(#[from] AdministratorError),
    /// No randomness, no secrets.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// A document cannot be written as JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The runtime does not start, or no signals come.
    #[error("cannot start: {0}")]
    Runtime(io::Error),
}

/// Runs the server until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub fn run(options: Options) -> Result<(), ServeError> {
    logging::init(logging::Format::Text, &options.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(ServeError::Runtime)?.block_on(serve(options))
}

async fn serve(options: Options) -> Result<(), ServeError> {
    let shutdown = listener::shutdown_signal().map_err(ServeError::Runtime)?;
    let folder = DataFolder::open(&options.data)?;
    let socket = listen(options.port).await?;
    let address = socket.local_addr().map_err(|cause| listen_error(options.port, cause))?;
    let issuer = options.issuer.unwrap_or_else(|| format!("http://localhost:{}", address.port()));
    let issuer = Issuer::parse(&issuer)?;
    let default_audience = issuer.as_str().into();
    let settings = Settings { issuer, default_audience };

    let mut rng = ambient::rng()?;
    let embedded = Embedded::open(&folder.database())?;
    let tables = Tables::with_prefix("identety-");
    create_tables(&embedded.client(), &tables).await?;
    let stores = stores(&embedded.client(), &tables);
    let hasher = Arc::new(SecretHasher::new(&mut rng));
    let is_first = stores.keys.load().await?.rings.is_empty();
    let sealing = Sealing::Local(folder.sealing_key_or_new(is_first, &mut rng)?);
    let rotator = Rotator::new(stores.keys.clone(), sealing.clone());
    let choices = Choices {
        registration_is_open: options.self_registration,
        client_cache: options.client_cache_seconds,
    };
    let services = Services::new(settings, stores, hasher, choices);
    let app = App::new(&services, sealing, Arc::new(ambient::now))?;
    app.back_channel.open_keys().await?;
    let hasher = &services.hasher;
    let maker = &mut SecretMaker { hasher, now: ambient::now(), rng: &mut rng };
    let administrator = administrator::ensure(&folder, &services, maker).await?;

    tokio::spawn(timers::forget_expired(embedded));
    tokio::spawn(timers::rotate_keys(rotator, options.key_rotation_days));
    welcome::print(&services.settings, address, &folder, &administrator, &mut rng);
    listener::serve(socket, app.with(demo::routes()).into_router(), shutdown).await;
    Ok(())
}

/// Loopback only: what listens to the world belongs behind API Gateway.
async fn listen(port: u16) -> Result<TcpListener, ServeError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    bound.map_err(|cause| listen_error(port, cause))
}

fn listen_error(port: u16, cause: io::Error) -> ServeError {
    if cause.kind() == io::ErrorKind::AddrInUse {
        return ServeError::PortTaken(port);
    }
    ServeError::Listen { port, cause }
}
