//! `GET` and `POST /signin`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use identety_domain::authorization::{Entered, SignInError, Step, TransactionId};
use identety_domain::{Seconds, Secret};
use identety_http::edge::Context;
use identety_http::form::Form;
use identety_http::logging::Outcome;
use identety_http::{ambient, response};

use crate::FrontDoor;
use crate::cookies::Cookies;
use crate::failure::Failure;
use crate::navigation::follow;
use crate::pages::{ClientView, SignIn, respond};

/// The page; or, where the user has signed in already, whatever comes next.
pub(crate) async fn get(
    State(state): State<Arc<FrontDoor>>,
    Extension(context): Extension<Context>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match show(&state, query.as_deref(), &headers, &context).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(&state, &context),
    }
}

async fn show(
    state: &FrontDoor,
    query: Option<&str>,
    headers: &HeaderMap,
    context: &Context,
) -> Result<Response, Failure> {
    let cookies = Cookies::of(headers, &state.channel.settings.issuer, &mut ambient::rng()?);
    let id = transaction_of(query)?;
    match state.channel.resume(&id, cookies.visitor(), context.now).await? {
        Step::SignIn(id) => page(state, &id, &cookies, None, context).await,
        step => Ok(follow(state, &step, context)),
    }
}

/// The transaction that a query names.
pub(crate) fn transaction_of(query: Option<&str>) -> Result<TransactionId, Failure> {
    let mut form = Form::parse(query.unwrap_or_default().as_bytes())?;
    let id = form.take("transaction").and_then(|text| TransactionId::parse(&text));
    id.ok_or_else(|| Failure::unexpected_form(&"no transaction in the query"))
}

/// What was wrong with what was entered before.
struct Mistake<'a> {
    email: &'a str,
    status: StatusCode,
    text: String,
    cause: String,
    retry_after: Option<Seconds>,
}

async fn page(
    state: &FrontDoor,
    id: &TransactionId,
    cookies: &Cookies,
    mistake: Option<Mistake<'_>>,
    context: &Context,
) -> Result<Response, Failure> {
    let visitor = cookies.visitor();
    let (transaction, client) = state.channel.open(id, visitor, context.now).await?;
    let hint = transaction.request.login_hint.as_deref().unwrap_or_default();
    let csrf = visitor.browser.csrf_token(id.as_str());
    let page = SignIn {
        base: state.base(),
        client: &ClientView::from(&client.metadata),
        transaction: id.as_str(),
        csrf: csrf.expose(),
        email: mistake.as_ref().map_or(hint, |mistake| mistake.email),
        error: mistake.as_ref().map(|mistake| mistake.text.as_str()),
        can_register: state.channel.registration_is_open,
    };
    let status = mistake.as_ref().map_or(StatusCode::OK, |mistake| mistake.status);
    let targets = [transaction.request.redirect_uri.as_str()];
    let mut answer = respond(status, &page, &targets, &context.id);
    let client = Some(client.client_id.to_string());
    let outcome = match &mistake {
        Some(mistake) => Outcome::refused("access_denied", &mistake.cause),
        None => Outcome::default(),
    };
    Outcome { client, ..outcome }.attach(&mut answer);
    response::retry_after(&mut answer, mistake.and_then(|mistake| mistake.retry_after));
    Ok(answer)
}

/// Form → CSRF token → the domain → a session and the next step, or the page again.
pub(crate) async fn post(
    State(state): State<Arc<FrontDoor>>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    match enter(&state, request, &context).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(&state, &context),
    }
}

async fn enter(
    state: &FrontDoor,
    request: Request,
    context: &Context,
) -> Result<Response, Failure> {
    let mut rng = ambient::rng()?;
    let cookies = Cookies::of(request.headers(), &state.channel.settings.issuer, &mut rng);
    let mut form = Form::read(request).await?;
    let id = checked_transaction(&mut form, &cookies)?;
    let email = form.take("email").unwrap_or_default();
    let password = Secret::new(form.take("password").unwrap_or_default());
    check_no_more(&form)?;
    let entered = Entered { email, password };
    let (channel, visitor) = (&state.channel, cookies.visitor());
    let signed_in =
        channel.sign_in(&id, &entered, visitor, &context.peer, context.now, &mut rng).await;
    let error = match signed_in {
        Ok((session, step)) => {
            let mut response = follow(state, &step, context);
            cookies.start_session(&mut response, &session);
            return Ok(response);
        }
        Err(SignInError::Flow(error)) => return Err(error.into()),
        Err(error) => error,
    };
    let cause = error.to_string();
    let (status, text, retry_after) = match error {
        SignInError::TooManyFailures { retry_after } => {
            let text = format!("Too many attempts. Try again in {}.", seconds(retry_after));
            (StatusCode::TOO_MANY_REQUESTS, text, Some(retry_after))
        }
        SignInError::WrongCredentials | SignInError::TooLong | SignInError::Flow(_) => {
            let text = "The email address or the password is wrong.".to_owned();
            (StatusCode::BAD_REQUEST, text, None)
        }
    };
    let mistake = Mistake { email: &entered.email, status, text, cause, retry_after };
    page(state, &id, &cookies, Some(mistake), context).await
}

/// In words.
pub(crate) fn seconds(seconds: Seconds) -> String {
    if seconds == 1 { "1 second".to_owned() } else { format!("{seconds} seconds") }
}

/// The transaction of a form, once it is known that our page sent it in this browser.
pub(crate) fn checked_transaction(
    form: &mut Form,
    cookies: &Cookies,
) -> Result<TransactionId, Failure> {
    let id = form.take("transaction").and_then(|text| TransactionId::parse(&text));
    let id = id.ok_or_else(|| Failure::unexpected_form(&"no transaction in the form"))?;
    let csrf = form.take("csrf").unwrap_or_default();
    if cookies.visitor().browser.csrf_token(id.as_str()).is(&csrf) {
        Ok(id)
    } else {
        Err(Failure::forged())
    }
}

/// That a form has no field that our page has not: somebody hopes that it counts.
pub(crate) fn check_no_more(form: &Form) -> Result<(), Failure> {
    match form.names().next() {
        None => Ok(()),
        Some(_) => Err(Failure::unexpected_form(&"a field that is not on the page")),
    }
}
