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
use identety_http::json::{self, JsonError};
use identety_http::problem::Problem;
use identety_http::{ambient, response};
use serde_json::Value;

use crate::members::{self, NewClientMembers};
use crate::{Management, representation, store_problem};

pub(crate) async fn post(
    State(state): State<Arc<Management>>,
    Extension(context): Extension<Context>,
    Extension(administrator): Extension<Administrator>,
    request: Request,
) -> Response {
    match create(&state, &context, &administrator, request).await {
        Ok(created) => answer(&state, &context, &created),
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
    let created = state.clients.create(&new.client).await;
    match created.map_err(|error| store_problem(&error, &context.id))? {
        Creation::Created => Ok(new),
        Creation::ClientIdTaken => {
            let detail = "clientId: a client with this clientId is registered already";
            Err(Problem::new(StatusCode::CONFLICT, detail))
        }
    }
}

fn answer(state: &Management, context: &Context, created: &NewClient) -> Response {
    let NewClient { client, secret } = created;
    let mut members = representation::of(client);
    if let Some(secret) = secret {
        members.insert("clientSecret".to_owned(), Value::from(secret.expose()));
    }
    let response = response::json(StatusCode::CREATED, &members, &context.id);
    let location = format!("{}/admin/clients/{}", state.settings.issuer, client.id);
    representation::with_location(representation::with_etag(response, client), &location)
}

/// What is wrong with a body, as a problem.
pub(crate) fn json_problem(error: JsonError) -> Problem {
    use identety_http::body::BodyError;
    let status = match &error {
        JsonError::Body(BodyError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
        JsonError::Body(BodyError::TooSlow) => StatusCode::REQUEST_TIMEOUT,
        JsonError::Body(BodyError::Broken | BodyError::ContentType) | JsonError::Malformed(_) => {
            StatusCode::BAD_REQUEST
        }
    };
    let detail = match error {
        JsonError::Body(BodyError::ContentType) => {
            "the body must be application/json in UTF-8".to_owned()
        }
        error => error.to_string(),
    };
    Problem::new(status, detail)
}
