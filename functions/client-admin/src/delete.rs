//! `DELETE /admin/clients/{id}`: answers with the client as it was.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use identety_domain::admin::Administrator;
use identety_domain::client::Client;
use identety_domain::store::Change;
use identety_http::edge::Context;
use identety_http::problem::Problem;

use crate::{Management, access, find_client, precondition, representation, store_problem};

pub(crate) async fn delete(
    State(state): State<Arc<Management>>,
    Extension(context): Extension<Context>,
    Extension(administrator): Extension<Administrator>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match remove(&state, &context, &administrator, &id, &headers).await {
        Ok(client) => representation::answer(&client, &context.id),
        Err(problem) => problem.into_response(),
    }
}

async fn remove(
    state: &Management,
    context: &Context,
    administrator: &Administrator,
    id: &str,
    headers: &HeaderMap,
) -> Result<Client, Problem> {
    for _ in 0..precondition::ATTEMPTS {
        let client = find_client(state, id, &context.id).await?;
        precondition::check(headers, &client)?;
        access::check_may_manage(administrator, &client)?;
        let removed = state.clients.delete(&client).await;
        match removed.map_err(|error| store_problem(&error, &context.id))? {
            Change::Done => return Ok(client),
            Change::Conflict => {}
        }
    }
    Err(precondition::lost(headers))
}
