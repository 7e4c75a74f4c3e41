//! Strict JSON: one object, no member twice, and nothing behind it.

use axum::extract::Request;
use identety_domain::json;
use serde_json::{Map, Value};

use crate::body::{self, BodyError};

/// Why a body is no JSON object.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The body as such.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// Not JSON, too deep, a member twice, or not an object. Says where.
    #[error("{0}")]
    Malformed(String),
}

/// JSON (RFC 8259).
pub const JSON: &str = "application/json";

/// A change laid on top of what is there (RFC 7396).
pub const MERGE_PATCH: &str = "application/merge-patch+json";

/// Reads the JSON object of a request, of one of these media types; an empty body is an empty object if
/// `may_be_empty`.
///
/// # Errors
/// When the body is something else.
pub async fn read_object(
    request: Request,
    media_types: &[&str],
    may_be_empty: bool,
) -> Result<Map<String, Value>, JsonError> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(&parts.headers, body).await?;
    if bytes.is_empty() && may_be_empty {
        return Ok(Map::new());
    }
    body::check_content_type(&parts.headers, media_types)?;
    parse_object(&bytes)
}

/// Reads a JSON object.
///
/// # Errors
/// When the bytes are something else.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, JsonError> {
    match json::parse(bytes).map_err(|error| JsonError::Malformed(error.to_string()))? {
        Value::Object(members) => Ok(members),
        _ => Err(JsonError::Malformed("the body must be a JSON object".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_read_as_it_is() {
        let text = br#"{"a": [1, -2, 1.5, null, true, "x"], "b": {"c": {}}}"#;
        let expected = json!({"a": [1, -2, 1.5, null, true, "x"], "b": {"c": {}}});
        assert_eq!(Value::Object(parse_object(text).unwrap()), expected);
    }

    #[rstest]
    #[case(r#"{"a": 1, "a": 1}"#)]
    #[case(r#"{"x": {"a": 1, "\u0061": 1}}"#)]
    #[case(r#"{"a": 1} {"#)]
    #[case(r#"{"a": 1},"#)]
    #[case("")]
    #[case("[]")]
    #[case("null")]
    #[case(r#"{"a": NaN}"#)]
    #[case(r#"{"a": 1e999}"#)]
    #[case("{'a': 1}")]
    fn anything_but_one_strict_object_is_refused(#[case] text: &str) {
        assert!(parse_object(text.as_bytes()).is_err(), "{text}");
    }

    #[test]
    fn invalid_utf_8_is_refused() {
        assert!(parse_object(b"{\"a\": \"\xff\"}").is_err());
    }

    #[test]
    fn a_depth_of_ten_thousand_is_refused() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(parse_object(deep.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_object(&bytes);
        }
    }
}
