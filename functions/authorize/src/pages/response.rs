//! The answer that carries a page.

use askama::Template;
use axum::response::Response;
use http::header::InvalidHeaderValue;
use http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use identety_http::response::with_body;

use super::csp::{self, FormTarget, Policy};

/// A page, and what its content security policy has to let it do.
pub trait Page: Template {
    /// Where its form leads.
    fn form_target(&self) -> FormTarget;

    /// The image that it shows.
    fn logo_uri(&self) -> Option<&str> {
        None
    }

    /// Whether it has a script.
    fn runs_script(&self) -> bool {
        false
    }

    /// A URI of the client whose origin may frame it.
    fn framed_by(&self) -> Option<&str> {
        None
    }
}

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// What every page says beside its content security policy.
///
/// Transactions are named in URLs, so no other site gets a `Referer`. There is no
/// `Cross-Origin-Opener-Policy`: apps that open sign-in in a popup would lose it from sight, and would
/// wait for ever for the answer.
const HEADERS: [(HeaderName, &str); 3] = [
    (REFERRER_POLICY, "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// The answer with `page`, which no cache may keep, and no other site may frame unless the page says which.
///
/// # Errors
/// When the page cannot be written: a defect.
pub fn respond(status: StatusCode, page: &impl Page) -> Result<Response, Unwritable> {
    let html = page.render()?;
    let framed_by = page.framed_by().and_then(csp::source);
    let policy = Policy {
        image: page.logo_uri(),
        runs_script: page.runs_script(),
        form: page.form_target(),
        framed_by: framed_by.as_deref(),
    };
    let policy = HeaderValue::from_str(&policy.to_string())?;
    let mut response = with_body(status, HTML, html);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    // It cannot name an origin, so it would forbid what `frame-ancestors` allows.
    if framed_by.is_none() {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
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
