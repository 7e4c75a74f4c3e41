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
use axum::response::Response;
use axum::routing::get;
use http::HeaderMap;
use identety_domain::discovery::path;
use identety_http::edge;

use crate::failure::Failure;
pub use crate::state::FrontDoor;

/// The routes of the front channel, whose every error is a page.
pub fn router(state: Arc<FrontDoor>) -> Router {
    let door = state.clone();
    let routes = Router::new()
        .route(path::AUTHORIZE, get(authorize::get).post(authorize::post))
        .route(path::LOGOUT, get(logout::get).post(logout::post))
        .route(path::SIGN_IN, get(sign_in::get).post(sign_in::post))
        .route(path::REGISTER, get(register::get).post(register::post))
        .route(path::CONSENT, get(consent::get).post(consent::post))
        .route(path::KNOWN_BROWSER, get(known_browser::get).post(known_browser::post))
        .route(path::SIGN_OUT, get(sign_out::get).post(sign_out::post))
        .route(pages::STYLE_PATH, get(style))
        .route(pages::FORM_POST_SCRIPT_PATH, get(form_post_script))
        .with_state(state);
    edge::catch_panics(routes, move |context| {
        Failure::of_the_server(&edge::PANIC).into_response(&door, context)
    })
}

async fn style(headers: HeaderMap) -> Response {
    pages::style(&headers)
}

async fn form_post_script(headers: HeaderMap) -> Response {
    pages::form_post_script(&headers)
}
