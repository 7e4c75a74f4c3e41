//! The rules and models of the authorization server.
//!
//! Everything here is pure or reaches the world through a trait: no AWS, no HTTP, no clock and no
//! randomness of its own. The time (`now`) and the random source (`rng`) are parameters; the stores
//! are small traits in the words of the domain ([`store`]); signing is a trait ([`keys::Signer`]).
//!
//! Where to start reading: [`token::execute`] for a token request, [`client::register`] for the
//! birth of a client, [`client::ClientMetadata::validate`] for every rule of the client model.

pub mod admin;
pub mod authentication;
pub mod authorization;
pub mod client;
pub mod discovery;
pub mod grant;
pub mod hashing;
pub mod id;
pub mod issuer;
pub mod keys;
pub mod limits;
mod rules;
pub mod scope;
pub mod secret;
pub mod store;
pub mod time;
pub mod token;
pub mod user;

pub use issuer::{Issuer, Settings};
pub use rules::FieldError;
pub use scope::{Scope, ScopeToken};
pub use secret::Secret;
pub use time::{Seconds, Timestamp};
