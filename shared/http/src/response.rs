//! Answers that are no errors.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use identety_domain::{Seconds, digest};
use serde::Serialize;

/// The media type of JSON.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// An answer with a body that nobody may keep (RFC 6749 §5.1).
pub fn with_body(status: StatusCode, media_type: HeaderValue, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

/// `value` as JSON, which nobody may keep.
///
/// # Errors
/// When `value` cannot be written as JSON: a defect.
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Result<Response, serde_json::Error> {
    Ok(with_body(status, JSON, serde_json::to_vec(value)?))
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
    format!("\"{}\"", digest::fingerprint(content))
}
