//! Problem details for HTTP APIs (RFC 9457), the errors of the administration API.

use std::fmt::Display;

use axum::response::Response;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};
use identety_domain::hashing::HashError;
use identety_domain::store::StoreError;
use identety_domain::{FieldError, RequestContext, Seconds};
use serde_json::{Value, json};

use crate::body::BodyError;
use crate::json::JsonError;
use crate::logging::reason;
use crate::response;

/// An error of the administration API.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
    retry_after: Option<Seconds>,
    challenge: Option<&'static str>,
    cause: Option<String>,
    /// Whether the caller gets the request's id to quote.
    quotes_id: bool,
}

impl Problem {
    /// A problem with one sentence for the caller.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            challenge: None,
            cause: None,
            quotes_id: false,
        }
    }

    /// 400: members or parameters that break a rule, each with its rule.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let names: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        let detail = format!("not valid: {}", names.join(", "));
        let cause = format!("not valid: {}", names_for_the_log(&errors));
        Self { errors, ..Self::new(StatusCode::BAD_REQUEST, detail) }.because(&cause)
    }

    /// 400 for one member or parameter.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }

    /// 503: the same may succeed a little later.
    #[must_use]
    pub fn unavailable(cause: &dyn Display) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "the server is busy");
        Self { retry_after: Some(1), ..problem }.because(cause)
    }

    /// 500: not the caller's fault. The cause is for the log, the caller gets an id to quote.
    #[must_use]
    pub fn server_error(cause: &dyn Display) -> Self {
        let problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed");
        Self { quotes_id: true, ..problem }.because(cause)
    }

    /// What the log is told beside.
    #[must_use]
    pub fn because(self, cause: &dyn Display) -> Self {
        Self { cause: Some(cause.to_string()), ..self }
    }

    /// When to come back.
    #[must_use]
    pub fn retry_after(self, seconds: Seconds) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// How to authenticate (RFC 6750 §3).
    #[must_use]
    pub fn challenge(self, challenge: &'static str) -> Self {
        Self { challenge: Some(challenge), ..self }
    }

    /// The answer. The log is told the reason and the cause.
    pub fn into_response(self, context: &mut RequestContext) -> Response {
        let Self { status, mut detail, errors, retry_after, challenge, cause, quotes_id } = self;
        if quotes_id {
            detail = format!("{detail}; please quote the request id {}", context.id);
        }
        let title = status.canonical_reason().unwrap_or("Error");
        let mut body = json!({
            "type": "about:blank",
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
        });
        if let (false, Value::Object(members)) = (errors.is_empty(), &mut body) {
            let errors = errors
                .into_iter()
                .map(|error| json!({ "field": error.field, "message": error.message }));
            members.insert("errors".to_owned(), errors.collect());
        }
        let media_type = HeaderValue::from_static("application/problem+json");
        let mut response = response::with_body(status, media_type, body.to_string());
        if let Some(challenge) = challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response::retry_after(&mut response, retry_after);
        context.outcome.refuse(reason::of_status(status), cause.unwrap_or(detail));
        response
    }
}

/// The answer of an endpoint of the administration, or of the reason why there is none.
pub fn answer(context: &mut RequestContext, answered: Result<Response, Problem>) -> Response {
    answered.unwrap_or_else(|problem| problem.into_response(context))
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::unavailable(&error),
            StoreError::Corrupt(_) | StoreError::Other(_) => Self::server_error(&error),
        }
    }
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        Self::server_error(&error)
    }
}

impl From<Vec<FieldError>> for Problem {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::invalid(errors)
    }
}

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        let status = match &error {
            JsonError::Body(BodyError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            JsonError::Body(BodyError::TooSlow) => StatusCode::REQUEST_TIMEOUT,
            JsonError::Body(BodyError::Broken | BodyError::ContentType)
            | JsonError::Malformed(_) => StatusCode::BAD_REQUEST,
        };
        let detail = match error {
            JsonError::Body(BodyError::ContentType) => {
                "the body must be application/json in UTF-8".to_owned()
            }
            error => error.to_string(),
        };
        Self::new(status, detail)
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self::server_error(&error)
    }
}

/// The names of members and parameters that are ours. A name that the caller made up may be anything, such
/// as a secret in the wrong place.
fn names_for_the_log(errors: &[FieldError]) -> String {
    let known = |error: &FieldError| match error.message.as_str() {
        "is unknown" => "one that is unknown".to_owned(),
        _ => error.field.split('.').next().unwrap_or_default().to_owned(),
    };
    errors.iter().map(known).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_hears_no_name_that_the_caller_made_up() {
        let problem = Problem::invalid(vec![
            FieldError::new("m2m_secret_of_somebody", "is unknown"),
            FieldError::new("metadata.m2m_secret_of_somebody", "must be shorter"),
            FieldError::new("redirectUris[1]", "must be a URL"),
        ]);
        let mut context = crate::context::tests::context();
        problem.into_response(&mut context);
        let outcome = context.outcome;
        let expected = "not valid: one that is unknown, metadata, redirectUris[1]";
        assert_eq!(outcome.cause.as_deref(), Some(expected));
        assert_eq!(outcome.reason, Some(identety_domain::ErrorCode::InvalidRequest.into()));
    }
}
