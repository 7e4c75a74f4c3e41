//! `GET` and `POST /register`: where the deployment lets people make accounts for themselves.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use identety_domain::authorization::{Interaction, Page, Registration, RegistrationError};
use identety_domain::{FieldError, Seconds, Secret};
use identety_http::form::Form;
use identety_http::response;

use crate::failure::Failure;
use crate::pages::{ClientView, Register, RegisterErrors, RequestFields, respond};
use crate::sign_in::too_many;
use crate::visit::{Reopened, Visit, check_no_more};

const PASSWORD_RULE: &str = "At least 8 characters. A few words in a row are easy to remember.";

pub(crate) async fn get(mut visit: Visit) -> Response {
    let shown = show(&mut visit).await;
    visit.answer(shown)
}

async fn show(visit: &mut Visit) -> Result<Response, Failure> {
    if !visit.channel().registration_is_open {
        return Err(Failure::registration_is_closed());
    }
    let interaction = visit.interaction().await?;
    page(visit, &interaction, &Shown::default())
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

fn page(
    visit: &mut Visit,
    interaction: &Interaction,
    shown: &Shown<'_>,
) -> Result<Response, Failure> {
    let Interaction { pending, transaction, client } = interaction;
    let Shown { email, name, status, errors, retry_after } = *shown;
    let csrf = pending.csrf_token();
    let page = Register {
        base: visit.base(),
        client: &ClientView::from(&client.metadata),
        request: RequestFields {
            transaction: pending.id.as_str(),
            csrf: csrf.expose(),
            query: &transaction.query,
        },
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

/// Form → its site and token → the domain → a session and our next page, or this page again.
pub(crate) async fn post(mut visit: Visit, request: Request) -> Response {
    let entered = enter(&mut visit, request).await;
    visit.answer(entered)
}

async fn enter(visit: &mut Visit, request: Request) -> Result<Response, Failure> {
    let mut form = Form::read(request).await?;
    let own = visit.own_form(&mut form).await?;
    let registration = Registration {
        email: form.take("email").unwrap_or_default(),
        name: form.take("name").unwrap_or_default(),
        password: Secret::new(form.take("password").unwrap_or_default()),
    };
    check_no_more(&form)?;
    let interaction = match visit.reopen(&own).await? {
        Reopened::Here(interaction) => interaction,
        Reopened::Answered(response) => return Ok(response),
    };
    let Visit { door, context, cookies, query: _ } = &mut *visit;
    let channel = &door.channel;
    let registered =
        channel.register(context, &interaction, cookies.visitor(), &registration).await;
    let Registration { email, name, password: _ } = &registration;
    match registered {
        Ok(signed_in) => {
            cookies.sign_in(&signed_in);
            visit.to_page(Page::Consent, &interaction.pending.id)
        }
        Err(RegistrationError::Closed) => Err(Failure::registration_is_closed()),
        Err(RegistrationError::Flow(error)) => {
            Err(Failure::from(error).of_client(&interaction.client))
        }
        Err(RegistrationError::TooMany { retry_after }) => {
            let text = too_many(retry_after);
            let errors = RegisterErrors { form: Some(&text), ..RegisterErrors::default() };
            let status = StatusCode::TOO_MANY_REQUESTS;
            page(visit, &interaction, &Shown { email, name, status, errors, retry_after })
        }
        Err(RegistrationError::Invalid(invalid)) => {
            let texts = Texts::of(&invalid);
            let (status, errors) = (StatusCode::BAD_REQUEST, texts.errors());
            page(visit, &interaction, &Shown { email, name, status, errors, retry_after: None })
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
