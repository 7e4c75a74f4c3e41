//! `PATCH /admin/clients/{id}` (RFC 7396): what is not named stays.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::HeaderMap;
use identety_domain::admin::Administrator;
use identety_domain::client::Client;
use identety_domain::store::Change;
use identety_http::edge::Context;
use identety_http::json;
use identety_http::problem::Problem;
use serde_json::{Map, Value};

use crate::create::json_problem;
use crate::{
    Management, access, find_client, members, precondition, representation, store_problem,
};

pub(crate) async fn patch(
    State(state): State<Arc<Management>>,
    Extension(context): Extension<Context>,
    Extension(administrator): Extension<Administrator>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let changed = match json::read_object(request, &[json::JSON, json::MERGE_PATCH], false).await {
        Ok(members) => change(&state, &context, &administrator, &id, &headers, &members).await,
        Err(error) => Err(json_problem(error)),
    };
    match changed {
        Ok(client) => representation::answer(&client, &context.id),
        Err(problem) => problem.into_response(),
    }
}

async fn change(
    state: &Management,
    context: &Context,
    administrator: &Administrator,
    id: &str,
    headers: &HeaderMap,
    members: &Map<String, Value>,
) -> Result<Client, Problem> {
    for _ in 0..precondition::ATTEMPTS {
        let before = find_client(state, id, &context.id).await?;
        precondition::check(headers, &before)?;
        access::check_may_manage(administrator, &before)?;
        let metadata = members::of_change(members.clone(), &before).map_err(Problem::invalid)?;
        let metadata = metadata.validate(before.kind).map_err(Problem::invalid)?;
        administrator.may_grant(&metadata.scopes).map_err(Problem::invalid)?;
        if metadata == before.metadata {
            return Ok(before);
        }
        let after = before.with_metadata(metadata, context.now);
        let changed = state.clients.update(&before, &after).await;
        match changed.map_err(|error| store_problem(&error, &context.id))? {
            Change::Done => return Ok(after),
            Change::Conflict => {}
        }
    }
    Err(precondition::lost(headers))
}
