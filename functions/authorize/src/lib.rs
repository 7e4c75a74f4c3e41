//! The front channel: what browsers ask. The authorization endpoint, sign-in, consent and sign-out.

mod authorize;
mod consent;
mod cookies;
mod failure;
mod known_browser;
mod logout;
mod navigation;
pub mod pages;
mod register;
mod sign_in;
mod sign_out;
mod state;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use http::header::ALLOW;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use identety_domain::discovery::path;
use identety_http::edge;

use crate::failure::Failure;
pub use crate::state::FrontDoor;

/// The routes of the front channel, whose every error is a page.
pub fn router(state: Arc<FrontDoor>) -> Router {
    let door = state.clone();
    let routes = Router::new()
        .route(path::AUTHORIZE, without_head(get(authorize::get).post(authorize::post)))
        .route(path::LOGOUT, without_head(get(logout::get).post(logout::post)))
        .route(path::SIGN_IN, get(sign_in::get).head(sign_in::head).post(sign_in::post))
        .route(path::REGISTER, get(register::get).post(register::post))
        .route(path::CONSENT, get(consent::get).head(consent::head).post(consent::post))
        .route(path::KNOWN_BROWSER, get(known_browser::get).post(known_browser::post))
        .route(path::SIGN_OUT, get(sign_out::get).post(sign_out::post))
        .route(pages::STYLE_PATH, get(style))
        .route(pages::FORM_POST_SCRIPT_PATH, get(form_post_script))
        .with_state(state);
    edge::catch_panics(routes, move |context| {
        Failure::of_the_server(&edge::PANIC).into_response(&door, context)
    })
}

/// `GET` and `POST`, and nothing else. A `HEAD` that goes to the handler of `GET` has its effects, but it is a
/// safe method (RFC 9110 §9.2.1): what looks ahead at a link must neither use it up nor sign a user out.
fn without_head(routes: MethodRouter<Arc<FrontDoor>>) -> MethodRouter<Arc<FrontDoor>> {
    routes.layer(middleware::from_fn(refuse_head))
}

async fn refuse_head(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::HEAD {
        let mut refused = Response::default();
        *refused.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        refused
    } else {
        next.run(request).await
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET,POST"));
    }
    response
}

async fn style(headers: HeaderMap) -> Response {
    pages::style(&headers)
}

async fn form_post_script(headers: HeaderMap) -> Response {
    pages::form_post_script(&headers)
}
