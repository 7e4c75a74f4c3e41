//! The two files beside the pages.

use std::sync::LazyLock;

use axum::response::Response;
use http::{HeaderMap, HeaderValue};
use identety_http::response::{PublicDocument, public_document};

/// Where [`style`] is, under the issuer.
pub const STYLE_PATH: &str = "/style.css";
/// Where [`form_post_script`] is, under the issuer.
pub const FORM_POST_SCRIPT_PATH: &str = "/form_post.js";

static STYLE: LazyLock<PublicDocument> = LazyLock::new(|| {
    let css = HeaderValue::from_static("text/css; charset=utf-8");
    PublicDocument::file(css, include_str!("../../templates/style.css"))
});

static FORM_POST_SCRIPT: LazyLock<PublicDocument> = LazyLock::new(|| {
    let javascript = HeaderValue::from_static("text/javascript; charset=utf-8");
    PublicDocument::file(javascript, include_str!("../../templates/form_post.js"))
});

/// `GET /style.css`: how all pages look.
#[must_use]
pub fn style(request: &HeaderMap) -> Response {
    public_document(&STYLE, request)
}

/// `GET /form_post.js`: submits the form of [`FormPost`](super::FormPost).
#[must_use]
pub fn form_post_script(request: &HeaderMap) -> Response {
    public_document(&FORM_POST_SCRIPT, request)
}
