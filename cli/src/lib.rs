//! The program `identety`: the whole server in one process, on an embedded store; and the tools for it.
//!
//! The routers are those of the Lambda functions, the store is the DynamoDB one; only the front door and
//! the place of the data differ.

mod administrator;
pub mod app;
#[cfg(feature = "aws")]
pub mod bootstrap;
mod data;
pub mod keys;
pub mod serve;
#[cfg(feature = "aws")]
pub mod stack;
#[cfg(not(feature = "aws"))]
pub mod without_aws;
