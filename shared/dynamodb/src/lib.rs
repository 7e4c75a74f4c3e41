//! The stores of the domain on DynamoDB: key schema, items and models, conditional writes.
//!
//! | table | key | item |
//! |---|---|---|
//! | clients | `CLIENT#{clientId}` | a client; `listing` and `id` make it appear in the index `listing` |
//! | clients | `ID#{id}` | a pointer to the client with that id |
//! | clients | `APIKEY` | the hash of the administrators' API key |
//! | accounts | `USER#{id}`, `USER` | a user; `listing` and `id` make it appear in the index `listing` |
//! | accounts | `EMAIL#{address}`, `EMAIL` | a pointer to the user with that address, as it is compared |
//! | accounts | `CONSENT#{user}`, client's id | the scope that the user has allowed the client |
//! | keys | `KEY`, `RS256` or `ES256` | the ring of signing keys of that algorithm |
//! | keys | `KEY`, `SEAL` | the wrapped key that seals their private parts |
//! | grants | `GRANT#{id}` | a grant, from its code to its end |
//! | grants | `SESSION#{hash of the cookie}` | a session |
//! | grants | `SIGNEDOUT#{id}` | the mark that the user has signed out of the session with that id |
//! | grants | `TRANSACTION#{id}` | an authorization request that waits for its user |
//! | grants | `LINK#{hash of what the link carries}` | a one-time link that makes a browser known |
//! | grants | as the caller names it | a counter of failures, or of attempts |
//!
//! Every item says its layout in `schema`. The module `layout` has the rules by which two releases work
//! on the same items.
//!
//! Everything in grants has a time to live, which lies behind the time from which on it means nothing;
//! no reading asks whether it has passed.
//!
//! Reads are strongly consistent, except for lists. Every decision is a condition of the write that
//! depends on it. The SDK repeats a request whose answer got lost, so a condition that fails may have
//! failed because the first attempt was applied; each write looks for that case.

mod accounts;
mod attributes;
mod batch;
mod clients;
pub mod config;
mod conflicts;
#[cfg(feature = "embedded")]
mod embedded;
mod error;
mod expression;
mod grants;
mod item;
mod keys;
mod layout;
mod listing;
mod requests;
mod schema;
mod stores;
#[cfg(test)]
mod testing;

pub use aws_sdk_dynamodb as sdk;

pub use accounts::AccountTable;
pub use clients::ClientTable;
#[cfg(feature = "embedded")]
pub use embedded::{Embedded, EmbeddedError};
pub use grants::GrantTable;
pub use keys::KeyTable;
pub use schema::{Tables, create_tables};
pub use stores::stores;
