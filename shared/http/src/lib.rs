//! The edge that the functions share: everything between a socket, or an event of API Gateway, and the
//! rules of the domain.
//!
//! A request passes [`edge::finish`] (context, log line, panics, headers), its handler, [`body`] and [`form`] or
//! [`json`] (content type, size, encoding, repetitions), [`credentials`] (exactly one mechanism), and
//! then the domain. What the domain refuses becomes a status in [`refusal`] (OAuth) or [`problem`]
//! (administration) alone.

pub mod ambient;
pub mod body;
pub mod context;
pub mod credentials;
pub mod edge;
pub mod environment;
pub mod form;
pub mod json;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod logging;
pub mod problem;
pub mod refusal;
pub mod response;
