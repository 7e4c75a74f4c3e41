//! Where the browser goes: redirects, and the step that a transaction takes.

use axum::response::Response;
use http::header::{LOCATION, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};
use identety_domain::authorization::{AuthorizationResponse, ResponseMode, Step, TransactionId};
use identety_domain::discovery::path;
use identety_http::edge::Context;
use identety_http::logging::Outcome;
use identety_http::response::server_error;

use crate::FrontDoor;
use crate::pages::{FormPost, respond};

/// 303: whatever the request was, the next one is a GET without its body. So a password that was posted
/// here is never posted on (RFC 9700 §4.12).
pub(crate) fn see_other(url: &str, context: &Context) -> Response {
    let Ok(location) = HeaderValue::from_str(url) else {
        return server_error(&context.id, "a redirect to what is no URL");
    };
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, location);
    // Our URLs name transactions.
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// To the page of a transaction.
fn to_page(state: &FrontDoor, path: &str, id: &TransactionId, context: &Context) -> Response {
    see_other(&format!("{}{path}?transaction={id}", state.base()), context)
}

/// Takes a step.
pub(crate) fn follow(state: &FrontDoor, step: &Step, context: &Context) -> Response {
    match step {
        Step::SignIn(id) => to_page(state, path::SIGN_IN, id, context),
        Step::Consent(id) => to_page(state, path::CONSENT, id, context),
        Step::Answer(answer) => to_client(state, answer, context),
    }
}

fn to_client(state: &FrontDoor, answer: &AuthorizationResponse, context: &Context) -> Response {
    let mut response = match answer.mode {
        ResponseMode::Query => see_other(&answer.url(), context),
        ResponseMode::FormPost => {
            let fields: Vec<_> =
                answer.parameters.iter().map(|(name, value)| (*name, value.expose())).collect();
            let page =
                FormPost { base: state.base(), action: &answer.redirect_uri, fields: &fields };
            respond(StatusCode::OK, &page, &[], &context.id)
        }
    };
    let outcome = match &answer.error {
        Some(error) => Outcome::refused(error.code.as_str(), error.description),
        None => Outcome::default(),
    };
    let client = Some(answer.client_id.to_string());
    Outcome { client, ..outcome }.attach(&mut response);
    response
}
