//! `GET /.well-known/jwks.json`: the public keys, from memory.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use identety_http::edge::Context;
use identety_http::response::{self, PublicDocument};
use identety_keys::OpenedKeys;

use crate::{BackChannel, token};

/// The document that was made of a set of keys.
#[derive(Clone)]
pub(crate) struct Published {
    pub(crate) keys: Arc<OpenedKeys>,
    pub(crate) document: Arc<PublicDocument>,
}

pub(crate) async fn get(
    State(state): State<Arc<BackChannel>>,
    Extension(context): Extension<Context>,
    headers: HeaderMap,
) -> Response {
    let keys = match state.keys(&context).await {
        Ok(keys) => keys,
        Err(unready) => return token::unready(&unready, &context),
    };
    match state.published(&keys) {
        Ok(document) => response::public_document(&document, &headers),
        Err(error) => response::server_error(&context.id, &error.to_string()),
    }
}
