//! `POST /oauth2/token`.

mod client_authentication;
mod client_credentials;
mod http_input;
mod limits;
