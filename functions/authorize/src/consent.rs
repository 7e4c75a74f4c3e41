//! `GET` and `POST /consent`.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use identety_domain::authorization::{Decision, Step};
use identety_domain::session::{CsrfToken, SignedIn, TransactionId};
use identety_http::form::Form;

use crate::failure::Failure;
use crate::pages::{ClientView, Consent, ScopeView, respond};
use crate::visit::{Visit, check_no_more, named_transaction};

/// The page; or, where nothing need be asked, whatever comes next.
pub(crate) async fn get(mut visit: Visit) -> Response {
    let shown = show(&mut visit).await;
    visit.answer(shown)
}

/// The page alone: to go on may make a code, which is no part of `HEAD`.
pub(crate) async fn head(mut visit: Visit) -> Response {
    let looked = look(&mut visit).await;
    visit.answer(looked)
}

async fn look(visit: &mut Visit) -> Result<Response, Failure> {
    let id = visit.transaction()?;
    page(visit, &id).await
}

async fn show(visit: &mut Visit) -> Result<Response, Failure> {
    let id = visit.transaction()?;
    match visit.channel().resume(&id, visit.visitor(), visit.now()).await? {
        Step::Consent(id) => page(visit, &id).await,
        step => visit.follow(&step),
    }
}

async fn page(visit: &mut Visit, id: &TransactionId) -> Result<Response, Failure> {
    let (transaction, client) = visit.channel().open(id, visit.visitor(), visit.now()).await?;
    let Some(signed_in) = visit.channel().signed_in(visit.session(), visit.now()).await? else {
        return visit.follow(&Step::SignIn(id.clone()));
    };
    let csrf = csrf_token(visit, id, &signed_in);
    let page = Consent {
        base: visit.base(),
        client: &ClientView::from(&client.metadata),
        user_email: signed_in.user.details.email.as_str(),
        transaction: id.as_str(),
        csrf: csrf.expose(),
        scopes: transaction.request.scope.iter().map(ScopeView::from).collect(),
    };
    Ok(respond(StatusCode::OK, &page)?)
}

/// The token of the form that this very user was shown: nobody decides on a page made for another.
fn csrf_token(visit: &Visit, id: &TransactionId, signed_in: &SignedIn) -> CsrfToken {
    visit.visitor().browser.csrf_token(&format!("consent {id} {}", signed_in.session.id))
}

/// Form → CSRF token → the domain → back to the client.
pub(crate) async fn post(mut visit: Visit, request: Request) -> Response {
    let decided = decide(&mut visit, request).await;
    visit.answer(decided)
}

/// What is decided about is in the transaction: nothing in the form can change it.
async fn decide(visit: &mut Visit, request: Request) -> Result<Response, Failure> {
    let mut form = Form::read(request).await?;
    let id = named_transaction(&mut form)?;
    let csrf = form.take("csrf").unwrap_or_default();
    // Whose session is over decides nothing, and has to sign in first.
    let Some(signed_in) = visit.channel().signed_in(visit.session(), visit.now()).await? else {
        return visit.follow(&Step::SignIn(id));
    };
    if !csrf_token(visit, &id, &signed_in).is(&csrf) {
        return Err(Failure::forged());
    }
    let decision = match form.take("decision").as_deref() {
        Some("allow") => Decision::Allow,
        Some("deny") => Decision::Deny,
        Some(_) | None => return Err(Failure::unexpected_form(&"no decision")),
    };
    check_no_more(&form)?;
    let step = visit.channel().decide(&id, decision, visit.visitor(), visit.now()).await?;
    visit.follow(&step)
}
