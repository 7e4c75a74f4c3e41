//! `POST /admin/clients`: the one answer that holds the client's secret.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use identety_domain::RequestContext;
use identety_domain::admin::Administrator;
use identety_domain::client::{self, NewClient};
use identety_domain::store::Creation;
use identety_http::context::HeldContext;
use identety_http::json;
use identety_http::problem::{self, Problem};
use serde_json::Value;

use super::members::{self, NewClientMembers};
use super::representation;
use crate::answer;
use crate::state::Management;

pub(crate) async fn post(
    State(state): State<Arc<Management>>,
    mut context: HeldContext,
    Extension(administrator): Extension<Administrator>,
    request: Request,
) -> Response {
    let created = create(&state, &mut context, &administrator, request).await;
    problem::answer(&mut context, created.and_then(|new| created_answer(&state, &new)))
}

async fn create(
    state: &Management,
    context: &mut RequestContext,
    administrator: &Administrator,
    request: Request,
) -> Result<NewClient, Problem> {
    let members = json::read_object(request, &[json::JSON], false).await?;
    let NewClientMembers { kind, metadata, import } = members::of_new_client(members)?;
    let metadata = metadata.validate(kind)?;
    administrator.may_grant(&metadata.scopes)?;

    let maker = &mut state.services.secret_maker(context);
    let new = client::register(kind, metadata, import, maker)?;
    match state.services.stores.clients.create(&new.client).await? {
        Creation::Created => Ok(new),
        Creation::ClientIdTaken => {
            let detail = "clientId: a client with this clientId is registered already";
            Err(Problem::new(StatusCode::CONFLICT, detail))
        }
    }
}

fn created_answer(state: &Management, new: &NewClient) -> Result<Response, Problem> {
    let NewClient { client, secret } = new;
    let mut members = representation::of(client);
    if let Some(secret) = secret {
        members.insert("clientSecret".to_owned(), Value::from(secret.expose()));
    }
    answer::created(client, &members, &state.services.settings)
}
