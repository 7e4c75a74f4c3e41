//! `POST /oauth2/revoke` (RFC 7009).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use identety_domain::RequestContext;
use identety_domain::token;
use identety_http::context::HeldContext;
use identety_http::refusal::Refusal;

use crate::cors;
use crate::state::{BackChannel, ClientRequest};

/// Form → credentials → the client → 200, whatever the token was worth.
pub(crate) async fn post(
    State(state): State<Arc<BackChannel>>,
    mut context: HeldContext,
    request: Request,
) -> Response {
    let context = &mut *context;
    let mut known = match state.client_request(context, request, |_, _| ()).await {
        Ok(known) => known,
        Err(refusal) => return cors::share(refusal.into_response(context), context, None),
    };
    let revoked = revoke(&mut known, context).await;
    let response = match revoked {
        Ok(()) => Response::new(Body::empty()),
        Err(refusal) => refusal.into_response(context),
    };
    cors::share(response, context, Some(&known.client.client))
}

/// The hint is left unread: the two kinds of tokens cannot be mistaken (RFC 7009 §2.1).
async fn revoke(known: &mut ClientRequest, context: &RequestContext) -> Result<(), Refusal> {
    let ClientRequest { services, client, form } = known;
    let token = form.take("token").ok_or_else(|| Refusal::invalid_request("token is missing"))?;
    Ok(token::revoke(services, client, &token, context.now).await?)
}
