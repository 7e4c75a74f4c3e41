//! `GET` and `POST /register`: where the deployment lets people make accounts for themselves.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use identety_domain::authorization::{Registration, RegistrationError, TransactionId};
use identety_domain::{FieldError, Seconds, Secret};
use identety_http::edge::Context;
use identety_http::form::Form;
use identety_http::{ambient, response};

use crate::FrontDoor;
use crate::cookies::Cookies;
use crate::failure::Failure;
use crate::navigation::follow;
use crate::pages::{ClientView, Register, RegisterErrors, respond};
use crate::sign_in::{check_no_more, checked_transaction, seconds, transaction_of};

const PASSWORD_RULE: &str = "At least 8 characters. A few words in a row are easy to remember.";

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
    if !state.channel.registration_is_open {
        return Err(Failure::registration_is_closed());
    }
    let cookies = Cookies::of(headers, &state.channel.settings.issuer, &mut ambient::rng()?);
    let id = transaction_of(query)?;
    page(state, &id, &cookies, Shown::default(), context).await
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
    state: &FrontDoor,
    id: &TransactionId,
    cookies: &Cookies,
    shown: Shown<'_>,
    context: &Context,
) -> Result<Response, Failure> {
    let visitor = cookies.visitor();
    let (transaction, client) = state.channel.open(id, visitor, context.now).await?;
    let csrf = visitor.browser.csrf_token(id.as_str());
    let Shown { email, name, status, errors, retry_after } = shown;
    let page = Register {
        base: state.base(),
        client: &ClientView::from(&client.metadata),
        transaction: id.as_str(),
        csrf: csrf.expose(),
        email,
        name,
        password_rule: PASSWORD_RULE,
        errors,
    };
    let targets = [transaction.request.redirect_uri.as_str()];
    let mut answer = respond(status, &page, &targets, &context.id);
    response::retry_after(&mut answer, retry_after);
    Ok(answer)
}

/// Form → CSRF token → the domain → a session and the next step, or the page again.
pub(crate) async fn post(
    State(state): State<Arc<FrontDoor>>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    match enter(&state, request, &context).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(&state, &context),
    }
}

async fn enter(
    state: &FrontDoor,
    request: Request,
    context: &Context,
) -> Result<Response, Failure> {
    let mut rng = ambient::rng()?;
    let cookies = Cookies::of(request.headers(), &state.channel.settings.issuer, &mut rng);
    let mut form = Form::read(request).await?;
    let id = checked_transaction(&mut form, &cookies)?;
    let registration = Registration {
        email: form.take("email").unwrap_or_default(),
        name: form.take("name").unwrap_or_default(),
        password: Secret::new(form.take("password").unwrap_or_default()),
    };
    check_no_more(&form)?;
    let (channel, visitor) = (&state.channel, cookies.visitor());
    let registered =
        channel.register(&id, &registration, visitor, &context.peer, context.now, &mut rng).await;
    let Registration { email, name, password: _ } = &registration;
    match registered {
        Ok((session, step)) => {
            let mut response = follow(state, &step, context);
            cookies.start_session(&mut response, &session);
            Ok(response)
        }
        Err(RegistrationError::Closed) => Err(Failure::registration_is_closed()),
        Err(RegistrationError::Flow(error)) => Err(error.into()),
        Err(RegistrationError::TooMany { retry_after }) => {
            let text = format!("Too many attempts. Try again in {}.", seconds(retry_after));
            let errors = RegisterErrors { form: Some(&text), ..RegisterErrors::default() };
            let status = StatusCode::TOO_MANY_REQUESTS;
            let retry_after = Some(retry_after);
            let shown = Shown { email, name, status, errors, retry_after };
            page(state, &id, &cookies, shown, context).await
        }
        Err(RegistrationError::Invalid(invalid)) => {
            let texts = Texts::of(&invalid);
            let (status, errors) = (StatusCode::BAD_REQUEST, texts.errors());
            let shown = Shown { email, name, status, errors, retry_after: None };
            page(state, &id, &cookies, shown, context).await
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
