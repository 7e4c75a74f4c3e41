//! What the tests of the house stand on: the whole server in one process on a store in memory
//! ([`app`]), with [`faults`] where a test wants them, and the same server as Lambda binaries behind a stand-in for API Gateway ([`lambda`]).
//!
//! ```no_run
//! # async fn example() {
//! use identety_tests::app::TestApp;
//!
//! let app = TestApp::start().await;
//! let client = app.m2m_client(&["orders:read"]).await;
//! let answer = app.token(&client, &[]).await;
//! assert_eq!(answer.status, 200);
//! # }
//! ```

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::panic,
    reason = "whatever goes wrong while a test is set up ends the test"
)]

pub mod app;
pub mod binaries;
pub mod browser;
pub mod call;
pub mod contract;
pub mod deployment;
pub mod faults;
pub mod fixture_keys;
pub mod lambda;
pub mod moto;
pub mod outside;
pub mod serve;
pub mod sign_in;
pub mod stand_in;
pub mod story;
