//! `POST /oauth2/introspect` (RFC 7662).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use identety_domain::RequestContext;
use identety_domain::token;
use identety_http::context::HeldContext;
use identety_http::refusal::Refusal;
use identety_http::response;

use crate::state::{BackChannel, ClientRequest};

/// Form → credentials → the client → what the token is worth.
pub(crate) async fn post(
    State(state): State<Arc<BackChannel>>,
    mut context: HeldContext,
    request: Request,
) -> Response {
    let answered = introspect(&state, &mut context, request).await;
    answered.unwrap_or_else(|refusal| refusal.into_response(&mut context))
}

async fn introspect(
    state: &BackChannel,
    context: &mut RequestContext,
    request: Request,
) -> Result<Response, Refusal> {
    let known = state.client_request(context, request, |_, _| ()).await?;
    let ClientRequest { services, client, mut form } = known;
    let token = form.take("token").ok_or_else(|| Refusal::invalid_request("token is missing"))?;
    let introspection = token::introspect(&services, &client, &token, context.now).await?;
    Ok(response::json(StatusCode::OK, &introspection)?)
}
