//! The log: one line for each request, written at the boundary; never a body, a header, a path or a query.

mod function;
mod line;
mod log;
pub mod reason;

pub use function::Function;
pub(crate) use line::Line;
#[cfg(feature = "lambda")]
pub(crate) use log::started;
pub(crate) use log::write;
pub use log::{Format, FunctionLog, init};
