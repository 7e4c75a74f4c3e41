//! Answers: the only place that knows statuses and headers.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use identety_domain::Seconds;
use identety_domain::token::{OAuthErrorCode, PublicError};
use serde::Serialize;
use serde_json::json;

use crate::edge::RequestId;
use crate::logging::{Outcome, Reason};

/// The media type of JSON.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Some clients look only at the challenge of a 401, so it repeats the error.
const BASIC_CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"oauth2\", error=\"invalid_client\"");

/// An answer with a body that nobody may keep (RFC 6749 §5.1).
pub fn with_body(status: StatusCode, media_type: HeaderValue, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

/// `value` as JSON, which nobody may keep.
pub fn json<T: Serialize>(status: StatusCode, value: &T, id: &RequestId) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => with_body(status, JSON, body),
        Err(error) => server_error(id, &error.to_string()),
    }
}

/// The status of an OAuth error (RFC 6749 §5.2).
const fn status_of(error: &PublicError) -> StatusCode {
    match (error.code, error.retry_after) {
        (OAuthErrorCode::InvalidClient, Some(_)) => StatusCode::TOO_MANY_REQUESTS,
        (OAuthErrorCode::InvalidClient, None) | (OAuthErrorCode::InvalidToken, _) => {
            StatusCode::UNAUTHORIZED
        }
        (OAuthErrorCode::InsufficientScope, _) => StatusCode::FORBIDDEN,
        (
            OAuthErrorCode::InvalidRequest
            | OAuthErrorCode::InvalidGrant
            | OAuthErrorCode::UnauthorizedClient
            | OAuthErrorCode::UnsupportedGrantType
            | OAuthErrorCode::UnsupportedTokenType
            | OAuthErrorCode::InvalidScope
            | OAuthErrorCode::InvalidTarget,
            _,
        ) => StatusCode::BAD_REQUEST,
        (OAuthErrorCode::TemporarilyUnavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
        (OAuthErrorCode::ServerError, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An OAuth error.
#[must_use]
pub fn oauth_error(error: PublicError, cause: &str, id: &RequestId) -> Response {
    if error.code == OAuthErrorCode::ServerError {
        return server_error(id, cause);
    }
    oauth_error_with_status(status_of(&error), error, cause)
}

/// An OAuth error whose status HTTP itself decides, such as 413.
pub fn oauth_error_with_status(status: StatusCode, error: PublicError, cause: &str) -> Response {
    let body = json!({ "error": error.code.as_str(), "error_description": error.description });
    let mut response = with_body(status, JSON, body.to_string());
    // RFC 9110 §15.5.2: a 401 says how to authenticate, whichever way was tried.
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, BASIC_CHALLENGE);
    }
    retry_after(&mut response, error.retry_after);
    Outcome::refused(Reason::of_oauth_error(status, error.code), cause).attach(&mut response);
    response
}

/// An OAuth error of a resource that takes bearer tokens: the challenge says it too (RFC 6750 §3).
pub fn bearer_error(error: PublicError, cause: &str, id: &RequestId) -> Response {
    let mut response = oauth_error(error, cause, id);
    let challenge = match error.code {
        OAuthErrorCode::InvalidToken => "Bearer error=\"invalid_token\"",
        OAuthErrorCode::InsufficientScope => {
            "Bearer error=\"insufficient_scope\", scope=\"openid\""
        }
        OAuthErrorCode::InvalidRequest => "Bearer error=\"invalid_request\"",
        _ => return response,
    };
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

/// Nobody showed a token: the challenge names no error (RFC 6750 §3.1).
#[must_use]
pub fn bearer_challenge() -> Response {
    let error = PublicError::new(OAuthErrorCode::InvalidToken, "an access token is required");
    let mut response = oauth_error_with_status(StatusCode::UNAUTHORIZED, error, "no access token");
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// Something went wrong that is not the caller's fault: the cause goes to the log, the caller gets an id
/// to quote.
pub fn server_error(id: &RequestId, cause: &str) -> Response {
    let description = format!("the server failed; please quote the request id {id}");
    let body = json!({ "error": "server_error", "error_description": description });
    let mut response = with_body(StatusCode::INTERNAL_SERVER_ERROR, JSON, body.to_string());
    Outcome::refused(Reason::ServerError, cause).attach(&mut response);
    response
}

/// Says when to come back.
pub fn retry_after(response: &mut Response, seconds: Option<Seconds>) {
    if let Some(seconds) = seconds {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// A document that everybody may read and keep for a while.
pub fn public_document(document: &PublicDocument, request: &HeaderMap) -> Response {
    let known = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| {
            matches!(tag.trim(), "*") || tag.trim().trim_start_matches("W/") == document.etag
        });
    let mut response = if known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        with_body(StatusCode::OK, document.media_type.clone(), document.body.clone())
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, document.cache_control.clone());
    if document.is_for_any_origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    if let Ok(etag) = document.etag.parse() {
        headers.insert(ETAG, etag);
    }
    response
}

/// A public document and its entity tag, which follows from its content, so all instances give the same
/// one.
#[derive(Clone, Debug)]
pub struct PublicDocument {
    media_type: HeaderValue,
    body: bytes::Bytes,
    etag: String,
    cache_control: HeaderValue,
    is_for_any_origin: bool,
}

impl PublicDocument {
    /// `value` as a JSON document, to be kept for five minutes and read from any origin.
    ///
    /// # Errors
    /// When `value` cannot be written as JSON.
    pub fn new<T: Serialize>(value: &T) -> Result<Self, serde_json::Error> {
        let body = serde_json::to_vec(value)?;
        Ok(Self {
            media_type: JSON,
            etag: etag(&body),
            body: body.into(),
            cache_control: HeaderValue::from_static("public, max-age=300"),
            is_for_any_origin: true,
        })
    }

    /// A file that our own pages load, to be kept for an hour.
    #[must_use]
    pub fn file(media_type: HeaderValue, content: &'static str) -> Self {
        Self {
            media_type,
            etag: etag(content.as_bytes()),
            body: content.into(),
            cache_control: HeaderValue::from_static("public, max-age=3600"),
            is_for_any_origin: false,
        }
    }
}

/// The entity tag of `content`.
fn etag(content: &[u8]) -> String {
    format!("\"{}\"", identety_domain::id::fingerprint(content))
}
