//! One request of a browser, with what every endpoint needs to answer it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use identety_domain::Timestamp;
use identety_domain::authorization::{FrontChannel, Visitor};
use identety_domain::session::{CsrfToken, DeviceSecrets, SessionSecret, TransactionId};
use identety_http::context::HeldContext;
use identety_http::form::Form;

use crate::cookies::Cookies;
use crate::device_cookie;
use crate::failure::Failure;
use crate::state::FrontDoor;

/// A request but for its body.
pub(crate) struct Visit {
    pub(crate) door: Arc<FrontDoor>,
    pub(crate) context: HeldContext,
    pub(crate) cookies: Cookies,
    /// By which accounts know the browser.
    pub(crate) device: DeviceSecrets,
    pub(crate) query: String,
}

impl FromRequestParts<Arc<FrontDoor>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        door: &Arc<FrontDoor>,
    ) -> Result<Self, Response> {
        let context = HeldContext::of(&parts.extensions);
        let mut context = context.map_err(IntoResponse::into_response)?;
        let issuer = &door.channel.settings.issuer;
        let cookies = Cookies::of(&parts.headers, issuer, &mut *context.rng);
        let device = device_cookie::read(&parts.headers, is_secure(issuer.as_str()));
        let query = parts.uri.query().unwrap_or_default().to_owned();
        Ok(Self { door: door.clone(), context, cookies, device, query })
    }
}

impl Visit {
    /// The rules.
    pub(crate) fn channel(&self) -> &FrontChannel {
        &self.door.channel
    }

    /// The issuer, under which all pages lie.
    pub(crate) fn base(&self) -> &str {
        self.channel().settings.issuer.as_str()
    }

    /// Whether browsers reach the issuer over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        is_secure(self.base())
    }

    /// The time of the request.
    pub(crate) fn now(&self) -> Timestamp {
        self.context.now
    }

    /// The browser.
    pub(crate) fn visitor(&self) -> &Visitor {
        self.cookies.visitor()
    }

    /// What the browser shows of its session, if it has one.
    pub(crate) fn session(&self) -> Option<&SessionSecret> {
        self.visitor().session.as_ref()
    }

    /// The answer, or the page that says why there is none.
    pub(crate) fn answer(&mut self, answered: Result<Response, Failure>) -> Response {
        answered.unwrap_or_else(|failure| failure.into_page(&self.door, &mut self.context))
    }

    /// The transaction that the query names.
    pub(crate) fn transaction(&self) -> Result<TransactionId, Failure> {
        let mut form = Form::parse(self.query.as_bytes())?;
        let id = form.take("transaction").and_then(|text| TransactionId::parse(&text));
        id.ok_or_else(|| Failure::unexpected_form(&"no transaction in the query"))
    }

    /// The CSRF token of a form about a transaction.
    pub(crate) fn csrf_token(&self, id: &TransactionId) -> CsrfToken {
        self.visitor().browser.csrf_token(id.as_str())
    }

    /// The transaction that a form is about, once it is known that our page sent it in this browser.
    pub(crate) fn checked_transaction(&self, form: &mut Form) -> Result<TransactionId, Failure> {
        let id = named_transaction(form)?;
        let csrf = form.take("csrf").unwrap_or_default();
        if self.csrf_token(&id).is(&csrf) { Ok(id) } else { Err(Failure::forged()) }
    }
}

fn is_secure(issuer: &str) -> bool {
    issuer.starts_with("https:")
}

/// The transaction that a form names.
pub(crate) fn named_transaction(form: &mut Form) -> Result<TransactionId, Failure> {
    let id = form.take("transaction").and_then(|text| TransactionId::parse(&text));
    id.ok_or_else(|| Failure::unexpected_form(&"no transaction in the form"))
}

/// That a form has no field that our page has not: somebody hopes that it counts.
pub(crate) fn check_no_more(form: &Form) -> Result<(), Failure> {
    match form.names().next() {
        None => Ok(()),
        Some(_) => Err(Failure::unexpected_form(&"a field that is not on the page")),
    }
}
