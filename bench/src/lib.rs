//! What the benchmarks stand on: a stand-in for the services that a Lambda function asks, which answers at
//! once and says how long it took, and processes with what they cost.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "whatever goes wrong ends the benchmark"
)]

pub mod aws;
pub mod clients;
pub mod http;
pub mod process;
pub mod runtime_api;
