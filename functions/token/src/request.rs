//! What the endpoints for clients have in common: a form, and one way to show who asks.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use identety_domain::authentication::Credentials;
use identety_domain::token::{OAuthErrorCode, PublicError};
use identety_http::body::BodyError;
use identety_http::credentials::{self, CredentialsError};
use identety_http::edge::Context;
use identety_http::form::{Form, FormError};
use identety_http::response;

/// The form and the credentials of a request; or the answer to one that has none.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    context: &Context,
) -> Result<(Form, Credentials), Box<Response>> {
    let form = Form::read_body(headers, body).await;
    let mut form = form.map_err(|error| Box::new(form_error(error)))?;
    let credentials = credentials::extract(headers, &mut form);
    let credentials = credentials.map_err(|error| Box::new(credentials_error(error, context)))?;
    Ok((form, credentials))
}

/// A body that is no form.
pub(crate) fn form_error(error: FormError) -> Response {
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
