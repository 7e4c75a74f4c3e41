//! `GET` and `POST /signout`: asks, and ends the session.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use identety_domain::authorization::{
    CsrfToken, LogoutParameters, LogoutTarget, SignedIn, Visitor,
};
use identety_domain::discovery::path;
use identety_http::ambient;
use identety_http::edge::Context;
use identety_http::form::Form;

use crate::FrontDoor;
use crate::cookies::Cookies;
use crate::failure::Failure;
use crate::navigation::see_other;
use crate::pages::{SignOut, SignedOut, respond};
use crate::sign_in::check_no_more;

/// Asks whoever has signed in; tells everybody else that they are signed out.
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
    let mut form = Form::parse(query.unwrap_or_default().as_bytes())?;
    let parameters = parameters(&mut form);
    let visitor = cookies.visitor();
    let session = visitor.session.as_ref();
    let target = state.channel.logout_target(&parameters, session, context.now).await?;
    let Some(signed_in) = state.channel.signed_in(session, context.now).await? else {
        let page = SignedOut { base: state.base(), link: None };
        return Ok(respond(StatusCode::OK, &page, &[], &context.id));
    };
    let csrf = csrf_token(visitor, &signed_in);
    let page = SignOut {
        base: state.base(),
        user_email: signed_in.user.details.email.as_str(),
        csrf: csrf.expose(),
        hidden: hidden(&parameters),
    };
    let targets: Vec<_> = target.post_logout_redirect_uri.iter().map(String::as_str).collect();
    let mut response = respond(StatusCode::OK, &page, &targets, &context.id);
    cookies.name_browser(&mut response);
    Ok(response)
}

/// What the page carries on for after the sign-out. It is checked again when it comes back.
fn parameters(form: &mut Form) -> LogoutParameters {
    LogoutParameters {
        id_token_hint: None,
        client_id: form.take("client_id"),
        post_logout_redirect_uri: form.take("post_logout_redirect_uri"),
        state: form.take("state"),
    }
}

fn hidden(parameters: &LogoutParameters) -> Vec<(&str, &str)> {
    let LogoutParameters { id_token_hint: _, client_id, post_logout_redirect_uri, state } =
        parameters;
    [
        ("client_id", client_id),
        ("post_logout_redirect_uri", post_logout_redirect_uri),
        ("state", state),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    .collect()
}

/// The token of the form that ends this very session.
fn csrf_token(visitor: &Visitor, signed_in: &SignedIn) -> CsrfToken {
    visitor.browser.csrf_token(&format!("sign-out {}", signed_in.session.key))
}

/// Form → CSRF token → the session ends → back to the client, or to our own page.
pub(crate) async fn post(
    State(state): State<Arc<FrontDoor>>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    match leave(&state, request, &context).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(&state, &context),
    }
}

async fn leave(
    state: &FrontDoor,
    request: Request,
    context: &Context,
) -> Result<Response, Failure> {
    let issuer = &state.channel.settings.issuer;
    let cookies = Cookies::of(request.headers(), issuer, &mut ambient::rng()?);
    let mut form = Form::read(request).await?;
    let csrf = form.take("csrf").unwrap_or_default();
    let parameters = parameters(&mut form);
    check_no_more(&form)?;
    let visitor = cookies.visitor();
    let session = visitor.session.as_ref();
    let signed_in = state.channel.signed_in(session, context.now).await?;
    // Without a session there is nothing to end, and so nothing to forge.
    if signed_in.is_some_and(|signed_in| !csrf_token(visitor, &signed_in).is(&csrf)) {
        return Err(Failure::forged());
    }
    let target = state.channel.logout_target(&parameters, session, context.now).await?;
    end(state, &cookies, &target, context).await
}

/// Ends the session and sends the browser on.
pub(crate) async fn end(
    state: &FrontDoor,
    cookies: &Cookies,
    target: &LogoutTarget,
    context: &Context,
) -> Result<Response, Failure> {
    state.channel.sign_out(cookies.visitor().session.as_ref(), context.now).await?;
    let own_page = || format!("{}{}", state.base(), path::SIGN_OUT);
    let mut response = see_other(&target.url().unwrap_or_else(own_page), context);
    cookies.end_session(&mut response);
    Ok(response)
}
