//! `POST /oauth2/token` (RFC 6749 §3.2).

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use identety_domain::Secret;
use identety_domain::token::{
    self, InvalidGrant, Issued, OAuthErrorCode, PublicError, Refusal, TokenError, TokenParameters,
};
use identety_http::edge::Context;
use identety_http::logging::{Outcome, Theft};
use identety_http::{ambient, response};

use crate::{BackChannel, Unready, cors, request};

/// Form → credentials → the domain → answer.
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
    let parameters = TokenParameters {
        grant_type: form.take("grant_type"),
        scope: form.take("scope"),
        resources: form.take_all("resource"),
        code: form.take("code").map(Secret::new),
        redirect_uri: form.take("redirect_uri"),
        code_verifier: form.take("code_verifier").map(Secret::new),
        refresh_token: form.take("refresh_token").map(Secret::new),
    };
    let grant = parameters.grant().ok();
    let services = match state.services(&context).await {
        Ok(services) => services,
        Err(unready) => return self::unready(&unready, &context),
    };
    let mut rng = match ambient::rng() {
        Ok(rng) => rng,
        Err(error) => return response::server_error(&context.id, &error.to_string()),
    };
    let Context { id, now, peer } = &context;
    match token::execute(&services, *now, &mut rng, peer, &credentials, parameters).await {
        Ok(issued) => success(&issued, &headers, &context),
        Err(Refusal { client, error }) => {
            let mut response = response::oauth_error(error.public(), &error.to_string(), id);
            cors::share(&mut response, &headers, client.as_deref());
            let outcome = response.extensions_mut().remove::<Outcome>().unwrap_or_default();
            let client = client.map(|client| client.client_id.to_string());
            let theft = theft(&error);
            Outcome { client, grant, theft, ..outcome }.attach(&mut response);
            response
        }
    }
}

fn success(issued: &Issued, headers: &HeaderMap, context: &Context) -> Response {
    let mut response = response::json(StatusCode::OK, &issued.response, &context.id);
    cors::share(&mut response, headers, Some(&issued.client));
    let client = issued.client.client_id.as_str();
    Outcome::success(client, Some(issued.grant)).attach(&mut response);
    response
}

/// What an error says of somebody who has a copy.
const fn theft(error: &TokenError) -> Option<Theft> {
    match error {
        TokenError::InvalidGrant(InvalidGrant::CodeReused) => Some(Theft::Code),
        TokenError::InvalidGrant(InvalidGrant::RefreshTokenReused) => Some(Theft::RefreshToken),
        _ => None,
    }
}

/// The keys are not there: the caller may come back.
pub(crate) fn unready(Unready(cause): &Unready, context: &Context) -> Response {
    let error = PublicError {
        code: OAuthErrorCode::TemporarilyUnavailable,
        description: "the server is not ready; try again shortly",
        retry_after: Some(1),
    };
    response::oauth_error(error, cause, &context.id)
}
