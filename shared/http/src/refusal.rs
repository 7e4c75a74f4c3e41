//! Refusals of OAuth endpoints: the only place that knows their statuses and headers.

use axum::response::Response;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};
use identety_domain::authentication::AuthenticationError;
use identety_domain::token::{IntrospectionError, RevocationError, TokenError, UserInfoError};
use identety_domain::{ErrorCode, PublicError, RequestContext};
use serde_json::json;

use crate::body::BodyError;
use crate::credentials::CredentialsError;
use crate::form::FormError;
use crate::logging::reason;
use crate::response::{self, JSON};

/// Some clients look only at the challenge of a 401, so it repeats the error.
const BASIC: &str = "Basic realm=\"oauth2\", error=\"invalid_client\"";

/// Why an OAuth endpoint refuses: what the caller is told, and what the log is told.
#[derive(Debug)]
pub struct Refusal {
    error: PublicError,
    cause: String,
    status: StatusCode,
    challenge: Option<&'static str>,
}

impl Refusal {
    /// A refusal with the status of its error (RFC 6749 §5.2).
    pub fn new(error: PublicError, cause: impl Into<String>) -> Self {
        Self::with_status(status_of(&error), error, cause)
    }

    /// A refusal whose status HTTP itself decides, such as 413.
    pub fn with_status(status: StatusCode, error: PublicError, cause: impl Into<String>) -> Self {
        // RFC 9110 §15.5.2: a 401 says how to authenticate, whichever way was tried.
        let challenge = (status == StatusCode::UNAUTHORIZED).then_some(BASIC);
        Self { error, cause: cause.into(), status, challenge }
    }

    /// `invalid_request`: the caller broke this rule.
    #[must_use]
    pub fn invalid_request(rule: &'static str) -> Self {
        Self::new(PublicError::new(ErrorCode::InvalidRequest, rule), rule)
    }

    /// The server failed: the cause goes to the log, the caller gets an id to quote.
    pub fn server_error(cause: impl Into<String>) -> Self {
        Self::new(PublicError::new(ErrorCode::ServerError, "the server failed"), cause)
    }

    /// The keys are not there: the caller may come back.
    pub fn not_ready(cause: impl Into<String>) -> Self {
        let error = PublicError {
            code: ErrorCode::TemporarilyUnavailable,
            description: "the server is not ready; try again shortly".into(),
            retry_after: Some(1),
        };
        Self::new(error, cause)
    }

    /// The caller showed no bearer token: the challenge names no error (RFC 6750 §3.1).
    #[must_use]
    pub fn bearer_token_missing() -> Self {
        let error = PublicError::new(ErrorCode::InvalidToken, "an access token is required");
        Self { challenge: Some("Bearer"), ..Self::new(error, "no access token") }
    }

    /// The same refusal by a resource that takes bearer tokens: the challenge says the error too (RFC 6750 §3).
    #[must_use]
    pub fn of_bearer_token(self) -> Self {
        let challenge = match self.error.code {
            ErrorCode::InvalidToken => "Bearer error=\"invalid_token\"",
            ErrorCode::InsufficientScope => "Bearer error=\"insufficient_scope\", scope=\"openid\"",
            ErrorCode::InvalidRequest => "Bearer error=\"invalid_request\"",
            _ => return self,
        };
        Self { challenge: Some(challenge), ..self }
    }

    /// The answer. The log is told the reason and the cause.
    pub fn into_response(self, context: &mut RequestContext) -> Response {
        let Self { error, cause, status, challenge } = self;
        let body = if error.code == ErrorCode::ServerError {
            let id = &context.id;
            let description = format!("the server failed; please quote the request id {id}");
            json!({ "error": error.code.as_str(), "error_description": description })
        } else {
            json!({ "error": error.code.as_str(), "error_description": error.description })
        };
        let mut response = response::with_body(status, JSON, body.to_string());
        if let Some(challenge) = challenge {
            let challenge = HeaderValue::from_static(challenge);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response::retry_after(&mut response, error.retry_after);
        context.outcome.refuse(reason::of_oauth_error(status, error.code), cause);
        response
    }
}

/// The status of an OAuth error (RFC 6749 §5.2).
const fn status_of(error: &PublicError) -> StatusCode {
    match (error.code, error.retry_after) {
        (ErrorCode::InvalidClient, Some(_)) => StatusCode::TOO_MANY_REQUESTS,
        (ErrorCode::InvalidClient, None) | (ErrorCode::InvalidToken, _) => StatusCode::UNAUTHORIZED,
        (ErrorCode::InsufficientScope, _) => StatusCode::FORBIDDEN,
        (
            ErrorCode::InvalidRequest
            | ErrorCode::InvalidGrant
            | ErrorCode::UnauthorizedClient
            | ErrorCode::UnsupportedGrantType
            | ErrorCode::UnsupportedResponseType
            | ErrorCode::UnsupportedTokenType
            | ErrorCode::InvalidScope
            | ErrorCode::InvalidTarget
            | ErrorCode::AccessDenied
            | ErrorCode::LoginRequired
            | ErrorCode::ConsentRequired
            | ErrorCode::UnmetAuthenticationRequirements
            | ErrorCode::RequestNotSupported
            | ErrorCode::RequestUriNotSupported,
            _,
        ) => StatusCode::BAD_REQUEST,
        (ErrorCode::TemporarilyUnavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
        (ErrorCode::ServerError, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Errors of the domain that say themselves what the caller is told.
macro_rules! from_domain {
    ($($error:ty),*) => {
        $(impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::new(error.public(), error.to_string())
            }
        })*
    };
}

from_domain!(AuthenticationError, IntrospectionError, RevocationError, TokenError, UserInfoError);

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::server_error(error.to_string())
    }
}

impl From<CredentialsError> for Refusal {
    fn from(error: CredentialsError) -> Self {
        let (code, description) = match error {
            CredentialsError::TwoMechanisms => {
                (ErrorCode::InvalidRequest, "only one client authentication mechanism may be used")
            }
            CredentialsError::IdMismatch => {
                (ErrorCode::InvalidRequest, "client_id does not match the Authorization header")
            }
            CredentialsError::TwoHeaders => {
                (ErrorCode::InvalidRequest, "only one Authorization header may be sent")
            }
            CredentialsError::IdMissing => (ErrorCode::InvalidRequest, "client_id is missing"),
            CredentialsError::Unusable => {
                (ErrorCode::InvalidClient, "client authentication failed")
            }
        };
        Self::new(PublicError::new(code, description), "no usable credentials")
    }
}

impl From<FormError> for Refusal {
    fn from(error: FormError) -> Self {
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
            FormError::Body(BodyError::ContentType) => (
                StatusCode::BAD_REQUEST,
                "the body must be application/x-www-form-urlencoded in UTF-8",
            ),
            FormError::PercentEncoding => {
                (StatusCode::BAD_REQUEST, "a parameter has a malformed percent-encoding")
            }
            FormError::NotUtf8 => (StatusCode::BAD_REQUEST, "a parameter is not UTF-8"),
            FormError::ControlCharacter => {
                (StatusCode::BAD_REQUEST, "a parameter contains a control character")
            }
            FormError::Repeated => {
                (StatusCode::BAD_REQUEST, "a parameter is included more than once")
            }
            FormError::TooMany => (StatusCode::BAD_REQUEST, "there are too many parameters"),
        };
        let error_code = PublicError::new(ErrorCode::InvalidRequest, description);
        Self::with_status(status, error_code, error.to_string())
    }
}
