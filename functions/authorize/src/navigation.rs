//! Where the browser goes: redirects, and the step that a transaction takes.

use axum::response::Response;
use http::header::{LOCATION, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};
use identety_domain::authorization::{AuthorizationResponse, Page, Step};
use identety_domain::discovery::path;
use identety_domain::session::{ResponseMode, TransactionId};

use crate::failure::Failure;
use crate::pages::{FormPost, respond};
use crate::visit::Visit;

/// 303: whatever the request was, the next one is a GET without its body. So a password that was
/// posted here is never posted on (RFC 9700 §4.12).
pub(crate) fn see_other(url: &str) -> Result<Response, Failure> {
    let location = HeaderValue::from_str(url)
        .map_err(|_| Failure::of_the_server(&"a redirect to what is no URL"))?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, location);
    // Our URLs name transactions.
    let same_origin = HeaderValue::from_static("same-origin");
    response.headers_mut().insert(REFERRER_POLICY, same_origin);
    Ok(response)
}

impl Visit {
    /// Takes a step of the request `id`.
    pub(crate) fn follow(&mut self, step: &Step, id: &TransactionId) -> Result<Response, Failure> {
        match step {
            Step::SignIn => self.to_page(Page::SignIn, id),
            Step::Consent(_) => self.to_page(Page::Consent, id),
            Step::Answer(answer) => self.answer_client(answer),
        }
    }

    /// To a page of the request `id`.
    pub(crate) fn to_page(&self, page: Page, id: &TransactionId) -> Result<Response, Failure> {
        let path = match page {
            Page::SignIn => path::SIGN_IN,
            Page::Consent => path::CONSENT,
        };
        see_other(&format!("{}{path}?transaction={id}", self.base()))
    }

    /// Back to the client.
    pub(crate) fn answer_client(
        &mut self,
        answer: &AuthorizationResponse,
    ) -> Result<Response, Failure> {
        let response = match answer.mode {
            ResponseMode::Query | ResponseMode::Fragment => see_other(&answer.url())?,
            ResponseMode::FormPost => {
                let fields: Vec<_> =
                    answer.parameters.iter().map(|(name, value)| (*name, value.expose())).collect();
                let page = FormPost {
                    base: self.base(),
                    action: &answer.redirect_uri,
                    fields: &fields,
                    is_silent: answer.is_silent,
                };
                respond(StatusCode::OK, &page)?
            }
        };
        let outcome = &mut self.context.outcome;
        outcome.client = Some(answer.client_id.to_string());
        if let Some(error) = &answer.error {
            outcome.refuse(error.code, error.description.clone());
        }
        Ok(response)
    }
}
