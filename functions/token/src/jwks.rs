//! `GET /.well-known/jwks.json`: the public keys, from memory.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use identety_http::edge::Context;
use identety_http::response::{self, PublicDocument};

use crate::{BackChannel, token};

pub(crate) async fn get(
    State(state): State<Arc<BackChannel>>,
    Extension(context): Extension<Context>,
    headers: HeaderMap,
) -> Response {
    let keys = match state.keys(&context).await {
        Ok(keys) => keys,
        Err(unready) => return token::unready(&unready, &context),
    };
    let document = state.jwks.get_or_try_init(async || PublicDocument::new(keys.jwks())).await;
    match document {
        Ok(document) => response::public_document(document, &headers),
        Err(error) => response::server_error(&context.id, &error.to_string()),
    }
}
