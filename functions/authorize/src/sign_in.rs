//! `GET` and `POST /signin`.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use identety_domain::authorization::{Entered, Interaction, Page, SignInError, Step};
use identety_domain::{Reason, Seconds, Secret};
use identety_http::form::Form;
use identety_http::response;

use crate::failure::Failure;
use crate::pages::{ClientView, RequestFields, SignIn, respond};
use crate::visit::{Reopened, Visit, check_no_more};

/// The page; or, where the user has signed in already, whatever comes next.
pub(crate) async fn get(mut visit: Visit) -> Response {
    let shown = show(&mut visit).await;
    visit.answer(shown)
}

async fn show(visit: &mut Visit) -> Result<Response, Failure> {
    let interaction = visit.interaction().await?;
    let step = visit.channel().advance(&interaction, visit.session(), visit.now()).await;
    match step.map_err(|error| Failure::from(error).of_client(&interaction.client))? {
        Step::SignIn => page(visit, &interaction, None),
        step @ (Step::Consent(_) | Step::Answer(_)) => visit.follow(&step, &interaction.pending.id),
    }
}

/// What was wrong with what was entered before.
struct Mistake<'a> {
    email: &'a str,
    status: StatusCode,
    reason: Reason,
    text: String,
    cause: String,
    retry_after: Option<Seconds>,
}

fn page(
    visit: &mut Visit,
    interaction: &Interaction,
    mistake: Option<Mistake<'_>>,
) -> Result<Response, Failure> {
    let Interaction { pending, transaction, client } = interaction;
    let hint = transaction.request.login_hint.as_deref().unwrap_or_default();
    let csrf = pending.csrf_token();
    let page = SignIn {
        base: visit.base(),
        client: &ClientView::from(&client.metadata),
        request: RequestFields {
            transaction: pending.id.as_str(),
            csrf: csrf.expose(),
            query: &transaction.query,
        },
        email: mistake.as_ref().map_or(hint, |mistake| mistake.email),
        error: mistake.as_ref().map(|mistake| mistake.text.as_str()),
        can_register: visit.channel().registration_is_open,
    };
    let status = mistake.as_ref().map_or(StatusCode::OK, |mistake| mistake.status);
    let targets = [transaction.request.redirect_uri.as_str()];
    let mut answer = respond(status, &page, &targets)?;
    let outcome = &mut visit.context.outcome;
    outcome.client = Some(client.client_id.to_string());
    if let Some(mistake) = mistake {
        outcome.refuse(mistake.reason, mistake.cause);
        response::retry_after(&mut answer, mistake.retry_after);
    }
    Ok(answer)
}

/// Form → its site and token → the domain → a session and our next page, or this page again.
pub(crate) async fn post(mut visit: Visit, request: Request) -> Response {
    let entered = enter(&mut visit, request).await;
    visit.answer(entered)
}

async fn enter(visit: &mut Visit, request: Request) -> Result<Response, Failure> {
    let mut form = Form::read(request).await?;
    let own = visit.own_form(&mut form).await?;
    let email = form.take("email").unwrap_or_default();
    let password = Secret::new(form.take("password").unwrap_or_default());
    check_no_more(&form)?;
    let interaction = match visit.reopen(&own).await? {
        Reopened::Here(interaction) => interaction,
        Reopened::Answered(response) => return Ok(response),
    };
    let entered = Entered { email, password };
    let Visit { door, context, cookies, query: _ } = &mut *visit;
    let signed_in = door.channel.sign_in(context, &interaction, cookies.session(), &entered).await;
    let error = match signed_in {
        Ok(session) => {
            cookies.start_session(&session);
            // It asks for consent, or answers where there is nothing to ask.
            return visit.to_page(Page::Consent, &interaction.pending.id);
        }
        Err(SignInError::Flow(error)) => {
            return Err(Failure::from(error).of_client(&interaction.client));
        }
        Err(error) => error,
    };
    let cause = error.to_string();
    let email = &entered.email;
    let mistake = match error {
        SignInError::TooManyFailures { retry_after } => Mistake {
            email,
            status: StatusCode::TOO_MANY_REQUESTS,
            reason: Reason::TooManyAttempts,
            text: too_many(retry_after),
            cause,
            retry_after: Some(retry_after),
        },
        SignInError::WrongCredentials | SignInError::TooLong | SignInError::Flow(_) => Mistake {
            email,
            status: StatusCode::BAD_REQUEST,
            reason: Reason::WrongPassword,
            text: "The email address or the password is wrong.".to_owned(),
            cause,
            retry_after: None,
        },
    };
    page(visit, &interaction, Some(mistake))
}

/// What somebody reads who has to wait.
pub(crate) fn too_many(retry_after: Seconds) -> String {
    match retry_after {
        1 => "Too many attempts. Try again in 1 second.".to_owned(),
        seconds => format!("Too many attempts. Try again in {seconds} seconds."),
    }
}
