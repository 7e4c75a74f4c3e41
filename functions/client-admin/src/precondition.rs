//! `If-Match` (RFC 9110 §13.1.1): change it only if it is still what was seen.

use http::header::IF_MATCH;
use http::{HeaderMap, StatusCode};
use identety_http::problem::Problem;

use crate::answer;
use crate::resource::Resource;

/// Checks `If-Match`, if there is one.
pub(crate) fn check<R: Resource>(headers: &HeaderMap, resource: &R) -> Result<(), Problem> {
    if !is_present(headers) {
        return Ok(());
    }
    let etag = answer::etag(resource);
    let values = headers.get_all(IF_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    // Strong comparison: a weak tag never matches.
    if tags.any(|tag| tag == "*" || tag == etag) { Ok(()) } else { Err(failed::<R>()) }
}

/// Whether the caller asked for a condition.
fn is_present(headers: &HeaderMap) -> bool {
    headers.contains_key(IF_MATCH)
}

/// What a change ends with that lost against another.
pub(crate) fn lost<R: Resource>(headers: &HeaderMap) -> Problem {
    if is_present(headers) {
        return failed::<R>();
    }
    let detail = format!("the {} is being changed by others; try again", R::NAME);
    Problem::new(StatusCode::CONFLICT, detail)
}

fn failed<R: Resource>() -> Problem {
    let detail = format!("the {} has changed since; read it again", R::NAME);
    Problem::new(StatusCode::PRECONDITION_FAILED, detail)
}
