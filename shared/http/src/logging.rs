//! The log: one line for each request, written at the boundary; never a body, a header, a path or a query.

mod line;
mod reason;

use std::io::{self, Write as _};
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::response::Response;
use identety_domain::Timestamp;
use identety_domain::client::GrantType;
use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{FilterExt as _, FilterFn, LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::ambient;
pub(crate) use line::{ColdStart, Line};
pub use reason::Reason;

/// What a handler tells the log of its answer.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The authenticated client or administrator.
    pub client: Option<String>,
    /// The grant that was used, or would have been.
    pub grant: Option<GrantType>,
    /// Why the request was refused; `None` is success.
    pub reason: Option<Reason>,
    /// What lay behind it.
    pub cause: Option<String>,
    /// What somebody has a copy of who should not.
    pub theft: Option<Theft>,
}

/// What was used a second time, and so is in two hands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Theft {
    /// A code (RFC 6749 §4.1.2).
    Code,
    /// A refresh token (RFC 9700 §4.14.2).
    RefreshToken,
}

impl Outcome {
    /// A refusal.
    #[must_use]
    pub fn refused(reason: impl Into<Reason>, cause: &str) -> Self {
        let (reason, cause) = (Some(reason.into()), Some(cause.to_owned()));
        Self { reason, cause, ..Self::default() }
    }

    /// A success of `client`; with a grant, of which it has got tokens.
    pub fn success(client: impl Into<String>, grant: Option<GrantType>) -> Self {
        Self { client: Some(client.into()), grant, ..Self::default() }
    }

    /// Sends it along with the answer; it does not leave the process.
    pub fn attach(self, response: &mut Response) {
        response.extensions_mut().insert(self);
    }
}

/// The functions, as the metric of cold starts tells them apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Function {
    /// The back channel.
    Token,
    /// The front channel.
    Authorize,
    /// The administration.
    ClientAdmin,
    /// The rotation of keys.
    KeyRotation,
}

impl Function {
    /// The name of the crate.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Authorize => "authorize",
            Self::ClientAdmin => "client-admin",
            Self::KeyRotation => "key-rotation",
        }
    }
}

/// How log lines look.
#[derive(Debug)]
pub enum Format {
    /// JSON on standard output, for CloudWatch.
    Json(FunctionLog),
    /// Text on standard error, for people.
    Text,
}

/// The log of a function, which has one process and in it one request at a time.
#[derive(Debug)]
pub struct FunctionLog {
    /// The function.
    pub function: Function,
    /// The CloudWatch namespace of the metrics in the lines; `None` is no metrics.
    pub namespace: Option<String>,
    /// Tells how often the store was asked again since it was called last.
    pub take_store_retries: fn() -> u64,
    /// When the program began.
    pub started: Timestamp,
}

/// The log of this process.
struct Log {
    function: FunctionLog,
    /// How long the start took, once it is over.
    init: OnceLock<Duration>,
    /// Whether there was a request before.
    is_warm: AtomicBool,
}

/// Set where lines are JSON.
static JSON: OnceLock<Log> = OnceLock::new();

/// The crates whose fine levels may be logged. Those of other people write down what they send and
/// receive, hashes and tokens with it, so they are heard only from `warn` upwards.
const OWN_CRATES: [&str; 9] = [
    "authorize",
    "client_admin",
    "identety",
    "identety_domain",
    "identety_dynamodb",
    "identety_http",
    "identety_keys",
    "key_rotation",
    "token",
];

/// Starts the log. `filter` is a level or directives such as `info,identety_http=debug`; nonsense in it
/// is ignored. A second call does nothing.
pub fn init(format: Format, filter: &str) {
    let layer = tracing_subscriber::fmt::layer().with_target(false);
    let layer = match format {
        Format::Json(log) => {
            let _ = JSON.set(Log {
                function: log,
                init: OnceLock::new(),
                is_warm: AtomicBool::new(false),
            });
            let layer = layer.json().flatten_event(true);
            layer.with_current_span(false).with_span_list(false).boxed()
        }
        Format::Text => layer.with_writer(io::stderr).with_ansi(false).boxed(),
    };
    let wanted = wanted(filter);
    let decent = FilterFn::new(|metadata| {
        let origin = metadata.target().split("::").next().unwrap_or_default();
        *metadata.level() <= Level::WARN || OWN_CRATES.contains(&origin)
    });
    // A process has one log; whoever came first has it.
    if tracing_subscriber::registry().with(layer.with_filter(wanted.and(decent))).try_init().is_ok()
    {
        std::panic::set_hook(Box::new(panicked));
    }
}

/// What is wanted; errors if nothing is.
fn wanted(filter: &str) -> Targets {
    let mut wanted = Targets::new().with_default(LevelFilter::ERROR);
    for directive in filter.split(',').map(str::trim) {
        let (target, level) = match directive.split_once('=') {
            Some((target, level)) => (Some(target), level),
            None => (None, directive),
        };
        let Ok(level) = level.parse::<LevelFilter>() else { continue };
        wanted = match target {
            Some(target) => wanted.with_target(target, level),
            None => wanted.with_default(level),
        };
    }
    wanted
}

/// Writes down where a panic was. What it says only where the source says it: anything that was put
/// together at run time may hold what is in nobody's log.
fn panicked(panic: &PanicHookInfo<'_>) {
    let said = panic.payload().downcast_ref::<&'static str>().copied();
    let place = panic.location().map(tracing::field::display);
    tracing::error!(place, said, "panic");
}

/// Says that the process can take requests from now on.
pub(crate) fn started() {
    if let Some(Log { function, init, .. }) = JSON.get() {
        let _ = init.set(ambient::now().since(function.started));
    }
}

/// Writes the line of a request.
pub(crate) fn write(mut line: Line<'_>) {
    let level = line.level();
    let Some(Log { function: log, init, is_warm }) = JSON.get() else {
        return match level {
            Level::ERROR => tracing::error!("{line}"),
            Level::WARN => tracing::warn!("{line}"),
            _ => tracing::info!("{line}"),
        };
    };
    // Taken even if the line is not wanted, or they would be the next one's.
    line.store_retries = (log.take_store_retries)();
    if !is_warm.swap(true, Ordering::Relaxed) {
        let init = init.get().copied().unwrap_or_default();
        line.cold_start = Some(ColdStart { function: log.function, init });
    }
    let is_wanted = match level {
        Level::ERROR => tracing::enabled!(Level::ERROR),
        Level::WARN => tracing::enabled!(Level::WARN),
        _ => tracing::enabled!(Level::INFO),
    };
    if is_wanted && let Ok(bytes) = line.json(log.namespace.as_deref()) {
        // One write, so that lines of two threads do not mix. Where there is no output there is no log.
        let _ = io::stdout().lock().write_all(&bytes);
    }
}

#[cfg(test)]
mod tests;
