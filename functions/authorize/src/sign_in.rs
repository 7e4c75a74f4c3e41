//! `GET` and `POST /signin`.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use identety_domain::authorization::{Entered, FlowError, SignInError, Step};
use identety_domain::session::TransactionId;
use identety_domain::{Reason, Seconds, Secret};
use identety_http::form::Form;
use identety_http::response;

use crate::failure::Failure;
use crate::pages::{ClientView, SignIn, respond};
use crate::visit::{Visit, check_no_more};

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
    let id = visit.transaction()?;
    page(visit, &id, None).await
}

async fn show(visit: &mut Visit) -> Result<Response, Failure> {
    let id = visit.transaction()?;
    match visit.channel().resume(&id, visit.visitor(), visit.now()).await? {
        Step::SignIn(id) => page(visit, &id, None).await,
        step => visit.follow(&step),
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

async fn page(
    visit: &mut Visit,
    id: &TransactionId,
    mistake: Option<Mistake<'_>>,
) -> Result<Response, Failure> {
    let (transaction, client) = visit.channel().open(id, visit.visitor(), visit.now()).await?;
    let hint = transaction.request.login_hint.as_deref().unwrap_or_default();
    let csrf = visit.csrf_token(id);
    let page = SignIn {
        base: visit.base(),
        client: &ClientView::from(&client.metadata),
        transaction: id.as_str(),
        csrf: csrf.expose(),
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

/// Form → CSRF token → the domain → a session and the next step, or the page again.
pub(crate) async fn post(mut visit: Visit, request: Request) -> Response {
    let entered = enter(&mut visit, request).await;
    visit.answer(entered)
}

async fn enter(visit: &mut Visit, request: Request) -> Result<Response, Failure> {
    let mut form = Form::read(request).await?;
    let id = visit.checked_transaction(&mut form)?;
    let email = form.take("email").unwrap_or_default();
    let password = Secret::new(form.take("password").unwrap_or_default());
    check_no_more(&form)?;
    let entered = Entered { email, password };
    let Visit { door, context, cookies, query: _ } = &mut *visit;
    let signed_in = door.channel.sign_in(context, &id, cookies.visitor(), &entered).await;
    let error = match signed_in {
        Ok((session, step)) => {
            let mut response = visit.follow(&step)?;
            visit.cookies.start_session(&mut response, &session);
            return Ok(response);
        }
        Err(SignInError::Flow(FlowError::Done)) => return answered(visit, &id).await,
        Err(SignInError::Flow(error)) => return Err(error.into()),
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
    page(visit, &id, Some(mistake)).await
}

/// A form sent twice, whose first answer has gone on to the client already. Nobody is signed in by it; but
/// the browser that holds the session of that answer gets it again, while the code in it is unused.
async fn answered(visit: &mut Visit, id: &TransactionId) -> Result<Response, Failure> {
    match visit.channel().resume(id, visit.visitor(), visit.now()).await? {
        step @ Step::Answer(_) => visit.follow(&step),
        Step::SignIn(_) | Step::Consent(_) => Err(FlowError::Done.into()),
    }
}

/// What somebody reads who has to wait.
pub(crate) fn too_many(retry_after: Seconds) -> String {
    match retry_after {
        1 => "Too many attempts. Try again in 1 second.".to_owned(),
        seconds => format!("Too many attempts. Try again in {seconds} seconds."),
    }
}
