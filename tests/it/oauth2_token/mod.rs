//! `POST /oauth2/token`.

mod client_authentication;
mod client_cache;
mod client_credentials;
mod code_grant;
mod http_input;
mod limits;
mod races;
mod refresh;
mod standing;
