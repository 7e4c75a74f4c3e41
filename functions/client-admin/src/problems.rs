//! Failures that every endpoint has in common, as problems.

use http::StatusCode;
use identety_domain::store::StoreError;
use identety_http::body::BodyError;
use identety_http::edge::RequestId;
use identety_http::json::JsonError;
use identety_http::problem::Problem;

/// A failure of the store.
pub(crate) fn store_problem(error: &StoreError, id: &RequestId) -> Problem {
    match error {
        StoreError::Unavailable(_) => Problem::unavailable(error),
        StoreError::Corrupt(_) | StoreError::Other(_) => Problem::server_error(id, error),
    }
}

/// What is wrong with a body.
pub(crate) fn json_problem(error: JsonError) -> Problem {
    let status = match &error {
        JsonError::Body(BodyError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
        JsonError::Body(BodyError::TooSlow) => StatusCode::REQUEST_TIMEOUT,
        JsonError::Body(BodyError::Broken | BodyError::ContentType) | JsonError::Malformed(_) => {
            StatusCode::BAD_REQUEST
        }
    };
    let detail = match error {
        JsonError::Body(BodyError::ContentType) => {
            "the body must be application/json in UTF-8".to_owned()
        }
        error => error.to_string(),
    };
    Problem::new(status, detail)
}
