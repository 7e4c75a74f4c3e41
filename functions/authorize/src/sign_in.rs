//! `GET` and `POST /signin`.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use identety_domain::authorization::{Interaction, Page, SignInError, Step};
use identety_domain::user_authentication::{PasswordCredentials, UserAuthenticationError};
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

/// The page alone: to go on may make a code, which is no part of `HEAD`.
pub(crate) async fn head(mut visit: Visit) -> Response {
    let looked = look(&mut visit).await;
    visit.answer(looked)
}

async fn look(visit: &mut Visit) -> Result<Response, Failure> {
    let interaction = visit.interaction().await?;
    page(visit, &interaction, None)
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
    let mut answer = respond(status, &page)?;
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
    let Visit { door, context, cookies, query: _ } = &mut *visit;
    let device = cookies.visitor().device.clone();
    let credentials = PasswordCredentials { email, password, device };
    let by = (&door.channel.authenticator, &credentials);
    let signed_in = door.channel.sign_in(context, &interaction, cookies.visitor(), by).await;
    let error = match signed_in {
        Ok(signed_in) => {
            cookies.sign_in(&signed_in);
            // It asks for consent, or answers where there is nothing to ask.
            return visit.to_page(Page::Consent, &interaction.pending.id);
        }
        Err(SignInError::Flow(error)) => {
            return Err(Failure::from(error).of_client(&interaction.client));
        }
        Err(SignInError::Authentication(error)) => error,
    };
    let cause = error.to_string();
    let email = &credentials.email;
    let mistake = match error {
        UserAuthenticationError::TooManyFailures { retry_after } => Mistake {
            email,
            status: StatusCode::TOO_MANY_REQUESTS,
            reason: Reason::TooManyAttempts,
            text: too_many(retry_after),
            cause,
            retry_after,
        },
        UserAuthenticationError::WrongCredentials | UserAuthenticationError::TooLong => Mistake {
            email,
            status: StatusCode::BAD_REQUEST,
            reason: Reason::WrongPassword,
            text: "The email address or the password is wrong.".to_owned(),
            cause,
            retry_after: None,
        },
        UserAuthenticationError::Hash(error) => return Err(Failure::of_the_server(&error)),
        UserAuthenticationError::Store(error) => return Err(error.into()),
    };
    page(visit, &interaction, Some(mistake))
}

/// What a user reads who has to wait, or for whom waiting is no help.
pub(crate) fn too_many(retry_after: Option<Seconds>) -> String {
    let unit = |number: Seconds, unit: &str| {
        let plural = if number == 1 { "" } else { "s" };
        format!("Too many attempts. Try again in {number} {unit}{plural}.")
    };
    match retry_after {
        Some(seconds @ ..120) => unit(seconds, "second"),
        Some(seconds) => unit(seconds.div_ceil(60), "minute"),
        None => "Too many attempts. For now, this account takes no password from a browser that it does \
                 not know. Sign in from one that you have used before, or ask the people who run the app."
            .to_owned(),
    }
}
