//! The answer that carries a page.

use askama::Template;
use axum::response::Response;
use http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use identety_http::edge::RequestId;
use identety_http::response::{server_error, with_body};

use super::csp;

/// A page, and what its content security policy has to let it do.
pub trait Page: Template {
    /// The image that it shows.
    fn logo_uri(&self) -> Option<&str> {
        None
    }

    /// Where its form goes, when that is not this server.
    fn form_target(&self) -> Option<&str> {
        None
    }

    /// Whether it has a script.
    fn runs_script(&self) -> bool {
        false
    }
}

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// What every page says beside its content security policy.
///
/// Transactions are named in URLs, so no other site gets a `Referer`. There is no
/// `Cross-Origin-Opener-Policy`: apps that open sign-in in a popup would lose it from sight, and would
/// wait for ever for the answer.
const HEADERS: [(HeaderName, &str); 4] = [
    (REFERRER_POLICY, "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// The answer with `page`, which nobody may keep or frame.
///
/// `form_targets` are the redirect URIs to which the answer to its form may lead: browsers hold
/// `form-action` against redirects too, so a policy without them would block the way back to the client.
pub fn respond(
    status: StatusCode,
    page: &impl Page,
    form_targets: &[&str],
    id: &RequestId,
) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => return server_error(id, &error.to_string()),
    };
    let policy = match HeaderValue::from_str(&csp::policy(page, form_targets)) {
        Ok(policy) => policy,
        Err(error) => return server_error(id, &error.to_string()),
    };
    let mut response = with_body(status, HTML, html);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
