//! Where the browser goes: redirects, and the step that a transaction takes.

use axum::response::Response;
use http::header::{LOCATION, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};
use identety_domain::authorization::{AuthorizationResponse, ResponseMode, Step, TransactionId};
use identety_domain::discovery::path;
use identety_http::logging::Outcome;
use identety_http::response::server_error;

use crate::pages::{FormPost, respond};
use crate::visit::Visit;

impl Visit {
    /// 303: whatever the request was, the next one is a GET without its body. So a password that was
    /// posted here is never posted on (RFC 9700 §4.12).
    pub(crate) fn see_other(&self, url: &str) -> Response {
        let Ok(location) = HeaderValue::from_str(url) else {
            return server_error(&self.context.id, "a redirect to what is no URL");
        };
        let mut response = Response::default();
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(LOCATION, location);
        // Our URLs name transactions.
        let same_origin = HeaderValue::from_static("same-origin");
        response.headers_mut().insert(REFERRER_POLICY, same_origin);
        response
    }

    /// Takes a step.
    pub(crate) fn follow(&self, step: &Step) -> Response {
        match step {
            Step::SignIn(id) => self.to_page(path::SIGN_IN, id),
            Step::Consent(id) => self.to_page(path::CONSENT, id),
            Step::Answer(answer) => self.to_client(answer),
        }
    }

    /// To the page of a transaction.
    fn to_page(&self, path: &str, id: &TransactionId) -> Response {
        self.see_other(&format!("{}{path}?transaction={id}", self.base()))
    }

    fn to_client(&self, answer: &AuthorizationResponse) -> Response {
        let mut response = match answer.mode {
            ResponseMode::Query => self.see_other(&answer.url()),
            ResponseMode::FormPost => {
                let fields: Vec<_> =
                    answer.parameters.iter().map(|(name, value)| (*name, value.expose())).collect();
                let page =
                    FormPost { base: self.base(), action: &answer.redirect_uri, fields: &fields };
                respond(StatusCode::OK, &page, &[], &self.context.id)
            }
        };
        let outcome = match &answer.error {
            Some(error) => Outcome::refused(error.code, error.description),
            None => Outcome::default(),
        };
        let client = Some(answer.client_id.to_string());
        Outcome { client, ..outcome }.attach(&mut response);
        response
    }
}
