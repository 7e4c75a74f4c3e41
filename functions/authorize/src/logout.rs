//! `GET` and `POST /oauth2/logout` (OpenID Connect RP-Initiated Logout 1.0 §2).

use axum::extract::Request;
use axum::response::Response;
use identety_domain::authorization::{LogoutParameters, LogoutTarget, with_query};
use identety_domain::discovery::path;
use identety_http::form::Form;

use crate::authorize::as_get;
use crate::failure::Failure;
use crate::navigation::see_other;
use crate::sign_out::end;
use crate::visit::Visit;

/// The query → the domain → the session ends, or the user is asked.
pub(crate) async fn get(mut visit: Visit) -> Response {
    let logged_out = log_out(&visit).await;
    visit.answer(logged_out)
}

async fn log_out(visit: &Visit) -> Result<Response, Failure> {
    let mut form = Form::parse(visit.query.as_bytes())?;
    let parameters = LogoutParameters {
        id_token_hint: form.take("id_token_hint"),
        client_id: form.take("client_id"),
        post_logout_redirect_uri: form.take("post_logout_redirect_uri"),
        state: form.take("state"),
    };
    let (channel, session) = (visit.channel(), visit.session());
    let target = channel.logout_target(&parameters, session, visit.now()).await?;
    if !target.is_certain {
        // §6: any site can send a browser here, so the user is asked.
        return see_other(&question(visit.base(), &target));
    }
    end(visit, &target).await
}

/// The page that asks, with what is to happen afterwards.
fn question(base: &str, target: &LogoutTarget) -> String {
    let client_id = target.client_id.as_ref().map(|id| ("client_id", id.as_str()));
    let uri = target.post_logout_redirect_uri.as_deref();
    let uri = uri.map(|uri| ("post_logout_redirect_uri", uri));
    let state = target.state.as_deref().map(|state| ("state", state));
    let page = format!("{base}{}", path::SIGN_OUT);
    with_query(&page, [client_id, uri, state].into_iter().flatten())
}

/// Posted from the client's site, it comes without our cookies: see `/oauth2/authorize`.
pub(crate) async fn post(mut visit: Visit, request: Request) -> Response {
    let sent_on = as_get(&visit, path::LOGOUT, request).await;
    visit.answer(sent_on)
}
