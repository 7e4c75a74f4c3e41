//! The back channel: what machines ask. Tokens and what they are worth, userinfo, discovery and the public
//! keys.

mod cors;
mod discovery;
mod introspect;
mod jwks;
mod revoke;
mod state;
mod token;
mod userinfo;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use identety_domain::discovery::path;

pub use crate::state::BackChannel;

/// The routes of the back channel.
///
/// # Errors
/// When the discovery document cannot be written.
pub fn router(state: Arc<BackChannel>) -> Result<Router, serde_json::Error> {
    let metadata = discovery::document(&state.services.settings)?;
    Ok(Router::new()
        .route(path::OPENID_CONFIGURATION, get(discovery::get(metadata.clone())))
        .route(path::AUTHORIZATION_SERVER, get(discovery::get(metadata)))
        .route(path::JWKS, get(jwks::get))
        .route(path::TOKEN, post(token::post).options(cors::preflight_post))
        .route(path::REVOKE, post(revoke::post).options(cors::preflight_post))
        .route(path::INTROSPECT, post(introspect::post))
        .route(
            path::USERINFO,
            get(userinfo::get_or_post)
                .post(userinfo::get_or_post)
                .options(cors::preflight_get_and_post),
        )
        .with_state(state))
}
