//! `GET /admin/clients/{id}`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use identety_http::edge::Context;

use crate::{Management, find_client, representation};

pub(crate) async fn get(
    State(state): State<Arc<Management>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
) -> Response {
    match find_client(&state, &id, &context.id).await {
        Ok(client) => representation::answer(&client, &context.id),
        Err(problem) => problem.into_response(),
    }
}
