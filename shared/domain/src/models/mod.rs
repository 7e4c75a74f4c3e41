//! The second layer: what is stored and what is said of it, made of values.

pub(crate) mod authentication;
pub(crate) mod browser;
pub(crate) mod claims;
pub(crate) mod client;
pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod grant;
pub(crate) mod keys;
pub(crate) mod session;
pub(crate) mod token;
pub(crate) mod transaction;
pub(crate) mod user;
