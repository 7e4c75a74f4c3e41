//! `GET` and `POST /signout`: asks, and ends the session.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use identety_domain::authorization::{Logout, LogoutParameters, LogoutTarget};
use identety_domain::discovery::path;
use identety_domain::session::{CsrfToken, SessionSecret};
use identety_http::form::Form;

use crate::failure::Failure;
use crate::logout::question;
use crate::navigation::see_other;
use crate::pages::{SignOut, SignedOut, respond};
use crate::visit::{Visit, check_no_more};

/// Asks a user who has signed in, or had and never signed out; tells every other user that they are signed out.
pub(crate) async fn get(mut visit: Visit) -> Response {
    let shown = show(&visit).await;
    visit.answer(shown)
}

async fn show(visit: &Visit) -> Result<Response, Failure> {
    let parameters = parameters(&mut Form::parse(visit.query.as_bytes())?);
    let (channel, secret) = (visit.channel(), visit.session());
    let Logout { session, target, .. } = channel.logout(&parameters, secret, visit.now()).await?;
    let (Some(session), Some(secret)) = (session, secret) else {
        let page = SignedOut { base: visit.base() };
        return Ok(respond(StatusCode::OK, &page)?);
    };
    // The reader need not learn whose session it was that has expired.
    let signed_in = channel.sessions.signed_in_with(session, visit.now()).await?;
    let csrf = csrf_token(secret);
    let page = SignOut {
        base: visit.base(),
        user_email: signed_in.as_ref().map(|signed_in| signed_in.user.details.email.as_str()),
        csrf: csrf.expose(),
        hidden: target.as_ref().map(hidden).unwrap_or_default(),
        leads_to_client: target.is_some(),
    };
    Ok(respond(StatusCode::OK, &page)?)
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

fn hidden(target: &LogoutTarget) -> Vec<(&str, &str)> {
    let LogoutTarget { client_id, post_logout_redirect_uri, state } = target;
    let state = state.as_deref().map(|state| ("state", state));
    let own = [
        ("client_id", client_id.as_str()),
        ("post_logout_redirect_uri", post_logout_redirect_uri.as_str()),
    ];
    own.into_iter().chain(state).collect()
}

/// The token of the form that ends this very session.
fn csrf_token(session: &SessionSecret) -> CsrfToken {
    session.csrf_token("sign-out")
}

/// Form → its site and token → the session ends → back to the client, or to our own page.
pub(crate) async fn post(mut visit: Visit, request: Request) -> Response {
    let left = leave(&mut visit, request).await;
    visit.answer(left)
}

async fn leave(visit: &mut Visit, request: Request) -> Result<Response, Failure> {
    let mut form = Form::read(request).await?;
    visit.check_site()?;
    let csrf = form.take("csrf").unwrap_or_default();
    let parameters = parameters(&mut form);
    check_no_more(&form)?;
    let logout = visit.channel().logout(&parameters, visit.session(), visit.now()).await?;
    let is_current = |session: &SessionSecret| csrf_token(session).is(&csrf);
    // With nothing to end, there is nothing to forge. A form that was shown in another session ends nothing: the user
    // who is signed in now is asked anew.
    if logout.session.is_some() && !visit.session().is_some_and(is_current) {
        return see_other(&question(visit.base(), logout.target.as_ref()));
    }
    end(visit, &logout).await
}

/// Ends the session and sends the browser on.
pub(crate) async fn end(visit: &mut Visit, logout: &Logout) -> Result<Response, Failure> {
    if let Some(session) = &logout.session {
        visit.channel().sessions.end(session, visit.now()).await?;
    }
    visit.cookies.end_session();
    let own_page = || format!("{}{}", visit.base(), path::SIGN_OUT);
    see_other(&logout.target.as_ref().map_or_else(own_page, LogoutTarget::url))
}
