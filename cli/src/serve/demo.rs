//! The demo app: a page that signs its users in with this server, as an app of anybody would.

mod client;
mod user;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

pub(crate) use client::ensure_client;
pub(crate) use user::{DemoUser, ensure_user};

/// Where the app is, below the issuer.
pub(crate) const PATH: &str = "/demo";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Scripts, styles and requests of this server alone; the app shows no other pages and no page shows it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' https: data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
);

const PAGE: &str = include_str!("../../demo/index.html");
const FILES: [(&str, &str, &str); 3] = [
    ("/demo/demo.css", CSS, include_str!("../../demo/demo.css")),
    ("/demo/demo.js", JAVASCRIPT, include_str!("../../demo/demo.js")),
    ("/demo/oidc-client-ts.min.js", JAVASCRIPT, include_str!("../../demo/oidc-client-ts.min.js")),
];

/// The routes of the app. Whatever it needs to know it learns from its address.
pub(crate) fn routes() -> Router {
    let page = get(async || page());
    let mut routes = Router::new().route(PATH, page.clone()).route("/demo/", page);
    for (path, media_type, content) in FILES {
        routes = routes.route(path, get(async move || file(media_type, content)));
    }
    routes
}

fn page() -> Response {
    let mut response = file(HTML, PAGE);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

fn file(media_type: &'static str, content: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(media_type)),
        // A later version of the program has other files.
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (headers, content).into_response()
}
