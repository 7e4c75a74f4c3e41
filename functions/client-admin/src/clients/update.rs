//! `PATCH /admin/clients/{id}` (RFC 7396): what is not named stays.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use identety_domain::admin::Administrator;
use identety_domain::client::Client;
use identety_http::edge::Context;
use identety_http::json;
use identety_http::problem::Problem;
use serde_json::{Map, Value};

use super::members;
use crate::change::{Change, Decision};
use crate::problems::json_problem;
use crate::{Management, answer};

pub(crate) async fn patch(
    State(state): State<Arc<Management>>,
    Extension(context): Extension<Context>,
    Extension(administrator): Extension<Administrator>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let (state, administrator) = (&*state, &administrator);
    let change = Change { state, context: &context, administrator, id: &id, headers: &headers };
    let changed = match json::read_object(request, &[json::JSON, json::MERGE_PATCH], false).await {
        Ok(members) => update(&change, &members).await,
        Err(error) => Err(json_problem(error)),
    };
    match changed {
        Ok(client) => answer::with(&client, &context.id),
        Err(problem) => problem.into_response(),
    }
}

async fn update(change: &Change<'_>, members: &Map<String, Value>) -> Result<Client, Problem> {
    change
        .make(|before: &Client| {
            let metadata = members::of_change(members.clone(), before).map_err(Problem::invalid)?;
            let metadata = metadata.validate(before.kind).map_err(Problem::invalid)?;
            change.administrator.may_grant(&metadata.scopes).map_err(Problem::invalid)?;
            if metadata == before.metadata {
                return Ok((Decision::Keep, before.clone()));
            }
            let after = before.with_metadata(metadata, change.context.now);
            Ok((Decision::Update(Box::new(after.clone())), after))
        })
        .await
}
