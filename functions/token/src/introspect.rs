//! `POST /oauth2/introspect` (RFC 7662).

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use identety_domain::token::{self, OAuthErrorCode, PublicError};
use identety_http::edge::Context;
use identety_http::logging::Outcome;
use identety_http::response;

use crate::{BackChannel, request};

/// Form → credentials → the domain → what the token is worth.
pub(crate) async fn post(
    State(state): State<Arc<BackChannel>>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let (Parts { headers, .. }, body) = request.into_parts();
    let (mut form, credentials) = match request::read(&headers, body, &context).await {
        Ok(read) => read,
        Err(response) => return *response,
    };
    let (services, client) = match state.client(&credentials, &context).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    // RFC 7662 §2.1: whoever asks must be known, and a public client can be anybody.
    if !client.kind.is_confidential() {
        let error = PublicError::new(OAuthErrorCode::InvalidClient, "client authentication failed");
        return response::oauth_error(error, "a public client asks", &context.id);
    }
    let Some(token) = form.take("token") else {
        let missing = PublicError::new(OAuthErrorCode::InvalidRequest, "token is missing");
        return response::oauth_error(missing, missing.description, &context.id);
    };
    match token::introspect(&services, &client, &token, context.now).await {
        Ok(introspection) => {
            let mut response = response::json(StatusCode::OK, &introspection, &context.id);
            Outcome::success(client.client_id.as_str(), None).attach(&mut response);
            response
        }
        Err(error) => response::oauth_error(error.public(), &error.to_string(), &context.id),
    }
}
