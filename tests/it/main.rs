//! The one integration binary: each module mirrors a path of the server, or a way to run it.

#![expect(clippy::too_many_lines, reason = "a test tells its story from beginning to end")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "whatever a helper of a test does not find ends the test"
)]

mod admin_clients;
mod admin_users;
mod bootstrap;
mod certification;
mod client_endpoints;
mod cold_start;
mod cors;
mod demo;
mod documents;
mod faults;
mod introspection;
mod key_rotation;
mod key_sealing;
mod key_vault;
mod keys_command;
mod lambda;
mod leaks;
mod oauth2_token;
mod observability;
mod openidconnect;
mod outside_clients;
mod pages;
mod policies;
mod randomness;
mod revocation;
mod serve;
mod store;
mod template;
mod userinfo;
mod users_sign_in;
mod well_known;
