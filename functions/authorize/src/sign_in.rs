//! `GET` and `POST /signin`.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use identety_domain::authorization::{FlowError, SignInError, SignedInBrowser, Step};
use identety_domain::session::TransactionId;
use identety_domain::user_authentication::{PasswordCredentials, UserAuthenticationError};
use identety_domain::{Reason, Seconds, Secret};
use identety_http::form::Form;
use identety_http::response;

use crate::device_cookie;
use crate::failure::Failure;
use crate::pages::{ClientView, SignIn, respond};
use crate::visit::{Visit, check_no_more};

/// The page; or, where the user has signed in already, whatever comes next.
pub(crate) async fn get(mut visit: Visit) -> Response {
    let shown = show(&mut visit).await;
    visit.answer(shown)
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
    let device = visit.device.clone();
    let credentials = PasswordCredentials { email, password, device };
    let Visit { door, context, cookies, .. } = &mut *visit;
    let signed_in = door.channel.sign_in(context, &id, cookies.visitor(), &credentials).await;
    let error = match signed_in {
        Ok(signed_in) => return visit.go_on_signed_in(&signed_in),
        Err(SignInError::Flow(FlowError::Done)) => return answered(visit, &id).await,
        Err(SignInError::Flow(error)) => return Err(error.into()),
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

impl Visit {
    /// Gives the browser what it keeps of a sign-in, and takes the next step.
    pub(crate) fn go_on_signed_in(
        &mut self,
        signed_in: &SignedInBrowser,
    ) -> Result<Response, Failure> {
        let mut response = self.follow(&signed_in.step)?;
        self.cookies.start_session(&mut response, &signed_in.session);
        if let Some(device) = &signed_in.device {
            device_cookie::write(&mut response, device, self.is_secure());
        }
        Ok(response)
    }
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
