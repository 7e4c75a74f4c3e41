//! `POST /oauth2/revoke` (RFC 7009).

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::request::Parts;
use identety_domain::client::Client;
use identety_domain::token::{self, OAuthErrorCode, PublicError, TokenServices};
use identety_http::edge::Context;
use identety_http::form::Form;
use identety_http::logging::Outcome;
use identety_http::response;

use crate::{BackChannel, cors, request};

/// Form → credentials → the domain → 200, whatever the token was worth.
pub(crate) async fn post(
    State(state): State<Arc<BackChannel>>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let (Parts { headers, .. }, body) = request.into_parts();
    let (form, credentials) = match request::read(&headers, body, &context).await {
        Ok(read) => read,
        Err(response) => return *response,
    };
    let (services, client) = match state.client(&credentials, &context).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let mut response = match revoke(&services, &client, form, &context).await {
        Ok(()) => Response::new(Body::empty()),
        Err((error, cause)) => response::oauth_error(error, &cause, &context.id),
    };
    cors::share(&mut response, &headers, Some(&client));
    let outcome = response.extensions_mut().remove::<Outcome>().unwrap_or_default();
    Outcome { client: Some(client.client_id.to_string()), ..outcome }.attach(&mut response);
    response
}

/// The hint is left unread: the two kinds of tokens cannot be mistaken (RFC 7009 §2.1).
async fn revoke(
    services: &TokenServices,
    client: &Client,
    mut form: Form,
    context: &Context,
) -> Result<(), (PublicError, String)> {
    let Some(token) = form.take("token") else {
        let missing = PublicError::new(OAuthErrorCode::InvalidRequest, "token is missing");
        return Err((missing, missing.description.to_owned()));
    };
    let revoked = token::revoke(services, client, &token, context.now).await;
    revoked.map_err(|error| (error.public(), error.to_string()))
}
