//! `GET` and `POST /signout`: asks, and ends the session.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use identety_domain::authorization::{LogoutParameters, LogoutTarget};
use identety_domain::discovery::path;
use identety_domain::session::{CsrfToken, Session};
use identety_http::form::Form;

use crate::failure::Failure;
use crate::navigation::see_other;
use crate::pages::{SignOut, SignedOut, respond};
use crate::visit::{Visit, check_no_more};

/// Asks whoever has signed in, or had and never signed out; tells everybody else that they are signed out.
pub(crate) async fn get(mut visit: Visit) -> Response {
    let shown = show(&visit).await;
    visit.answer(shown)
}

async fn show(visit: &Visit) -> Result<Response, Failure> {
    let parameters = parameters(&mut Form::parse(visit.query.as_bytes())?);
    let (channel, session) = (visit.channel(), visit.session());
    let target = channel.logout_target(&parameters, session, visit.now()).await?;
    let Some(to_end) = channel.session_to_end(session).await? else {
        let page = SignedOut { base: visit.base() };
        return Ok(respond(StatusCode::OK, &page)?);
    };
    // Of a session that has expired, whoever sits there now need not learn whose it was.
    let signed_in = channel.signed_in(session, visit.now()).await?;
    let csrf = csrf_token(visit, &to_end);
    let page = SignOut {
        base: visit.base(),
        user_email: signed_in.as_ref().map(|signed_in| signed_in.user.details.email.as_str()),
        csrf: csrf.expose(),
        hidden: hidden(&parameters),
        leads_to_client: target.post_logout_redirect_uri.is_some(),
    };
    let mut response = respond(StatusCode::OK, &page)?;
    visit.cookies.name_browser(&mut response);
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
fn csrf_token(visit: &Visit, session: &Session) -> CsrfToken {
    visit.visitor().browser.csrf_token(&format!("sign-out {}", session.key))
}

/// Form → CSRF token → the session ends → back to the client, or to our own page.
pub(crate) async fn post(mut visit: Visit, request: Request) -> Response {
    let left = leave(&visit, request).await;
    visit.answer(left)
}

async fn leave(visit: &Visit, request: Request) -> Result<Response, Failure> {
    let mut form = Form::read(request).await?;
    let csrf = form.take("csrf").unwrap_or_default();
    let parameters = parameters(&mut form);
    check_no_more(&form)?;
    let to_end = visit.channel().session_to_end(visit.session()).await?;
    // With nothing to end, there is nothing to forge.
    if to_end.is_some_and(|session| !csrf_token(visit, &session).is(&csrf)) {
        return Err(Failure::forged());
    }
    let target = visit.channel().logout_target(&parameters, visit.session(), visit.now()).await?;
    end(visit, &target).await
}

/// Ends the session and sends the browser on.
pub(crate) async fn end(visit: &Visit, target: &LogoutTarget) -> Result<Response, Failure> {
    visit.channel().sign_out(visit.session(), visit.now()).await?;
    let own_page = || format!("{}{}", visit.base(), path::SIGN_OUT);
    let mut response = see_other(&target.url().unwrap_or_else(own_page))?;
    visit.cookies.end_session(&mut response);
    Ok(response)
}
