//! One line for each request, written at the boundary; never a body, a header or a query.

use axum::response::Response;
use tracing::Level;
use tracing_subscriber::filter::{FilterExt as _, FilterFn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// What a handler tells the log of its answer.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The authenticated client or administrator.
    pub client: Option<String>,
    /// The grant.
    pub grant: Option<&'static str>,
    /// The error that the caller was told; `None` is success.
    pub error: Option<&'static str>,
    /// What lay behind it.
    pub cause: Option<String>,
}

impl Outcome {
    /// A refusal.
    #[must_use]
    pub fn refused(error: &'static str, cause: &str) -> Self {
        Self { error: Some(error), cause: Some(cause.to_owned()), ..Self::default() }
    }

    /// A success of `client`.
    pub fn success(client: impl Into<String>, grant: Option<&'static str>) -> Self {
        Self { client: Some(client.into()), grant, ..Self::default() }
    }

    /// Sends it along with the answer; it does not leave the process.
    pub fn attach(self, response: &mut Response) {
        response.extensions_mut().insert(self);
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// JSON, for CloudWatch.
    Json,
    /// Text on standard error, for people.
    Text,
}

/// The crates whose fine levels may be logged. Those of other people write down what they send and
/// receive, hashes and tokens with it, so they are heard only from `warn` upwards.
const OWN_CRATES: [&str; 7] = [
    "authorize",
    "client_admin",
    "identety",
    "identety_domain",
    "identety_http",
    "identety_keys",
    "token",
];

/// Starts the log. `filter` is a level or directives such as `info,identety_http=debug`; nonsense in it
/// is ignored. A second call does nothing.
pub fn init(format: Format, filter: &str) {
    let layer = tracing_subscriber::fmt::layer().with_target(false);
    let layer = match format {
        Format::Json => layer.json().flatten_event(true).with_current_span(false).boxed(),
        Format::Text => layer.with_writer(std::io::stderr).with_ansi(false).boxed(),
    };
    let wanted = EnvFilter::builder().parse_lossy(filter);
    let decent = FilterFn::new(|metadata| {
        let origin = metadata.target().split("::").next().unwrap_or_default();
        *metadata.level() <= Level::WARN || OWN_CRATES.contains(&origin)
    });
    // A process has one log; whoever came first has it.
    let _ = tracing_subscriber::registry().with(layer.with_filter(wanted.and(decent))).try_init();
}
