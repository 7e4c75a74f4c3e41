//! What went wrong, as a page that says what to do.

use std::borrow::Cow;
use std::fmt::Display;

use axum::response::Response;
use http::StatusCode;
use identety_domain::authorization::{FlowError, NoClient};
use identety_domain::client::Client;
use identety_domain::store::StoreError;
use identety_domain::user_authentication::LinkError;
use identety_domain::{RequestContext, Seconds};
use identety_http::body::BodyError;
use identety_http::form::FormError;
use identety_http::logging::reason;
use identety_http::refusal::Refusal;
use identety_http::response::retry_after;

use crate::authorize;
use crate::navigation::see_other;
use crate::pages::{AppView, Notice, Unwritable, respond};
use crate::state::FrontDoor;

/// Why a request has no answer: what a page says of it and what the log hears, or the way to begin again.
pub(crate) enum Failure {
    /// A page.
    Page(Box<Trouble>),
    /// The authorization request begins again, with this query.
    BeginAgain(String),
}

/// What a page says of a failure, and what the log hears.
pub(crate) struct Trouble {
    status: StatusCode,
    title: &'static str,
    text: Cow<'static, str>,
    what_to_do: &'static str,
    app: Option<App>,
    retry_after: Option<Seconds>,
    cause: String,
}

/// The app that the user came from, as far as a page names it.
struct App {
    name: String,
    uri: Option<String>,
}

const ASK_THE_APP: &str =
    "Go back to the app and try again. If it happens again, tell the people who make the app.";
const START_AGAIN: &str = "Go back to the app and sign in from there.";

impl Failure {
    fn new(
        status: StatusCode,
        title: &'static str,
        text: impl Into<Cow<'static, str>>,
        what_to_do: &'static str,
        cause: &dyn Display,
    ) -> Self {
        let (text, app, retry_after, cause) = (text.into(), None, None, cause.to_string());
        let trouble = Trouble { status, title, text, what_to_do, app, retry_after, cause };
        Self::Page(Box::new(trouble))
    }

    /// The app made a mistake.
    fn of_the_app(text: impl Into<Cow<'static, str>>, cause: &dyn Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "This link does not work", text, ASK_THE_APP, cause)
    }

    /// The same with other details.
    fn with(mut self, change: impl FnOnce(&mut Trouble)) -> Self {
        if let Self::Page(trouble) = &mut self {
            change(trouble);
        }
        self
    }

    /// The same with the status of a request that must not have an effect.
    pub(crate) fn forbidden(self) -> Self {
        self.with(|trouble| trouble.status = StatusCode::FORBIDDEN)
    }

    /// The browser does not hold the request that it names. `client` is the one for which the request waits.
    pub(crate) fn unheld(came_with_cookies: bool, client: Option<&Client>) -> Self {
        let (title, text, what_to_do) = if came_with_cookies {
            (
                "This sign-in is over",
                "It took too long, or it was begun in another browser.",
                START_AGAIN,
            )
        } else {
            (
                "Cookies are off",
                "This browser sent no cookie, but the sign-in needs one. Cookies may be switched off, or the \
                 sign-in was begun in another browser.",
                "Allow cookies for this site. Then go back to the app and sign in from there.",
            )
        };
        let cause = "the browser has no cookie of the request";
        let failure = Self::new(StatusCode::BAD_REQUEST, title, text, what_to_do, &cause);
        match client {
            Some(client) => failure.of_client(client),
            None => failure,
        }
    }

    /// The same, and the page names the app and leads back to it.
    pub(crate) fn of_client(self, client: &Client) -> Self {
        let (name, uri) = (client.metadata.name.clone(), client.metadata.client_uri.clone());
        self.with(|trouble| trouble.app = Some(App { name, uri }))
    }

    /// A form that did not come from our page.
    pub(crate) fn forged(cause: &dyn Display) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "This form cannot be used",
            "It did not come from the page that this browser was shown, or cookies are switched off.",
            START_AGAIN,
            cause,
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
        failure.with(|trouble| trouble.status = StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// The page, or the way to begin again. The log is told the reason and the cause.
    pub(crate) fn into_response(self, door: &FrontDoor, context: &mut RequestContext) -> Response {
        let base = door.channel.settings.issuer.as_str();
        match self {
            Self::Page(trouble) => trouble.into_page(base, context),
            Self::BeginAgain(query) => see_other(&authorize::url(base, &query))
                .unwrap_or_else(|failure| failure.into_response(door, context)),
        }
    }
}

impl Trouble {
    fn into_page(self, base: &str, context: &mut RequestContext) -> Response {
        let Self { status, title, text, what_to_do, app, retry_after: seconds, cause } = self;
        let id = context.id.to_string();
        let app = app.as_ref().map(|App { name, uri }| AppView { name, uri: uri.as_deref() });
        let request_id = Some(id.as_str());
        let page = Notice { base, title, text: &text, what_to_do, app, request_id };
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
            StoreError::Unavailable(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Please try again in a moment",
                "The server is busy.",
                "Wait a few seconds, then reload this page.",
                &error,
            )
            .with(|trouble| trouble.retry_after = Some(1)),
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
        let cause = error.to_string();
        // The names are what the app's makers need; the log has them too.
        let text: Cow<'static, str> = match error {
            NoClient::Store(error) => return error.into(),
            NoClient::ClientId => "The app did not say who it is.".into(),
            NoClient::UnknownClient { client_id: _ } => {
                "The app is not registered here, or is switched off.".into()
            }
            NoClient::ActsForNoUser { client } => {
                format!("“{client}” is not an app that people sign in to.").into()
            }
            NoClient::RedirectUri => "The app did not say where to send you afterwards.".into(),
            NoClient::UnregisteredRedirectUri { redirect_uri, client } => {
                let wrong = format!("“{redirect_uri}” is not registered for “{client}”.");
                format!("The app wants to send you to an unknown address: {wrong}").into()
            }
        };
        Self::of_the_app(text, &cause)
    }
}

impl From<FlowError> for Failure {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Over(Some(query)) => Self::BeginAgain(query),
            FlowError::Over(None) => Self::new(
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

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::NotOpen => Self::new(
                StatusCode::BAD_REQUEST,
                "This link does not work any more",
                "It works once, and for ten minutes.",
                "Ask the people who made it for you for another one.",
                &error,
            ),
            LinkError::Store(error) => error.into(),
        }
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
        Self::unexpected_form(&error).with(|trouble| trouble.status = status)
    }
}
