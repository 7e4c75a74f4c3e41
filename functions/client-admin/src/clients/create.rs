//! `POST /admin/clients`: the one answer that holds the client's secret.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use identety_domain::admin::Administrator;
use identety_domain::client::{self, NewClient};
use identety_domain::store::Creation;
use identety_http::edge::Context;
use identety_http::problem::Problem;
use identety_http::{ambient, json};
use serde_json::Value;

use super::members::{self, NewClientMembers};
use super::representation;
use crate::problems::{json_problem, store_problem};
use crate::{Management, answer};

pub(crate) async fn post(
    State(state): State<Arc<Management>>,
    Extension(context): Extension<Context>,
    Extension(administrator): Extension<Administrator>,
    request: Request,
) -> Response {
    match create(&state, &context, &administrator, request).await {
        Ok(new) => created(&state, &context, &new),
        Err(problem) => problem.into_response(),
    }
}

async fn create(
    state: &Management,
    context: &Context,
    administrator: &Administrator,
    request: Request,
) -> Result<NewClient, Problem> {
    let members = json::read_object(request, &[json::JSON], false).await.map_err(json_problem)?;
    let members = members::of_new_client(members).map_err(Problem::invalid)?;
    let NewClientMembers { kind, metadata, import } = members;
    let metadata = metadata.validate(kind).map_err(Problem::invalid)?;
    administrator.may_grant(&metadata.scopes).map_err(Problem::invalid)?;

    let mut rng = ambient::rng().map_err(|error| Problem::server_error(&context.id, &error))?;
    let new = client::register(kind, metadata, import, &state.hasher, context.now, &mut rng)
        .map_err(|error| Problem::server_error(&context.id, &error))?;
    let creation = state.clients.create(&new.client).await;
    match creation.map_err(|error| store_problem(&error, &context.id))? {
        Creation::Created => Ok(new),
        Creation::ClientIdTaken => {
            let detail = "clientId: a client with this clientId is registered already";
            Err(Problem::new(StatusCode::CONFLICT, detail))
        }
    }
}

fn created(state: &Management, context: &Context, new: &NewClient) -> Response {
    let NewClient { client, secret } = new;
    let mut members = representation::of(client);
    if let Some(secret) = secret {
        members.insert("clientSecret".to_owned(), Value::from(secret.expose()));
    }
    answer::created(client, &members, &state.settings, &context.id)
}
