//! The edge that the functions share: everything between a socket, or an event of API Gateway, and the
//! rules of the domain.
//!
//! A request passes [`edge::finish`] (log line, panics, headers), its handler, [`body`] and [`form`] or
//! [`json`] (content type, size, encoding, repetitions), [`credentials`] (exactly one mechanism), and
//! then the domain. What the domain answers becomes a status in [`response`] alone.

pub mod ambient;
pub mod body;
pub mod credentials;
pub mod edge;
pub mod environment;
pub mod form;
pub mod json;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod logging;
pub mod problem;
pub mod response;
