//! What went wrong, as a page that says what to do.

use std::fmt::Display;

use axum::response::Response;
use http::StatusCode;
use identety_domain::authorization::{FlowError, LogoutError, NoClient};
use identety_domain::store::StoreError;
use identety_domain::{RequestContext, Seconds};
use identety_http::body::BodyError;
use identety_http::form::FormError;
use identety_http::logging::reason;
use identety_http::refusal::Refusal;
use identety_http::response::retry_after;

use crate::pages::{Notice, Unwritable, respond};
use crate::state::FrontDoor;

/// What a page says of a failure, and what the log hears.
pub(crate) struct Failure {
    status: StatusCode,
    title: &'static str,
    text: &'static str,
    what_to_do: &'static str,
    retry_after: Option<Seconds>,
    cause: String,
}

const ASK_THE_APP: &str =
    "Go back to the app and try again. If it happens again, tell the people who make the app.";
const START_AGAIN: &str = "Go back to the app and sign in from there.";

impl Failure {
    fn new(
        status: StatusCode,
        title: &'static str,
        text: &'static str,
        what_to_do: &'static str,
        cause: &dyn Display,
    ) -> Self {
        Self { status, title, text, what_to_do, retry_after: None, cause: cause.to_string() }
    }

    /// The app made a mistake.
    fn of_the_app(text: &'static str, cause: &dyn Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "This link does not work", text, ASK_THE_APP, cause)
    }

    /// A form that did not come from our page.
    pub(crate) fn forged() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "This form cannot be used",
            "It did not come from the page that this browser was shown, or cookies are switched off.",
            START_AGAIN,
            &"wrong CSRF token",
        )
    }

    /// A form that has not the fields of ours.
    pub(crate) fn unexpected_form(cause: &dyn Display) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "This form cannot be used",
            "It does not have the fields that it should have.",
            START_AGAIN,
            cause,
        )
    }

    /// Self-registration is off.
    pub(crate) fn registration_is_closed() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Registration is closed",
            "Here, nobody can make an account for themselves.",
            "Ask the people who run the app for an account.",
            &"self-registration is off",
        )
    }

    /// The request is longer than an address can be.
    pub(crate) fn too_long() -> Self {
        let text = "The app sent a request that is too long.";
        let failure = Self::of_the_app(text, &"the request does not fit into a URL");
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, ..failure }
    }

    /// The page. The log is told the reason and the cause.
    pub(crate) fn into_page(self, door: &FrontDoor, context: &mut RequestContext) -> Response {
        let Self { status, title, text, what_to_do, retry_after: seconds, cause } = self;
        let id = context.id.to_string();
        let page = Notice {
            base: door.channel.settings.issuer.as_str(),
            title,
            text,
            what_to_do,
            request_id: Some(&id),
        };
        match respond(status, &page) {
            Ok(mut response) => {
                retry_after(&mut response, seconds);
                context.outcome.refuse(reason::of_status(status), cause);
                response
            }
            // Not even this page: there is nothing left but JSON.
            Err(error) => Refusal::server_error(error.to_string()).into_response(context),
        }
    }
}

impl From<Unwritable> for Failure {
    fn from(error: Unwritable) -> Self {
        Self::of_the_server(&error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self {
                retry_after: Some(1),
                ..Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "Please try again in a moment",
                    "The server is busy.",
                    "Wait a few seconds, then reload this page.",
                    &error,
                )
            },
            StoreError::Corrupt(_) | StoreError::Other(_) => Self::of_the_server(&error),
        }
    }
}

impl Failure {
    /// The server failed.
    pub(crate) fn of_the_server(cause: &dyn Display) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong",
            "The server failed. It is not your fault.",
            "Try again later. If it happens again, quote the number below.",
            cause,
        )
    }
}

impl From<NoClient> for Failure {
    fn from(error: NoClient) -> Self {
        let text = match error {
            NoClient::Store(error) => return error.into(),
            NoClient::ClientId => "The app did not say who it is.",
            NoClient::UnknownClient => "The app is not registered here, or is switched off.",
            NoClient::ActsForNoUser => "The app is not one that people sign in to.",
            NoClient::RedirectUri => "The app did not say where to send you afterwards.",
            NoClient::UnregisteredRedirectUri => {
                "The app wants to send you to an address that it has not registered."
            }
        };
        Self::of_the_app(text, &error)
    }
}

impl From<FlowError> for Failure {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::NoTransaction => Self::new(
                StatusCode::BAD_REQUEST,
                "This sign-in is over",
                "It took too long, or it was begun in another browser.",
                START_AGAIN,
                &error,
            ),
            FlowError::Done => Self::new(
                StatusCode::BAD_REQUEST,
                "This sign-in is complete",
                "The app has had its answer already.",
                "Go back to the app. To sign in again, start from there.",
                &error,
            ),
            FlowError::NotAllowedAnyMore => Self::of_the_app(
                "The app asks for something that it may not have any more.",
                &error,
            ),
            FlowError::NoClient(error) => error.into(),
            FlowError::Hash(error) => Self::of_the_server(&error),
            FlowError::Store(error) => error.into(),
        }
    }
}

impl From<LogoutError> for Failure {
    fn from(error: LogoutError) -> Self {
        let text = match error {
            LogoutError::Store(error) => return error.into(),
            LogoutError::Hint => "The app asked to sign you out with a token that is not its own.",
            LogoutError::UnknownClient => "The app is not registered here, or is switched off.",
            LogoutError::NoClient => "The app did not say who it is.",
            LogoutError::UnregisteredUri => {
                "The app wants to send you to an address that it has not registered."
            }
        };
        Self::of_the_app(text, &error)
    }
}

impl From<FormError> for Failure {
    fn from(error: FormError) -> Self {
        let status = match error {
            FormError::Body(BodyError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            FormError::Body(BodyError::TooSlow) => StatusCode::REQUEST_TIMEOUT,
            FormError::Body(BodyError::Broken | BodyError::ContentType)
            | FormError::PercentEncoding
            | FormError::NotUtf8
            | FormError::ControlCharacter
            | FormError::Repeated
            | FormError::TooMany => StatusCode::BAD_REQUEST,
        };
        Self { status, ..Self::unexpected_form(&error) }
    }
}
