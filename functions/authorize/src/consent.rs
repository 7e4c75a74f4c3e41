//! `GET` and `POST /consent`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use identety_domain::authorization::{Decision, Step, TransactionId};
use identety_http::ambient;
use identety_http::edge::Context;
use identety_http::form::Form;

use crate::FrontDoor;
use crate::cookies::Cookies;
use crate::failure::Failure;
use crate::navigation::follow;
use crate::pages::{ClientView, Consent, ScopeView, respond};
use crate::sign_in::{check_no_more, checked_transaction, transaction_of};

/// The page; or, where nothing need be asked, whatever comes next.
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
        Step::Consent(id) => page(state, &id, &cookies, context).await,
        step => Ok(follow(state, &step, context)),
    }
}

async fn page(
    state: &FrontDoor,
    id: &TransactionId,
    cookies: &Cookies,
    context: &Context,
) -> Result<Response, Failure> {
    let visitor = cookies.visitor();
    let (transaction, client) = state.channel.open(id, visitor, context.now).await?;
    let signed_in = state.channel.signed_in(visitor.session.as_ref(), context.now).await?;
    let Some(signed_in) = signed_in else {
        return Ok(follow(state, &Step::SignIn(id.clone()), context));
    };
    let csrf = visitor.browser.csrf_token(id.as_str());
    let page = Consent {
        base: state.base(),
        client: &ClientView::from(&client.metadata),
        user_email: signed_in.user.details.email.as_str(),
        transaction: id.as_str(),
        csrf: csrf.expose(),
        scopes: transaction.request.scope.iter().map(ScopeView::from).collect(),
    };
    let targets = [transaction.request.redirect_uri.as_str()];
    Ok(respond(StatusCode::OK, &page, &targets, &context.id))
}

/// Form → CSRF token → the domain → back to the client.
pub(crate) async fn post(
    State(state): State<Arc<FrontDoor>>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    match decide(&state, request, &context).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(&state, &context),
    }
}

/// What is decided about is in the transaction: nothing in the form can change it.
async fn decide(
    state: &FrontDoor,
    request: Request,
    context: &Context,
) -> Result<Response, Failure> {
    let mut rng = ambient::rng()?;
    let cookies = Cookies::of(request.headers(), &state.channel.settings.issuer, &mut rng);
    let mut form = Form::read(request).await?;
    let id = checked_transaction(&mut form, &cookies)?;
    let decision = match form.take("decision").as_deref() {
        Some("allow") => Decision::Allow,
        Some("deny") => Decision::Deny,
        Some(_) | None => return Err(Failure::unexpected_form(&"no decision")),
    };
    check_no_more(&form)?;
    let step = state.channel.decide(&id, decision, cookies.visitor(), context.now).await?;
    Ok(follow(state, &step, context))
}
