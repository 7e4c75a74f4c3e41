//! What the client hears, by way of the browser (RFC 6749 §4.1.2).

use super::{AuthorizationRequest, ResponseMode};
use crate::client::ClientId;
use crate::store::StoreError;
use crate::{Issuer, Secret};

/// The codes of errors that go to the client (RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6,
/// RFC 8707 §2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AuthorizationErrorCode {
    /// `invalid_request`
    InvalidRequest,
    /// `unauthorized_client`
    UnauthorizedClient,
    /// `access_denied`
    AccessDenied,
    /// `unsupported_response_type`
    UnsupportedResponseType,
    /// `invalid_scope`
    InvalidScope,
    /// `invalid_target`
    InvalidTarget,
    /// `server_error`
    ServerError,
    /// `temporarily_unavailable`
    TemporarilyUnavailable,
    /// `login_required`
    LoginRequired,
    /// `consent_required`
    ConsentRequired,
    /// `request_not_supported`
    RequestNotSupported,
    /// `request_uri_not_supported`
    RequestUriNotSupported,
}

impl AuthorizationErrorCode {
    /// The value of `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
        }
    }
}

/// An error for the client.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{description}")]
pub struct AuthorizationError {
    /// The code.
    pub code: AuthorizationErrorCode,
    /// One sentence, within `%x20-21 / %x23-5B / %x5D-7E`.
    pub description: &'static str,
}

impl AuthorizationError {
    pub(super) const fn new(code: AuthorizationErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }

    /// The store failed after it was known where to answer.
    pub(super) const fn of_store(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::new(
                AuthorizationErrorCode::TemporarilyUnavailable,
                "the server is busy; try again shortly",
            ),
            StoreError::Corrupt(_) | StoreError::Other(_) => {
                Self::new(AuthorizationErrorCode::ServerError, "the server failed")
            }
        }
    }
}

/// Where an answer goes and how.
#[derive(Clone, Debug)]
pub(super) struct Return {
    pub(super) client_id: ClientId,
    pub(super) redirect_uri: String,
    pub(super) mode: ResponseMode,
    pub(super) state: Option<String>,
}

impl From<&AuthorizationRequest> for Return {
    fn from(request: &AuthorizationRequest) -> Self {
        Self {
            client_id: request.client_id.clone(),
            redirect_uri: request.redirect_uri.clone(),
            mode: request.response_mode,
            state: request.state.clone(),
        }
    }
}

/// An answer on its way to the client.
#[derive(Clone, Debug)]
pub struct AuthorizationResponse {
    /// Who hears it.
    pub client_id: ClientId,
    /// Where it goes.
    pub redirect_uri: String,
    /// How it travels.
    pub mode: ResponseMode,
    /// The error in it, for the log.
    pub error: Option<AuthorizationError>,
    /// Its parameters. They hold the code and the state: never for a log.
    pub parameters: Vec<(&'static str, Secret)>,
}

impl AuthorizationResponse {
    /// A code.
    pub(super) fn code(to: Return, issuer: &Issuer, code: Secret) -> Self {
        Self::new(to, issuer, None, vec![("code", code)])
    }

    /// An error.
    pub(super) fn error(to: Return, issuer: &Issuer, error: AuthorizationError) -> Self {
        let parameters = vec![
            ("error", Secret::from(error.code.as_str())),
            ("error_description", Secret::from(error.description)),
        ];
        Self::new(to, issuer, Some(error), parameters)
    }

    /// Every answer gives back the state as it came, and says whose answer it is (RFC 9207).
    fn new(
        to: Return,
        issuer: &Issuer,
        error: Option<AuthorizationError>,
        mut parameters: Vec<(&'static str, Secret)>,
    ) -> Self {
        let Return { client_id, redirect_uri, mode, state } = to;
        parameters.extend(state.map(|state| ("state", Secret::new(state))));
        parameters.push(("iss", Secret::from(issuer.as_str())));
        Self { client_id, redirect_uri, mode, error, parameters }
    }

    /// The redirect URI with the parameters in its query.
    #[must_use]
    pub fn url(&self) -> String {
        let parameters = self.parameters.iter().map(|(name, value)| (*name, value.expose()));
        with_query(&self.redirect_uri, parameters)
    }
}

/// `uri` with `parameters` behind whatever query it has.
pub fn with_query<'a>(
    uri: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut url = uri.to_owned();
    let mut separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    for (name, value) in parameters {
        url.push_str(separator);
        url.push_str(name);
        url.push('=');
        url.push_str(&encode(value));
        separator = "&";
    }
    url
}

/// Percent-encoded but for unreserved characters; a space as %20, which every decoder understands.
fn encode(text: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://a.example/cb", "https://a.example/cb?state=a%20b%26c%3D%23%2B%25%C3%A9")]
    #[case(
        "https://a.example/cb?x=1",
        "https://a.example/cb?x=1&state=a%20b%26c%3D%23%2B%25%C3%A9"
    )]
    #[case("https://a.example/cb?", "https://a.example/cb?state=a%20b%26c%3D%23%2B%25%C3%A9")]
    #[case("com.example.app:/cb", "com.example.app:/cb?state=a%20b%26c%3D%23%2B%25%C3%A9")]
    fn parameters_go_behind_the_query_and_are_encoded(#[case] uri: &str, #[case] expected: &str) {
        assert_eq!(with_query(uri, [("state", "a b&c=#+%é")]), expected);
    }

    #[test]
    fn every_answer_has_the_state_and_the_issuer() {
        let to = Return {
            client_id: ClientId::parse("app").unwrap(),
            redirect_uri: "https://a.example/cb".into(),
            mode: ResponseMode::Query,
            state: Some("s".into()),
        };
        let issuer = Issuer::parse("https://id.example.com").unwrap();
        let code = AuthorizationResponse::code(to.clone(), &issuer, Secret::from("c"));
        assert_eq!(
            code.url(),
            "https://a.example/cb?code=c&state=s&iss=https%3A%2F%2Fid.example.com"
        );
        let denied = AuthorizationError::new(AuthorizationErrorCode::AccessDenied, "no");
        let error = AuthorizationResponse::error(to, &issuer, denied);
        assert_eq!(
            error.url(),
            "https://a.example/cb?error=access_denied&error_description=no&state=s&iss=https%3A%2F%2Fid.example.com"
        );
    }
}
