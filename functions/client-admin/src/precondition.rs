//! `If-Match` (RFC 9110 §13.1.1): change it only if it is still what was seen.

use http::header::IF_MATCH;
use http::{HeaderMap, StatusCode};
use identety_domain::client::Client;
use identety_http::problem::Problem;

use crate::representation;

/// Checks `If-Match`, if there is one.
pub(crate) fn check(headers: &HeaderMap, client: &Client) -> Result<(), Problem> {
    if !is_present(headers) {
        return Ok(());
    }
    let etag = representation::etag(client);
    let values = headers.get_all(IF_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    // Strong comparison: a weak tag never matches.
    if tags.any(|tag| tag == "*" || tag == etag) { Ok(()) } else { Err(failed()) }
}

/// Whether the caller asked for a condition.
pub(crate) fn is_present(headers: &HeaderMap) -> bool {
    headers.contains_key(IF_MATCH)
}

/// What a change ends with that lost against another.
pub(crate) fn lost(headers: &HeaderMap) -> Problem {
    if is_present(headers) {
        return failed();
    }
    Problem::new(StatusCode::CONFLICT, "the client is being changed by others; try again")
}

fn failed() -> Problem {
    let detail = "the client has changed since; read it again";
    Problem::new(StatusCode::PRECONDITION_FAILED, detail)
}
