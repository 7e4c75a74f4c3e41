//! The answer that carries a page.

use askama::Template;
use axum::response::Response;
use http::header::InvalidHeaderValue;
use http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use identety_http::response::with_body;

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
///
/// # Errors
/// When the page cannot be written: a defect.
pub fn respond(
    status: StatusCode,
    page: &impl Page,
    form_targets: &[&str],
) -> Result<Response, Unwritable> {
    let html = page.render()?;
    let policy = HeaderValue::from_str(&csp::policy(page, form_targets))?;
    let mut response = with_body(status, HTML, html);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// A page cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    /// The template fails.
    #[error(transparent)]
    Template(#[from] askama::Error),
    /// The content security policy is no header.
    #[error(transparent)]
    Policy(#[from] InvalidHeaderValue),
}
