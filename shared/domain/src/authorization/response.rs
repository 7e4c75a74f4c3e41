//! What the client hears, by way of the browser (RFC 6749 §4.1.2).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::models::transaction::AuthorizationRequest;
use crate::stores::StoreError;
use crate::values::{ClientId, Endpoint, ErrorCode, Issuer, ResponseMode, Secret};

/// An error for the client.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{description}")]
pub struct AuthorizationError {
    /// The code.
    pub code: ErrorCode,
    /// One sentence, within `%x20-21 / %x23-5B / %x5D-7E`. Values of the request in it are quoted and bounded.
    pub description: Cow<'static, str>,
}

impl AuthorizationError {
    pub(super) fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        debug_assert!(code.is_of(Endpoint::Authorization), "{code} is no error of the endpoint");
        Self { code, description: description.into() }
    }

    /// The store failed after it was known where to answer.
    pub(super) fn of_store(error: &StoreError) -> Self {
        let public = error.public();
        Self::new(public.code, public.description)
    }
}

/// Where an answer goes and how.
#[derive(Clone, Debug)]
pub(super) struct Return {
    pub(super) client_id: ClientId,
    pub(super) redirect_uri: String,
    pub(super) mode: ResponseMode,
    pub(super) state: Option<String>,
    /// Whether no page may be shown (`prompt=none`).
    pub(super) is_silent: bool,
}

impl From<&AuthorizationRequest> for Return {
    fn from(request: &AuthorizationRequest) -> Self {
        Self {
            client_id: request.client_id.clone(),
            redirect_uri: request.redirect_uri.clone(),
            mode: request.response_mode,
            state: request.state.clone(),
            is_silent: request.is_silent,
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
    /// Whether the client asked with `prompt=none`, which it may do in a frame.
    pub is_silent: bool,
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
            ("error_description", Secret::new(error.description.to_string())),
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
        let Return { client_id, redirect_uri, mode, state, is_silent } = to;
        parameters.extend(state.map(|state| ("state", Secret::new(state))));
        parameters.push(("iss", Secret::from(issuer.as_str())));
        Self { client_id, redirect_uri, mode, is_silent, error, parameters }
    }

    /// The redirect URI with the parameters: in its query, unless they travel in its fragment.
    #[must_use]
    pub fn url(&self) -> String {
        let parameters = self.parameters.iter().map(|(name, value)| (*name, value.expose()));
        match self.mode {
            ResponseMode::Query | ResponseMode::FormPost => {
                with_query(&self.redirect_uri, parameters)
            }
            ResponseMode::Fragment => with_fragment(&self.redirect_uri, parameters),
        }
    }
}

/// `uri` with `parameters` behind whatever query it has.
pub fn with_query<'a>(
    uri: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    with_parameters(uri, separator, parameters)
}

/// `uri`, which has no fragment, with `parameters` in one (OAuth 2.0 Multiple Response Type Encoding Practices §2.1).
fn with_fragment<'a>(
    uri: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    with_parameters(uri, "#", parameters)
}

fn with_parameters<'a>(
    uri: &str,
    mut separator: &'static str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut url = uri.to_owned();
    for (name, value) in parameters {
        url.push_str(separator);
        url.push_str(name);
        url.push('=');
        url.extend(utf8_percent_encode(value, RESERVED));
        separator = "&";
    }
    url
}

/// How many bytes `value` has in a URL.
pub(super) fn encoded_length(value: &str) -> usize {
    utf8_percent_encode(value, RESERVED).map(str::len).sum()
}

/// What is encoded in a value of a query: all but the unreserved characters (RFC 3986 §2.3). A space becomes %20, which
/// every decoder understands.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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
    fn in_a_fragment_the_query_of_the_uri_stays_as_it_is() {
        let uri = "https://a.example/cb?x=1";
        let url = with_fragment(uri, [("code", "a b"), ("iss", "i&")]);
        assert_eq!(url, "https://a.example/cb?x=1#code=a%20b&iss=i%26");
    }

    #[test]
    fn every_answer_has_the_state_and_the_issuer() {
        let to = Return {
            client_id: ClientId::parse("app").unwrap(),
            redirect_uri: "https://a.example/cb".into(),
            mode: ResponseMode::Query,
            state: Some("s".into()),
            is_silent: false,
        };
        let issuer = Issuer::parse("https://id.example.com").unwrap();
        let code = AuthorizationResponse::code(to.clone(), &issuer, Secret::from("c"));
        assert_eq!(
            code.url(),
            "https://a.example/cb?code=c&state=s&iss=https%3A%2F%2Fid.example.com"
        );
        let denied = AuthorizationError::new(ErrorCode::AccessDenied, "no");
        let error = AuthorizationResponse::error(to, &issuer, denied);
        assert_eq!(
            error.url(),
            "https://a.example/cb?error=access_denied&error_description=no&state=s&iss=https%3A%2F%2Fid.example.com"
        );
    }
}
