//! Answers with a client or a user, and the headers that go with them.

use axum::body::Body;
use axum::response::Response;
use http::header::{ETAG, LOCATION};
use http::{HeaderValue, StatusCode};
use identety_domain::Settings;
use identety_http::problem::Problem;
use identety_http::response;
use serde_json::{Map, Value};

use crate::resource::Resource;

/// The thing, with its ETag.
pub(crate) fn with<R: Resource>(resource: &R) -> Result<Response, Problem> {
    Ok(with_etag(response::json(StatusCode::OK, &resource.members())?, resource))
}

/// The thing as it has just been made: `members`, its ETag, and where it is.
pub(crate) fn created<R: Resource>(
    resource: &R,
    members: &Map<String, Value>,
    settings: &Settings,
) -> Result<Response, Problem> {
    let response = response::json(StatusCode::CREATED, members)?;
    let location = format!("{}{}/{}", settings.issuer, R::PATH, resource.id());
    Ok(with_location(with_etag(response, resource), &location))
}

/// That it is done, and the ETag that the thing has now.
pub(crate) fn no_content<R: Resource>(resource: &R) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    with_etag(response, resource)
}

/// Adds the ETag (RFC 9110 §8.8.3).
pub(crate) fn with_etag<R: Resource>(mut response: Response, resource: &R) -> Response {
    if let Ok(etag) = HeaderValue::from_str(&etag(resource)) {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

/// The ETag of a thing: its version.
pub(crate) fn etag<R: Resource>(resource: &R) -> String {
    format!("\"{}\"", resource.version())
}

/// Adds where a new thing is to be found.
pub(crate) fn with_location(mut response: Response, location: &str) -> Response {
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
