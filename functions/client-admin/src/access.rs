//! Who may come in: a bearer token of this server for its administration API, or the API key. Each area
//! of the administration has scopes of its own.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, StatusCode};
use identety_domain::admin::{AdminCredentials, AdminError, Administrator};
use identety_domain::{RequestContext, Secret};
use identety_http::context::HeldContext;
use identety_http::problem::Problem;

use crate::state::Management;

/// A scope, and the challenge that asks for it (RFC 6750 §3.1).
#[derive(Clone, Copy)]
struct Needed {
    scope: &'static str,
    challenge: &'static str,
}

macro_rules! needed {
    ($scope:literal) => {
        Needed {
            scope: $scope,
            challenge: concat!("Bearer error=\"insufficient_scope\", scope=\"", $scope, "\""),
        }
    };
}

/// A part of the administration, and what reading and writing in it need.
#[derive(Clone, Copy)]
pub(crate) struct Area {
    read: Needed,
    write: Needed,
}

/// Clients; and whatever does not exist.
pub(crate) const CLIENTS: Area =
    Area { read: needed!("clients:read"), write: needed!("clients:write") };

/// Users.
pub(crate) const USERS: Area = Area { read: needed!("users:read"), write: needed!("users:write") };

/// What stands before an area.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) state: Arc<Management>,
    pub(crate) area: Area,
}

/// Lets administrators through, and tells the handlers who they are.
pub(crate) async fn require_administrator(
    State(Gate { state, area }): State<Gate>,
    mut context: HeldContext,
    mut request: Request,
    next: Next,
) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let needed = if reads { area.read } else { area.write };
    match authenticate(&state, request.headers(), needed, &mut context).await {
        Ok(administrator) => {
            // The handler holds the context next.
            drop(context);
            request.extensions_mut().insert(administrator);
            next.run(request).await
        }
        Err(problem) => problem.into_response(&mut context),
    }
}

async fn authenticate(
    state: &Management,
    headers: &HeaderMap,
    needed: Needed,
    context: &mut RequestContext,
) -> Result<Administrator, Problem> {
    let credentials = credentials(headers)?;
    let found = state.authenticator.authenticate(context, &credentials, needed.scope).await;
    found.map_err(|error| refusal(error, needed))
}

/// Exactly one mechanism, once.
fn credentials(headers: &HeaderMap) -> Result<AdminCredentials, Problem> {
    let one = |name: &str| {
        let mut values = headers.get_all(name).iter();
        (values.next(), values.next().is_some())
    };
    let (bearer, bearer_again) = one(AUTHORIZATION.as_str());
    let (api_key, api_key_again) = one("x-api-key");
    match (bearer, api_key) {
        (None, None) => Err(unauthorized("no credentials")),
        (Some(_), Some(_)) => {
            let detail = "send either an Authorization header or x-api-key, not both";
            Err(Problem::new(StatusCode::BAD_REQUEST, detail))
        }
        (Some(_), None) if bearer_again => Err(invalid_token("two Authorization headers")),
        (None, Some(_)) if api_key_again => Err(unauthorized("two API keys")),
        (Some(value), None) => {
            let token = value.to_str().ok().and_then(|value| value.split_once(' '));
            match token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) {
                Some((_, token)) => Ok(AdminCredentials::Bearer(token.trim().into())),
                None => Err(invalid_token("not a bearer token")),
            }
        }
        (None, Some(value)) => match value.to_str() {
            Ok(key) if !key.is_empty() => Ok(AdminCredentials::ApiKey(Secret::from(key))),
            _ => Err(unauthorized("empty or unreadable API key")),
        },
    }
}

fn unauthorized(cause: &str) -> Problem {
    let detail = "an administrator's bearer token or API key is required";
    Problem::new(StatusCode::UNAUTHORIZED, detail).challenge("Bearer").because(&cause)
}

fn invalid_token(cause: &str) -> Problem {
    unauthorized(cause).challenge("Bearer error=\"invalid_token\"")
}

/// RFC 6750 §3.1. What exactly is wrong with a credential stays in the log.
fn refusal(error: AdminError, needed: Needed) -> Problem {
    match error {
        AdminError::Token(_) | AdminError::InactiveClient => invalid_token(&error.to_string()),
        AdminError::WrongApiKey => unauthorized("wrong API key"),
        AdminError::TooManyFailures { retry_after } => {
            let detail = "too many failed attempts; try again later";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(retry_after)
        }
        AdminError::InsufficientScope(scope) => {
            let detail = format!("the scope {scope} is required");
            Problem::new(StatusCode::FORBIDDEN, detail).challenge(needed.challenge)
        }
        AdminError::Store(error) => error.into(),
        AdminError::Hash(error) => error.into(),
    }
}
