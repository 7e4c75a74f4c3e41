//! `POST /oauth2/token` (RFC 6749 §3.2).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use identety_domain::RequestContext;
use identety_domain::client::GrantType;
use identety_domain::token;
use identety_http::context::HeldContext;
use identety_http::form::Form;
use identety_http::refusal::Refusal;
use identety_http::response;

use crate::cors;
use crate::state::{BackChannel, ClientRequest};

/// Form → credentials → the client → its grant → tokens.
pub(crate) async fn post(
    State(state): State<Arc<BackChannel>>,
    mut context: HeldContext,
    request: Request,
) -> Response {
    let context = &mut *context;
    let known = match state.client_request(context, request, note_grant).await {
        Ok(known) => known,
        Err(refusal) => return cors::share(refusal.into_response(context), context, None),
    };
    let ClientRequest { services, client, form } = known;
    let issued = token::execute(&services, context, &client, form.into_pairs().collect()).await;
    let answered = issued
        .map_err(Refusal::from)
        .and_then(|tokens| response::json(StatusCode::OK, &tokens).map_err(Refusal::from));
    let response = answered.unwrap_or_else(|refusal| refusal.into_response(context));
    cors::share(response, context, Some(&client.client))
}

/// Tells the log which grant is asked for, whether or not the client is known.
fn note_grant(form: &Form, context: &mut RequestContext) {
    context.outcome.grant = form.get("grant_type").and_then(GrantType::parse);
}
