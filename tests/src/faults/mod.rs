//! Faults between the server and DynamoDB: an HTTP client of the SDK that stands before the embedded
//! one and does to requests what a [`Plan`] says. Everything above it is the real thing, so the SDK's
//! own time-outs and attempts are at work, set as they are in a function.
//!
//! ```no_run
//! # use identety_tests::faults::{Fault, TestApp, Which};
//! # async fn example() {
//! let (app, faults) = TestApp::start_faulty().await;
//! let client = app.m2m_client(&["read"]).await;
//! faults.set(Which::reads().of("CLIENT#"), Fault::Throttled);
//! assert_eq!(app.token(&client, &[]).await.status, 503);
//! # }
//! ```

mod answers;
mod chaos;
mod network;
mod request;
mod snapshot;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use identety_dynamodb::sdk::Client as DynamoDb;
use identety_dynamodb::sdk::config::retry::RetryPartition;
use identety_dynamodb::{Embedded, Tables, config};
use serde_json::Value;

pub use crate::app::TestApp;
use crate::app::{Setup, tables};
pub use chaos::Chaos;
pub use network::{Network, Traffic};
pub use request::{Request, Which};
use snapshot::Snapshot;

/// What becomes of a request, which is one attempt of the SDK.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Refused for the rate of requests. Not applied.
    Throttled,
    /// Refused by an error of this name, with status 400. Not applied.
    Refused(&'static str),
    /// A transaction that is canceled for these reasons, one for each of its items. Not applied.
    Canceled(&'static [&'static str]),
    /// 500 `InternalServerError`. Not applied.
    ServerError,
    /// 503 by something that knows no JSON. Not applied.
    ServiceUnavailable,
    /// No answer, ever. Not applied.
    Slow,
    /// Applied, but no answer, ever.
    SlowAfter,
    /// The connection breaks. Not applied.
    CutBefore,
    /// Applied, but the connection breaks before the answer.
    CutAfter,
    /// A read that is answered from the snapshot, even if it asks for strong consistency.
    Stale,
    /// What is stored cannot be read; a request that could not tell is refused as invalid.
    Unreadable,
    /// The item that a read finds is answered with this change.
    Changed(Change),
    /// The server's own code panics.
    Panic,
}

/// A change of an item, in DynamoDB's JSON; null where there is no item.
#[derive(Clone)]
pub struct Change(Arc<dyn Fn(&mut Value) + Send + Sync>);

/// Which requests meet with a fault.
#[derive(Default)]
pub enum Plan {
    /// None.
    #[default]
    Fine,
    /// Of these rules, the first that is meant and not used up.
    Rules(Vec<Rule>),
    /// Whichever chance takes.
    Chaos(Box<Chaos>),
}

/// Some requests, and what becomes of them.
#[derive(Clone, Debug)]
pub struct Rule {
    which: Which,
    fault: Fault,
    /// How many such requests go well before.
    passes: u32,
    /// How many meet with the fault then.
    times: u32,
}

/// The way to DynamoDB.
#[derive(Clone)]
pub struct Faults(Arc<State>);

struct State {
    inner: SharedHttpClient,
    plan: Mutex<Plan>,
    seen: Mutex<Vec<Request>>,
    embedded: Embedded,
    tables: Tables,
    snapshot: Mutex<Option<Snapshot>>,
}

impl Faults {
    /// A way to `embedded`, and a client that takes it, with the time-outs and attempts of a function.
    pub fn before(embedded: &Embedded, tables: &Tables) -> (DynamoDb, Self) {
        static CLIENTS: AtomicUsize = AtomicUsize::new(0);
        let client = embedded.client();
        let faults = Self(Arc::new(State {
            inner: client.config().http_client().expect("a way"),
            plan: Mutex::default(),
            seen: Mutex::default(),
            embedded: embedded.clone(),
            tables: tables.clone(),
            snapshot: Mutex::default(),
        }));
        // What one test wastes of the budget that the SDK has for attempts is no other test's loss.
        let partition = format!("faults-{}", CLIENTS.fetch_add(1, Relaxed));
        let config = client.config().to_builder().http_client(faults.clone());
        let config = config
            .timeout_config(config::timeouts())
            .retry_config(config::retries())
            .retry_partition(RetryPartition::new(partition));
        (DynamoDb::from_conf(config.build()), faults)
    }

    /// From now on such requests meet with `fault`, and no others with any.
    pub fn set(&self, which: Which, fault: Fault) {
        self.plan(Plan::Rules(vec![Rule::all(which, fault)]));
    }

    /// The same after `passes` such requests that go well.
    pub fn set_after(&self, passes: u32, which: Which, fault: Fault) {
        self.plan(Plan::Rules(vec![Rule { passes, ..Rule::all(which, fault) }]));
    }

    /// The same for the next `times` such requests only.
    pub fn set_times(&self, times: u32, which: Which, fault: Fault) {
        self.plan(Plan::Rules(vec![Rule { times, ..Rule::all(which, fault) }]));
    }

    /// Follows this plan from now on.
    pub fn plan(&self, plan: Plan) {
        *lock(&self.0.plan) = plan;
    }

    /// Lets everything work again. What has been frozen stays so.
    pub fn clear(&self) {
        self.plan(Plan::Fine);
    }

    /// From now on, whatever does not ask for strong consistency is told how everything is now, and not
    /// how it will be.
    pub fn freeze(&self) {
        let snapshot = Snapshot::of(&self.0.embedded, &self.0.tables);
        *lock(&self.0.snapshot) = Some(snapshot);
    }

    /// The requests that were made since this was last asked for, those that met with a fault too.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut *lock(&self.0.seen))
    }

    /// What `plan` has for a request.
    fn fault(&self, request: &Request) -> Option<Fault> {
        match &mut *lock(&self.0.plan) {
            Plan::Fine => None,
            Plan::Rules(rules) => rules.iter_mut().find_map(|rule| rule.strike(request)),
            Plan::Chaos(chaos) => chaos.strike(request),
        }
    }

    fn pause(&self) -> Option<std::time::Duration> {
        match &mut *lock(&self.0.plan) {
            Plan::Fine | Plan::Rules(_) => None,
            Plan::Chaos(chaos) => Some(chaos.pause()),
        }
    }
}

impl Fault {
    /// An item that a read finds is answered with this change.
    pub fn changed(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::Changed(Change(Arc::new(change)))
    }
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Change")
    }
}

impl Rule {
    /// All such requests meet with `fault`.
    pub fn all(which: Which, fault: Fault) -> Self {
        Self { which, fault, passes: 0, times: u32::MAX }
    }

    fn strike(&mut self, request: &Request) -> Option<Fault> {
        if !self.which.means(request) || self.times == 0 {
            return None;
        }
        if let Some(fewer) = self.passes.checked_sub(1) {
            self.passes = fewer;
            return None;
        }
        self.times = self.times.saturating_sub(u32::from(self.times != u32::MAX));
        Some(self.fault.clone())
    }
}

impl TestApp {
    /// A server whose requests to DynamoDB meet with the faults that a test sets.
    pub async fn start_faulty() -> (Self, Faults) {
        Self::start_faulty_as(Setup::default()).await
    }

    /// The same, set up in another way.
    pub async fn start_faulty_as(setup: Setup) -> (Self, Faults) {
        let mut faults = None;
        let app = Self::start_on(setup, |embedded| {
            let (client, way) = Faults::before(embedded, &tables());
            faults = Some(way);
            identety_dynamodb::stores(&client, &tables())
        });
        (app.await, faults.expect("a way"))
    }
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faults")
    }
}

impl HttpClient for Faults {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.0.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, faults: self.clone() })
    }
}

#[derive(Clone, Debug)]
struct Connector {
    inner: SharedHttpConnector,
    faults: Faults,
}

impl HttpConnector for Connector {
    fn call(&self, http: HttpRequest) -> HttpConnectorFuture {
        let request = Request::of(&http);
        lock(&self.faults.0.seen).push(request.clone());
        let Some(pause) = self.faults.pause() else { return self.answer(&request, http) };
        let connector = self.clone();
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(pause).await;
            connector.answer(&request, http).await
        })
    }
}

impl Connector {
    fn answer(&self, request: &Request, http: HttpRequest) -> HttpConnectorFuture {
        let Some(fault) = self.faults.fault(request) else { return self.pass(request, http) };
        match fault {
            Fault::Slow => HttpConnectorFuture::new(std::future::pending()),
            Fault::CutBefore => HttpConnectorFuture::ready(Err(answers::cut())),
            Fault::Panic => panic!("an injected fault with internals"),
            Fault::SlowAfter | Fault::CutAfter => {
                let applied = self.pass(request, http);
                let is_slow = matches!(fault, Fault::SlowAfter);
                HttpConnectorFuture::new(async move {
                    applied.await?;
                    if is_slow {
                        std::future::pending::<()>().await;
                    }
                    Err(answers::cut())
                })
            }
            Fault::Stale => {
                let stale = self.stale(request);
                stale.unwrap_or_else(|| self.pass(request, http))
            }
            Fault::Changed(Change(change)) => {
                let whole = self.pass(request, http);
                HttpConnectorFuture::new(
                    async move { Ok(answers::changed(&whole.await?, &*change)) },
                )
            }
            Fault::Unreadable if request.operation == "GetItem" => {
                let whole = self.pass(request, http);
                HttpConnectorFuture::new(async move {
                    Ok(answers::changed(&whole.await?, &answers::make_unreadable))
                })
            }
            refusal => HttpConnectorFuture::ready(Ok(answers::refusal(&refusal))),
        }
    }

    /// To the database: the one that lags behind, if the request takes its answer.
    fn pass(&self, request: &Request, http: HttpRequest) -> HttpConnectorFuture {
        let stale = if request.is_consistent { None } else { self.stale(request) };
        stale.unwrap_or_else(|| self.inner.call(http))
    }

    fn stale(&self, request: &Request) -> Option<HttpConnectorFuture> {
        let snapshot = lock(&self.faults.0.snapshot);
        let answer = snapshot.as_ref().filter(|_| !request.is_write)?.answer(request);
        Some(HttpConnectorFuture::ready(Ok(answer)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
