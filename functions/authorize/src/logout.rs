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
    let logged_out = log_out(&mut visit).await;
    visit.answer(logged_out)
}

async fn log_out(visit: &mut Visit) -> Result<Response, Failure> {
    let mut form = Form::parse(visit.query.as_bytes())?;
    let parameters = LogoutParameters {
        id_token_hint: form.take("id_token_hint"),
        client_id: form.take("client_id"),
        post_logout_redirect_uri: form.take("post_logout_redirect_uri"),
        state: form.take("state"),
    };
    let (channel, session) = (visit.channel(), visit.session());
    let logout = channel.logout(&parameters, session, visit.now()).await?;
    if logout.session.is_some() && !logout.is_certain {
        // §2: any site can send a browser here, so the user is asked.
        return see_other(&question(visit.base(), logout.target.as_ref()));
    }
    end(visit, &logout).await
}

/// The page that asks, with what is to happen afterwards.
pub(crate) fn question(base: &str, target: Option<&LogoutTarget>) -> String {
    let page = format!("{base}{}", path::SIGN_OUT);
    let Some(target) = target else { return page };
    let state = target.state.as_deref().map(|state| ("state", state));
    let client_id = ("client_id", target.client_id.as_str());
    let uri = ("post_logout_redirect_uri", target.post_logout_redirect_uri.as_str());
    with_query(&page, [client_id, uri].into_iter().chain(state))
}

/// Posted from the client's site, it comes without our cookies: see `/oauth2/authorize`.
pub(crate) async fn post(mut visit: Visit, request: Request) -> Response {
    let sent_on = as_get(&visit, path::LOGOUT, request).await;
    visit.answer(sent_on)
}
