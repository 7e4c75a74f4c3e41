//! The program `identety`: the whole server in one process, on an embedded store.
//!
//! The routers are those of the Lambda functions, the store is the DynamoDB one; only the front door and
//! the place of the data differ.

pub mod app;
pub mod serve;
pub mod stack;
