//! `/admin/clients`.

mod access;
mod change;
mod create;
mod id_token_claims;
mod list;
mod secrets;
