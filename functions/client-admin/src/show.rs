//! `GET /admin/clients/{id}` and `/admin/users/{id}`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use identety_http::edge::Context;

use crate::resource::Resource;
use crate::{Management, answer, resource};

pub(crate) async fn get<R: Resource>(
    State(state): State<Arc<Management>>,
    Extension(context): Extension<Context>,
    Path(id): Path<String>,
) -> Response {
    match resource::find::<R>(&state, &id, &context.id).await {
        Ok(found) => answer::with(&found, &context.id),
        Err(problem) => problem.into_response(),
    }
}
