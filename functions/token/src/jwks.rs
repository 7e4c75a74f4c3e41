//! `GET /.well-known/jwks.json`: the public keys, from memory.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use identety_domain::RequestContext;
use identety_http::context::HeldContext;
use identety_http::refusal::Refusal;
use identety_http::response;

use crate::state::BackChannel;

pub(crate) async fn get(
    State(state): State<Arc<BackChannel>>,
    mut context: HeldContext,
    headers: HeaderMap,
) -> Response {
    let answered = jwks(&state, &mut context, &headers).await;
    answered.unwrap_or_else(|refusal| refusal.into_response(&mut context))
}

async fn jwks(
    state: &BackChannel,
    context: &mut RequestContext,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let keys = state.keys(context).await?;
    Ok(response::public_document(&*state.published(&keys)?, headers))
}
