//! `GET` and `POST /consent`.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use identety_domain::authorization::{Decision, Interaction, Page, Step};
use identety_domain::client::Destination;
use identety_domain::session::{SessionSecret, SignedIn};
use identety_http::form::Form;

use crate::failure::Failure;
use crate::pages::{ClientView, Consent, RequestFields, ScopeView, claim_in_words, respond};
use crate::visit::{Visit, check_no_more};

/// The page; or, where nothing need be asked, whatever comes next.
pub(crate) async fn get(mut visit: Visit) -> Response {
    let shown = show(&mut visit).await;
    visit.answer(shown)
}

/// The page alone: to go on may make a code, which is no part of `HEAD`.
pub(crate) async fn head(mut visit: Visit) -> Response {
    let looked = look(&visit).await;
    visit.answer(looked)
}

async fn look(visit: &Visit) -> Result<Response, Failure> {
    let interaction = visit.interaction().await?;
    let (sessions, secret) = (&visit.channel().sessions, visit.session());
    match (sessions.signed_in(secret, visit.now()).await?, secret) {
        (Some(signed_in), Some(session)) => page(visit, &interaction, &signed_in, session),
        (_, _) => visit.to_page(Page::SignIn, &interaction.pending.id),
    }
}

async fn show(visit: &mut Visit) -> Result<Response, Failure> {
    let interaction = visit.interaction().await?;
    let step = visit.channel().advance(&interaction, visit.session(), visit.now()).await;
    let step = step.map_err(|error| Failure::from(error).of_client(&interaction.client))?;
    match (&step, visit.session()) {
        (Step::Consent(signed_in), Some(session)) => page(visit, &interaction, signed_in, session),
        (Step::Consent(_) | Step::SignIn | Step::Answer(_), _) => {
            visit.follow(&step, &interaction.pending.id)
        }
    }
}

fn page(
    visit: &Visit,
    interaction: &Interaction,
    signed_in: &SignedIn,
    session: &SessionSecret,
) -> Result<Response, Failure> {
    let Interaction { pending, transaction, client } = interaction;
    let csrf = pending.csrf_token();
    let of_session = session.csrf_token(pending.id.as_str());
    let page = Consent {
        base: visit.base(),
        client: &ClientView::from(&client.metadata),
        user_email: signed_in.user.details.email.as_str(),
        request: RequestFields {
            transaction: pending.id.as_str(),
            csrf: csrf.expose(),
            query: &transaction.query,
        },
        session: of_session.expose(),
        scopes: transaction.request.scope.iter().map(ScopeView::from).collect(),
        claims: transaction.request.claims_beyond_scope().into_iter().map(claim_in_words).collect(),
        resources: &transaction.request.resources,
        destination: Destination::of(&transaction.request.redirect_uri),
    };
    Ok(respond(StatusCode::OK, &page)?)
}

/// Form → its site and tokens → the domain → back to the client.
pub(crate) async fn post(mut visit: Visit, request: Request) -> Response {
    let decided = decide(&mut visit, request).await;
    visit.answer(decided)
}

/// What is decided about is in the transaction: nothing in the form can change it. A form that was shown in another
/// session decides nothing: the user who is signed in now sees the page that is theirs.
async fn decide(visit: &mut Visit, request: Request) -> Result<Response, Failure> {
    let mut form = Form::read(request).await?;
    let own = visit.own_form(&mut form).await?;
    let of_session = form.take("session").unwrap_or_default();
    let decision = match form.take("decision").as_deref() {
        Some("allow") => Decision::Allow,
        Some("deny") => Decision::Deny,
        Some(_) | None => return Err(Failure::unexpected_form(&"no decision")),
    };
    check_no_more(&form)?;
    let id = &own.pending.id;
    let Visit { door, context, cookies, query: _ } = &mut *visit;
    let is_current = |session: &&SessionSecret| session.csrf_token(id.as_str()).is(&of_session);
    let Some(session) = cookies.session().filter(is_current) else {
        return visit.to_page(Page::Consent, id);
    };
    let interaction = door.channel.open(&own.pending, context.now).await;
    let interaction = interaction.map_err(|error| own.again(error))?;
    let step = door.channel.decide(context, &interaction, decision, session).await;
    let step = step.map_err(|error| Failure::from(error).of_client(&interaction.client))?;
    visit.follow(&step, id)
}
