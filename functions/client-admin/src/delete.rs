//! `DELETE /admin/clients/{id}`: answers with the client as it was.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use identety_domain::admin::Administrator;
use identety_http::edge::Context;

use crate::change::{Change, Decision};
use crate::{Management, representation};

pub(crate) async fn delete(
    State(state): State<Arc<Management>>,
    Extension(context): Extension<Context>,
    Extension(administrator): Extension<Administrator>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let (state, administrator) = (&*state, &administrator);
    let change = Change { state, context: &context, administrator, id: &id, headers: &headers };
    match change.make(|client| Ok((Decision::Delete, client.clone()))).await {
        Ok(client) => representation::answer(&client, &context.id),
        Err(problem) => problem.into_response(),
    }
}
