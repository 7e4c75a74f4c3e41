//! Who may come in: a bearer token of this server for its administration API, or the API key.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, StatusCode};
use identety_domain::Secret;
use identety_domain::admin::{AdminCredentials, AdminError, Administrator};
use identety_domain::client::Client;
use identety_http::edge::Context;
use identety_http::logging::Outcome;
use identety_http::problem::Problem;

use crate::{Management, store_problem};

const READ: &str = "clients:read";
const WRITE: &str = "clients:write";

/// Lets administrators through, and tells the handlers who they are.
pub(crate) async fn require_administrator(
    State(state): State<Arc<Management>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(context) = request.extensions().get::<Context>().cloned() else {
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed")
            .because(&"the edge is missing")
            .into_response();
    };
    let needed = if matches!(*request.method(), Method::GET | Method::HEAD) { READ } else { WRITE };
    match authenticate(&state, request.headers(), needed, &context).await {
        Ok(administrator) => {
            let name = administrator.name.clone();
            request.extensions_mut().insert(administrator);
            let mut response = next.run(request).await;
            let outcome = response.extensions_mut().remove::<Outcome>().unwrap_or_default();
            Outcome { client: Some(name), ..outcome }.attach(&mut response);
            response
        }
        Err(problem) => problem.into_response(),
    }
}

async fn authenticate(
    state: &Management,
    headers: &HeaderMap,
    needed: &'static str,
    context: &Context,
) -> Result<Administrator, Problem> {
    let credentials = credentials(headers)?;
    if let AdminCredentials::Bearer(token) = &credentials {
        let prepared = state.keys.prepare(token.expose(), context.now).await;
        prepared.map_err(|error| store_problem(&error, &context.id))?;
    }
    let found =
        state.authenticator.authenticate(&credentials, needed, &context.peer, context.now).await;
    found.map_err(|error| refusal(&error, context))
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
fn refusal(error: &AdminError, context: &Context) -> Problem {
    match error {
        AdminError::Token(_) | AdminError::InactiveClient => invalid_token(&error.to_string()),
        AdminError::WrongApiKey => unauthorized("wrong API key"),
        AdminError::TooManyFailures { retry_after } => {
            let detail = "too many failed attempts; try again later";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(*retry_after)
        }
        AdminError::InsufficientScope(needed) => {
            let challenge = if *needed == READ {
                "Bearer error=\"insufficient_scope\", scope=\"clients:read\""
            } else {
                "Bearer error=\"insufficient_scope\", scope=\"clients:write\""
            };
            let detail = format!("the scope {needed} is required");
            Problem::new(StatusCode::FORBIDDEN, detail).challenge(challenge)
        }
        AdminError::Store(error) => store_problem(error, &context.id),
        AdminError::Hash(error) => Problem::server_error(&context.id, error),
    }
}

/// Nobody changes a client that has more of the administration than they have.
pub(crate) fn check_may_manage(
    administrator: &Administrator,
    client: &Client,
) -> Result<(), Problem> {
    if administrator.may_manage(client) {
        return Ok(());
    }
    let detail = "this client has administration scopes that you do not have";
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}
