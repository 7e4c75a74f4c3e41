//! Input as nobody means it: real examples, changed by chance, for everything that reads what strangers
//! send. Each target states what holds of whatever is accepted, and of whatever is refused.
//!
//! A run of some seconds is part of `make test`; `make fuzz` goes on for as long as one likes. A failure
//! prints the input and the seed, which `BOLERO_RANDOM_SEED` takes.

#![expect(clippy::too_many_lines, reason = "a test tells its story from beginning to end")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "whatever a test does not find ends the test"
)]

mod administration;
mod credentials;
mod events;
mod forms;
mod mutation;
mod oracle;
mod redirect_uris;
mod scopes;
mod signed_tokens;
mod tokens;
mod world;
