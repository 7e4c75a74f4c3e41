//! One request of a browser, with what every endpoint needs to answer it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use identety_domain::Timestamp;
use identety_domain::authorization::{Begun, FlowError, FrontChannel, Interaction};
use identety_domain::session::{PendingRequest, SessionSecret, TransactionId};
use identety_http::context::HeldContext;
use identety_http::form::Form;

use crate::authorize;
use crate::cookies::Cookies;
use crate::failure::Failure;
use crate::state::FrontDoor;

/// A request but for its body.
pub(crate) struct Visit {
    pub(crate) door: Arc<FrontDoor>,
    pub(crate) context: HeldContext,
    pub(crate) cookies: Cookies,
    pub(crate) query: String,
}

/// A form of ours about a request that waits, once it is known that our page sent it in this browser.
pub(crate) struct OwnForm {
    /// The request.
    pub(crate) pending: PendingRequest,
    /// The query with which the request came, as the page has carried it on.
    query: Option<String>,
}

/// A request that is open again.
pub(crate) enum Reopened {
    /// It goes on.
    Here(Box<Interaction>),
    /// Its page was left open for so long that it began anew, and has its answer.
    Answered(Response),
}

impl FromRequestParts<Arc<FrontDoor>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        door: &Arc<FrontDoor>,
    ) -> Result<Self, Response> {
        let context = HeldContext::of(&parts.extensions);
        let context = context.map_err(IntoResponse::into_response)?;
        let cookies = Cookies::of(&parts.headers, &door.channel.settings.issuer);
        let query = parts.uri.query().unwrap_or_default().to_owned();
        Ok(Self { door: door.clone(), context, cookies, query })
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

    /// The time of the request.
    pub(crate) fn now(&self) -> Timestamp {
        self.context.now
    }

    /// What the browser shows of its session, if it has one.
    pub(crate) fn session(&self) -> Option<&SessionSecret> {
        self.cookies.session()
    }

    /// The answer, or the page that says why there is none; with the cookies that the browser is to keep.
    pub(crate) fn answer(&mut self, answered: Result<Response, Failure>) -> Response {
        let mut response =
            answered.unwrap_or_else(|failure| failure.into_response(&self.door, &mut self.context));
        self.cookies.write(&mut response);
        response
    }

    /// The request that waits and that the query names.
    pub(crate) async fn interaction(&self) -> Result<Interaction, Failure> {
        let mut form = Form::parse(self.query.as_bytes())?;
        let id = named_transaction(&mut form)?;
        let Some(pending) = self.cookies.pending(&id) else { return Err(self.unheld(&id).await) };
        match self.channel().open(&pending, self.now()).await {
            Ok(interaction) => Ok(interaction),
            Err(FlowError::Over(None)) => Err(Failure::from(FlowError::Over(None))),
            Err(error) => Err(error.into()),
        }
    }

    /// Why this browser does not hold a request that it names.
    async fn unheld(&self, id: &TransactionId) -> Failure {
        let client = match self.channel().client_of(id).await {
            Ok(client) => client,
            Err(error) => return error.into(),
        };
        Failure::unheld(self.cookies.came_with_any(), client.as_ref())
    }

    /// Checks that a form comes from a page of ours: no other site's, and for the reader of our pages alone.
    ///
    /// A user agent that sends neither header is held to the form's token.
    pub(crate) fn check_site(&self) -> Result<(), Failure> {
        let headers = &self.context.headers;
        let is_own = |origin: &str| origin == origin_of(self.base());
        let is_same = |site: &str| matches!(site, "same-origin" | "none");
        let origin = headers.origin.as_deref().is_none_or(is_own);
        let site = headers.sec_fetch_site.as_deref().is_none_or(is_same);
        if origin && site { Ok(()) } else { Err(Failure::forged(&"a form from another site")) }
    }

    /// The form about a request that waits, once it is known that our page sent it in this browser.
    pub(crate) async fn own_form(&self, form: &mut Form) -> Result<OwnForm, Failure> {
        self.check_site()?;
        let id = named_transaction(form)?;
        let csrf = form.take("csrf").unwrap_or_default();
        let query = form.take("query").filter(|query| !query.is_empty());
        let Some(pending) = self.cookies.pending(&id) else {
            let failure = self.unheld(&id).await;
            return Err(failure.forbidden());
        };
        if pending.csrf_token().is(&csrf) {
            Ok(OwnForm { pending, query })
        } else {
            Err(Failure::forged(&"wrong CSRF token"))
        }
    }

    /// Opens the request of a form whose user has entered something. One whose time is over begins anew with the query
    /// that the page has carried on, so that what the user entered is not lost.
    pub(crate) async fn reopen(&mut self, form: &OwnForm) -> Result<Reopened, Failure> {
        let known = match self.channel().open(&form.pending, self.now()).await {
            Ok(interaction) => return Ok(Reopened::Here(Box::new(interaction))),
            Err(FlowError::Over(query)) => query,
            Err(error) => return Err(error.into()),
        };
        let Some(query) = known.or_else(|| form.query.clone()) else {
            return Err(FlowError::Over(None).into());
        };
        let parameters = authorize::parameters(&query)?;
        let Self { door, context, .. } = &mut *self;
        match door.channel.begin_again(context, &parameters, &query).await? {
            Begun::Answer(answer) => self.answer_client(&answer).map(Reopened::Answered),
            Begun::Waits(interaction, _) => {
                self.cookies.hold(&interaction.pending, self.context.now);
                Ok(Reopened::Here(interaction))
            }
        }
    }
}

impl OwnForm {
    /// A form that only decides, and whose request is over: its page is shown again for a new request.
    pub(crate) fn again(&self, error: FlowError) -> Failure {
        match error {
            FlowError::Over(known) => FlowError::Over(known.or_else(|| self.query.clone())).into(),
            error => error.into(),
        }
    }
}

/// The origin of an issuer (RFC 6454 §6.2): what stands before its path.
fn origin_of(issuer: &str) -> &str {
    let host_at = issuer.find("://").map_or(0, |at| at + 3);
    let end = issuer.get(host_at..).and_then(|rest| rest.find('/'));
    end.and_then(|end| issuer.get(..host_at + end)).unwrap_or(issuer)
}

/// The transaction that a form or a query names.
fn named_transaction(form: &mut Form) -> Result<TransactionId, Failure> {
    let id = form.take("transaction").and_then(|text| TransactionId::parse(&text));
    id.ok_or_else(|| Failure::unexpected_form(&"no transaction is named"))
}

/// That a form has no field that our page has not: somebody hopes that it counts.
pub(crate) fn check_no_more(form: &Form) -> Result<(), Failure> {
    match form.names().next() {
        None => Ok(()),
        Some(_) => Err(Failure::unexpected_form(&"a field that is not on the page")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_an_issuer_has_no_path() {
        assert_eq!(origin_of("https://id.example.com"), "https://id.example.com");
        assert_eq!(origin_of("https://id.example.com/a/b"), "https://id.example.com");
        assert_eq!(origin_of("http://localhost:8080/a"), "http://localhost:8080");
    }
}
