//! `GET` and `POST /oauth2/authorize` (RFC 6749 §3.1).

use axum::extract::Request;
use axum::response::Response;
use identety_domain::authorization::{Begun, Parameter, Parameters};
use identety_domain::discovery::path;
use identety_http::body;
use identety_http::form::{self, FormError};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

use crate::failure::Failure;
use crate::navigation::see_other;
use crate::visit::Visit;

/// The longest query that is sent on: API Gateway takes 10 240 bytes for request line and headers.
const MAX_QUERY: usize = 8000;

/// What a browser would encode in a query (WHATWG URL §1.3); what is encoded stays as it is.
const NO_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'');

/// The query → the domain → a page, or back to the client.
pub(crate) async fn get(mut visit: Visit) -> Response {
    let begun = begin(&mut visit).await;
    visit.answer(begun)
}

async fn begin(visit: &mut Visit) -> Result<Response, Failure> {
    let parameters = parameters(&visit.query)?;
    let Visit { door, context, cookies, query } = &mut *visit;
    match door.channel.begin(context, &parameters, query, cookies.session()).await? {
        Begun::Answer(answer) => visit.answer_client(&answer),
        Begun::Waits(interaction, page) => {
            cookies.hold(&interaction.pending, context.now);
            visit.to_page(page, &interaction.pending.id)
        }
    }
}

/// The parameters of a query as they came.
pub(crate) fn parameters(query: &str) -> Result<Parameters, FormError> {
    let pairs = form::pairs(query.as_bytes())?;
    let read = pairs.into_iter().map(|(name, value)| match name {
        Ok(name) => Parameter { name, value: value.ok() },
        Err(_) => Parameter { name: String::new(), value: None },
    });
    Ok(read.collect())
}

/// The URL that begins an authorization request, with the query of an earlier one.
pub(crate) fn url(base: &str, query: &str) -> String {
    format!("{base}{}?{}", path::AUTHORIZE, percent_encode(query.as_bytes(), NO_QUERY))
}

/// A form posted from the client's site comes without our cookies, which are `Lax`. So it goes on as a
/// GET, to which the browser adds them.
pub(crate) async fn post(mut visit: Visit, request: Request) -> Response {
    let sent_on = as_get(&visit, path::AUTHORIZE, request).await;
    visit.answer(sent_on)
}

/// Sends the form of a request on as the query of a GET at the same path.
pub(crate) async fn as_get(
    visit: &Visit,
    path: &str,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let form = "application/x-www-form-urlencoded";
    body::check_content_type(&parts.headers, &[form]).map_err(FormError::from)?;
    let bytes = body::read(&parts.headers, body).await.map_err(FormError::from)?;
    // What is encoded here is three times as long.
    let query = percent_encode(&bytes, NO_QUERY).to_string();
    if query.len() > MAX_QUERY {
        return Err(Failure::too_long());
    }
    see_other(&format!("{}{path}?{query}", visit.base()))
}
