//! `DELETE /admin/clients/{id}` and `/admin/users/{id}`: answers with it as it was.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use identety_domain::admin::Administrator;
use identety_http::edge::Context;

use crate::change::{Change, Decision};
use crate::resource::Resource;
use crate::{Management, answer};

pub(crate) async fn delete<R: Resource>(
    State(state): State<Arc<Management>>,
    Extension(context): Extension<Context>,
    Extension(administrator): Extension<Administrator>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let (state, administrator) = (&*state, &administrator);
    let change = Change { state, context: &context, administrator, id: &id, headers: &headers };
    match change.make(|before: &R| Ok((Decision::Delete, before.clone()))).await {
        Ok(gone) => answer::with(&gone, &context.id),
        Err(problem) => problem.into_response(),
    }
}
