//! `GET` and `POST /oauth2/logout` (OpenID Connect RP-Initiated Logout 1.0 §2).

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, Request, State};
use axum::response::Response;
use http::HeaderMap;
use identety_domain::authorization::{LogoutParameters, LogoutTarget, with_query};
use identety_domain::discovery::path;
use identety_http::ambient;
use identety_http::edge::Context;
use identety_http::form::Form;

use crate::FrontDoor;
use crate::authorize::as_get;
use crate::cookies::Cookies;
use crate::failure::Failure;
use crate::navigation::see_other;
use crate::sign_out::end;

/// The query → the domain → the session ends, or the user is asked.
pub(crate) async fn get(
    State(state): State<Arc<FrontDoor>>,
    Extension(context): Extension<Context>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match log_out(&state, query.as_deref(), &headers, &context).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(&state, &context),
    }
}

async fn log_out(
    state: &FrontDoor,
    query: Option<&str>,
    headers: &HeaderMap,
    context: &Context,
) -> Result<Response, Failure> {
    let cookies = Cookies::of(headers, &state.channel.settings.issuer, &mut ambient::rng()?);
    let mut form = Form::parse(query.unwrap_or_default().as_bytes())?;
    let parameters = LogoutParameters {
        id_token_hint: form.take("id_token_hint"),
        client_id: form.take("client_id"),
        post_logout_redirect_uri: form.take("post_logout_redirect_uri"),
        state: form.take("state"),
    };
    state.prepare(parameters.id_token_hint.as_deref(), context).await?;
    let session = cookies.visitor().session.as_ref();
    let target = state.channel.logout_target(&parameters, session, context.now).await?;
    let is_signed_in = state.channel.signed_in(session, context.now).await?.is_some();
    if is_signed_in && !target.is_certain {
        // §6: any site can send a browser here, so the user is asked.
        return Ok(see_other(&question(state, &target), context));
    }
    end(state, &cookies, &target, context).await
}

/// The page that asks, with what is to happen afterwards.
fn question(state: &FrontDoor, target: &LogoutTarget) -> String {
    let client_id = target.client_id.as_ref().map(|id| ("client_id", id.as_str()));
    let uri = target.post_logout_redirect_uri.as_deref();
    let uri = uri.map(|uri| ("post_logout_redirect_uri", uri));
    let given = target.state.as_deref().map(|state| ("state", state));
    let page = format!("{}{}", state.base(), path::SIGN_OUT);
    with_query(&page, [client_id, uri, given].into_iter().flatten())
}

/// Posted from the client's site, it comes without our cookies: see `/oauth2/authorize`.
pub(crate) async fn post(
    State(state): State<Arc<FrontDoor>>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    match as_get(&state, path::LOGOUT, request, &context).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(&state, &context),
    }
}
