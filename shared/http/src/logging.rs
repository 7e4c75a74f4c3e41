//! One line for each request, written at the boundary; never a body, a header or a query.

use axum::response::Response;
use tracing_subscriber::EnvFilter;

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

/// Starts the log. `filter` is a level or directives such as `info,identety=debug`; nonsense in it is
/// ignored. A second call does nothing.
pub fn init(format: Format, filter: &str) {
    let filter = EnvFilter::builder().parse_lossy(filter);
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    // A process has one log; whoever came first has it.
    let _ = match format {
        Format::Json => subscriber.json().flatten_event(true).with_current_span(false).try_init(),
        Format::Text => subscriber.with_writer(std::io::stderr).with_ansi(false).try_init(),
    };
}
