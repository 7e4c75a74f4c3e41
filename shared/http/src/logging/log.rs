//! The log of a process: who hears what, and the writing of lines.

use std::io::{self, Write as _};
use std::panic::PanicHookInfo;
use std::str::FromStr as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use identety_domain::Timestamp;
use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{FilterExt as _, FilterFn, LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::function::Function;
use super::line::{ColdStart, Line};
#[cfg(feature = "lambda")]
use crate::ambient;

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

/// Starts the log. `filter` is a level or directives such as `info,identety_http=debug`; of a filter that cannot be
/// read, errors are left. A second call does nothing.
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
    let errors = || Targets::new().with_default(LevelFilter::ERROR);
    let wanted = Targets::from_str(filter).unwrap_or_else(|_| errors());
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

/// Writes down where a panic was. What it says only where the source says it: anything that was put
/// together at run time may hold what is in nobody's log.
fn panicked(panic: &PanicHookInfo<'_>) {
    let said = panic.payload().downcast_ref::<&'static str>().copied();
    let place = panic.location().map(tracing::field::display);
    tracing::error!(place, said, "panic");
}

/// Says that the process can take requests from now on.
#[cfg(feature = "lambda")]
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
