//! `POST /oauth2/token` (RFC 6749 §3.2).

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use identety_domain::client::Client;
use identety_domain::token::{self, Issued, OAuthErrorCode, PublicError, TokenParameters};
use identety_http::body::BodyError;
use identety_http::credentials::{self, CredentialsError};
use identety_http::edge::Context;
use identety_http::form::{Form, FormError};
use identety_http::logging::Outcome;
use identety_http::{ambient, response};

use crate::{BackChannel, Unready};

/// Form → credentials → the domain → answer.
pub(crate) async fn post(
    State(state): State<Arc<BackChannel>>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();

    let mut form = match Form::read(request).await {
        Ok(form) => form,
        Err(error) => return form_error(error),
    };
    let credentials = match credentials::extract(&headers, &mut form) {
        Ok(credentials) => credentials,
        Err(error) => return credentials_error(error, &context),
    };
    let parameters = TokenParameters {
        grant_type: form.take("grant_type"),
        scope: form.take("scope"),
        resources: form.take_all("resource"),
    };
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
        Err(error) => response::oauth_error(error.public(), &error.to_string(), id),
    }
}

fn success(issued: &Issued, headers: &HeaderMap, context: &Context) -> Response {
    let mut response = response::json(StatusCode::OK, &issued.response, &context.id);
    share_with_origin(&mut response, headers, &issued.client);
    let client = issued.client.client_id.as_str();
    Outcome::success(client, Some(issued.grant.as_str())).attach(&mut response);
    response
}

/// Lets scripts read the answer, if they are of an origin that the client lists.
fn share_with_origin(response: &mut Response, headers: &HeaderMap, client: &Client) {
    response.headers_mut().insert(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = headers.get(ORIGIN) else { return };
    let listed = &client.metadata.allowed_cors_origins;
    if listed.iter().any(|own| own.as_bytes() == origin.as_bytes()) {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
}

/// `OPTIONS`: a preflight says nothing of the client, so it is answered for any origin, without
/// credentials. Whether a script may read the answer is decided with the answer.
pub(crate) async fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
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

fn form_error(error: FormError) -> Response {
    let (status, description) = match error {
        FormError::Body(BodyError::TooLarge) => {
            (StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 64 kB")
        }
        FormError::Body(BodyError::TooSlow) => {
            (StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")
        }
        FormError::Body(BodyError::Broken) => {
            (StatusCode::BAD_REQUEST, "the body could not be read")
        }
        FormError::Body(BodyError::ContentType) => {
            (StatusCode::BAD_REQUEST, "the body must be application/x-www-form-urlencoded in UTF-8")
        }
        FormError::PercentEncoding => {
            (StatusCode::BAD_REQUEST, "a parameter has a malformed percent-encoding")
        }
        FormError::NotUtf8 => (StatusCode::BAD_REQUEST, "a parameter is not UTF-8"),
        FormError::ControlCharacter => {
            (StatusCode::BAD_REQUEST, "a parameter contains a control character")
        }
        FormError::Repeated => (StatusCode::BAD_REQUEST, "a parameter is included more than once"),
        FormError::TooMany => (StatusCode::BAD_REQUEST, "there are too many parameters"),
    };
    let public = PublicError::new(OAuthErrorCode::InvalidRequest, description);
    response::oauth_error_with_status(status, public, &error.to_string())
}

fn credentials_error(error: CredentialsError, context: &Context) -> Response {
    use OAuthErrorCode::{InvalidClient, InvalidRequest};
    let public = match error {
        CredentialsError::TwoMechanisms => {
            PublicError::new(InvalidRequest, "only one client authentication mechanism may be used")
        }
        CredentialsError::IdMismatch => {
            PublicError::new(InvalidRequest, "client_id does not match the Authorization header")
        }
        CredentialsError::TwoHeaders => {
            PublicError::new(InvalidRequest, "only one Authorization header may be sent")
        }
        CredentialsError::IdMissing => PublicError::new(InvalidRequest, "client_id is missing"),
        CredentialsError::Unusable => {
            PublicError::new(InvalidClient, "client authentication failed")
        }
    };
    response::oauth_error(public, "no usable credentials", &context.id)
}
