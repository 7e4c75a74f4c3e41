//! `GET` and `POST /register`: where the deployment lets people make accounts for themselves.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use identety_domain::authorization::{Registration, RegistrationError};
use identety_domain::session::TransactionId;
use identety_domain::{FieldError, Seconds, Secret};
use identety_http::form::Form;
use identety_http::response;

use crate::failure::Failure;
use crate::pages::{ClientView, Register, RegisterErrors, respond};
use crate::sign_in::too_many;
use crate::visit::{Visit, check_no_more};

const PASSWORD_RULE: &str = "At least 8 characters. A few words in a row are easy to remember.";

pub(crate) async fn get(mut visit: Visit) -> Response {
    let shown = show(&mut visit).await;
    visit.answer(shown)
}

async fn show(visit: &mut Visit) -> Result<Response, Failure> {
    if !visit.channel().registration_is_open {
        return Err(Failure::registration_is_closed());
    }
    let id = visit.transaction()?;
    page(visit, &id, Shown::default()).await
}

/// What the page shows again of what was entered before, and what was wrong with it.
#[derive(Default)]
struct Shown<'a> {
    email: &'a str,
    name: &'a str,
    status: StatusCode,
    errors: RegisterErrors<'a>,
    retry_after: Option<Seconds>,
}

async fn page(
    visit: &mut Visit,
    id: &TransactionId,
    shown: Shown<'_>,
) -> Result<Response, Failure> {
    let (_, client) = visit.channel().open(id, visit.visitor(), visit.now()).await?;
    let Shown { email, name, status, errors, retry_after } = shown;
    let csrf = visit.csrf_token(id);
    let page = Register {
        base: visit.base(),
        client: &ClientView::from(&client.metadata),
        transaction: id.as_str(),
        csrf: csrf.expose(),
        email,
        name,
        password_rule: PASSWORD_RULE,
        errors,
    };
    let mut answer = respond(status, &page)?;
    visit.context.outcome.client = Some(client.client_id.to_string());
    response::retry_after(&mut answer, retry_after);
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
    let registration = Registration {
        email: form.take("email").unwrap_or_default(),
        name: form.take("name").unwrap_or_default(),
        password: Secret::new(form.take("password").unwrap_or_default()),
    };
    check_no_more(&form)?;
    let Visit { door, context, cookies, query: _ } = &mut *visit;
    let registered = door.channel.register(context, &id, cookies.visitor(), &registration).await;
    let Registration { email, name, password: _ } = &registration;
    match registered {
        Ok((session, step)) => {
            let mut response = visit.follow(&step)?;
            visit.cookies.start_session(&mut response, &session);
            Ok(response)
        }
        Err(RegistrationError::Closed) => Err(Failure::registration_is_closed()),
        Err(RegistrationError::Flow(error)) => Err(error.into()),
        Err(RegistrationError::TooMany { retry_after }) => {
            let text = too_many(retry_after);
            let errors = RegisterErrors { form: Some(&text), ..RegisterErrors::default() };
            let status = StatusCode::TOO_MANY_REQUESTS;
            let retry_after = Some(retry_after);
            page(visit, &id, Shown { email, name, status, errors, retry_after }).await
        }
        Err(RegistrationError::Invalid(invalid)) => {
            let texts = Texts::of(&invalid);
            let (status, errors) = (StatusCode::BAD_REQUEST, texts.errors());
            page(visit, &id, Shown { email, name, status, errors, retry_after: None }).await
        }
    }
}

/// The rules that were broken, as sentences beside their fields.
struct Texts {
    email: Option<String>,
    name: Option<String>,
    password: Option<String>,
}

impl Texts {
    fn of(errors: &[FieldError]) -> Self {
        let text = |field: &str| {
            let error = errors.iter().find(|error| error.field == field)?;
            Some(match error.message.as_str() {
                rule if rule.starts_with("must") || rule.starts_with("is ") => {
                    format!("This {rule}.")
                }
                sentence => format!("{sentence}."),
            })
        };
        Self { email: text("email"), name: text("name"), password: text("password") }
    }

    fn errors(&self) -> RegisterErrors<'_> {
        RegisterErrors {
            form: None,
            email: self.email.as_deref(),
            name: self.name.as_deref(),
            password: self.password.as_deref(),
        }
    }
}
