//! The contract of the stores ([`identety_tests::contract`]) on each DynamoDB at hand: the embedded one
//! in memory, on files and over HTTP; and moto, as a second opinion.

use std::any::Any;
use std::collections::BTreeSet;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use identety_dynamodb::sdk::Client as DynamoDb;
use identety_dynamodb::sdk::config::timeout::TimeoutConfig;
use identety_dynamodb::{Embedded, Tables, config, create_tables};
use identety_tests::contract::{self, Raw, Stores};
use identety_tests::moto::Moto;
use identety_tests::{each_corruption, each_layout, each_race, each_repeated_race, each_sentence};

/// Stores for one test, and what must outlive them.
struct Backend {
    stores: Stores,
    raw: Raw,
    _kept: Box<dyn Any>,
}

impl Backend {
    async fn new(dynamo: DynamoDb, tables: Tables, kept: impl Any) -> Self {
        create_tables(&dynamo, &tables).await.expect("tables");
        // A second time, as each start of the program does it.
        create_tables(&dynamo, &tables).await.expect("the same tables");
        let stores = identety_dynamodb::stores(&dynamo, &tables);
        Self { stores, raw: Raw { dynamo, tables }, _kept: Box::new(kept) }
    }
}

async fn in_memory() -> Backend {
    let embedded = Embedded::in_memory().expect("a store");
    Backend::new(embedded.client(), Tables::with_prefix("t-"), ()).await
}

async fn on_files() -> Backend {
    let folder = tempfile::tempdir().expect("a folder");
    let embedded = Embedded::open(&folder.path().join("store")).expect("a store");
    Backend::new(embedded.client(), Tables::with_prefix("t-"), folder).await
}

async fn over_http() -> Backend {
    let embedded = Embedded::in_memory().expect("a store");
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    // Ends with the runtime of the test.
    tokio::spawn(dynoxide::server::serve_on(listener, embedded.database().clone()));
    Backend::new(patient(address), Tables::with_prefix("t-"), embedded).await
}

/// A client of the DynamoDB at `address`, which a busy machine may make slow.
fn patient(address: SocketAddr) -> DynamoDb {
    let client = config::dynamodb_at(&format!("http://{address}"));
    let minute = Duration::from_mins(1);
    let patience =
        TimeoutConfig::builder().operation_timeout(minute).operation_attempt_timeout(minute);
    DynamoDb::from_conf(client.config().to_builder().timeout_config(patience.build()).build())
}

macro_rules! tests_of_stores {
    ($($module:ident :: $sentence:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $sentence() {
                contract::$module::$sentence(&backend().await.stores).await;
            }
        )*
    };
}

/// More threads than cores, so that some are stopped in the middle of what they do.
macro_rules! tests_of_rounds {
    ($($module:ident :: $sentence:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 8)]
            async fn $sentence() {
                contract::$module::$sentence(&backend().await.stores, ROUNDS).await;
            }
        )*
    };
}

macro_rules! tests_of_stores_and_raw {
    ($($module:ident :: $sentence:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $sentence() {
                let backend = backend().await;
                contract::$module::$sentence(&backend.stores, &backend.raw).await;
            }
        )*
    };
}

mod embedded_in_memory {
    use super::*;

    const ROUNDS: u16 = 100;

    async fn backend() -> Backend {
        in_memory().await
    }

    each_sentence!(tests_of_stores);
    each_race!(tests_of_stores);
    each_repeated_race!(tests_of_rounds);
    each_corruption!(tests_of_stores_and_raw);
    each_layout!(tests_of_stores_and_raw);
}

mod embedded_on_files {
    use super::*;

    const ROUNDS: u16 = 10;

    async fn backend() -> Backend {
        on_files().await
    }

    each_sentence!(tests_of_stores);
    each_race!(tests_of_stores);
    each_repeated_race!(tests_of_rounds);
}

mod embedded_over_http {
    use super::*;

    const ROUNDS: u16 = 10;

    async fn backend() -> Backend {
        over_http().await
    }

    each_sentence!(tests_of_stores);
    each_race!(tests_of_stores);
    each_repeated_race!(tests_of_rounds);
}

/// A sentence, on these stores.
type Run = fn(Stores) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! runs {
    ($($module:ident :: $sentence:ident)*) => {
        [$((
            stringify!($sentence),
            (|stores| Box::pin(async move { contract::$module::$sentence(&stores).await })) as Run,
        )),*]
    };
}

/// One test for all sentences, so that one moto serves them and ends with them.
#[tokio::test(flavor = "multi_thread")]
async fn moto_agrees_with_every_sentence() {
    let moto = Moto::start().await;
    let mut refuted = Vec::new();
    for (sentence, run) in each_sentence!(runs) {
        let tables = Tables::with_prefix(&format!("{sentence}-"));
        let stores = Backend::new(patient(moto.address), tables, ()).await.stores;
        if let Err(panic) = tokio::spawn(run(stores)).await {
            refuted.push(format!("{sentence}: {panic}"));
        }
    }
    assert!(refuted.is_empty(), "moto refutes\n{}", refuted.join("\n"));
}

macro_rules! names {
    ($($module:ident :: $sentence:ident)*) => { [$(stringify!($sentence)),*] };
}

/// A sentence that nobody calls would prove nothing.
#[test]
fn every_sentence_is_called() {
    let called: BTreeSet<String> = each_sentence!(names)
        .into_iter()
        .chain(each_race!(names))
        .chain(each_repeated_race!(names))
        .chain(each_corruption!(names))
        .chain(each_layout!(names))
        .map(str::to_owned)
        .collect();
    let mut written = BTreeSet::new();
    let folder = identety_tests::binaries::root().join("tests/src/contract");
    for file in std::fs::read_dir(folder).expect("the contract") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("a text");
        let sentences = text.lines().filter_map(|line| line.strip_prefix("pub async fn "));
        written.extend(sentences.filter_map(|rest| rest.split('(').next()).map(str::to_owned));
    }
    assert_eq!(called, written);
}
