//! `PATCH /admin/clients/{id}` (RFC 7396): what is not named stays.

use axum::extract::Request;
use axum::response::Response;
use identety_domain::client::Client;
use identety_http::json;
use identety_http::problem::Problem;
use serde_json::{Map, Value};

use super::members;
use crate::answer;
use crate::change::{Change, Decision};
use crate::problems::json_problem;

pub(crate) async fn patch(change: Change, request: Request) -> Response {
    let changed = match json::read_object(request, &[json::JSON, json::MERGE_PATCH], false).await {
        Ok(members) => update(&change, &members).await,
        Err(error) => Err(json_problem(error)),
    };
    match changed {
        Ok(client) => answer::with(&client, &change.context.id),
        Err(problem) => problem.into_response(),
    }
}

async fn update(change: &Change, members: &Map<String, Value>) -> Result<Client, Problem> {
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
