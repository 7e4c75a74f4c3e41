//! The one integration binary: each module mirrors a path of the server, or a way to run it.

mod admin_clients;
mod lambda;
mod oauth2_token;
mod outside_clients;
mod serve;
mod store;
mod template;
mod well_known;
