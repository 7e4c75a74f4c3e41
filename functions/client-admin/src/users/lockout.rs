//! `POST /admin/users/{id}/unlock` and `…/browser-links`: for a user whom strangers' failures keep out of a browser
//! that is not known yet. Neither changes the user, so neither looks at an `If-Match`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use identety_domain::RequestContext;
use identety_domain::discovery::path;
use identety_domain::user::User;
use identety_http::context::HeldContext;
use identety_http::problem::{self, Problem};
use identety_http::{json, response};

use crate::resource;
use crate::state::Management;

/// Starts the user's counters anew. Once more says the same.
pub(crate) async fn unlock(
    State(state): State<Arc<Management>>,
    Path(id): Path<String>,
    mut context: HeldContext,
    request: Request,
) -> Response {
    let unlocked = start_anew(&state, &mut context, &id, request).await;
    problem::answer(&mut context, unlocked)
}

async fn start_anew(
    state: &Management,
    context: &mut RequestContext,
    id: &str,
    request: Request,
) -> Result<Response, Problem> {
    check_empty(request).await?;
    let user: User = resource::find(state, id).await?;
    let account = user.details.email.normalized();
    state.services.sign_in_limits().unlock(&account, context.now).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Makes a one-time link. The user opens it in the browser that shall be known.
pub(crate) async fn make_link(
    State(state): State<Arc<Management>>,
    Path(id): Path<String>,
    mut context: HeldContext,
    request: Request,
) -> Response {
    let made = link(&state, &mut context, &id, request).await;
    problem::answer(&mut context, made)
}

async fn link(
    state: &Management,
    context: &mut RequestContext,
    id: &str,
    request: Request,
) -> Result<Response, Problem> {
    check_empty(request).await?;
    let user: User = resource::find(state, id).await?;
    if !user.details.is_active {
        let detail = "the user is disabled, so no browser signs them in";
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    let (token, expires_at) = state.services.browser_links().make(context, user.id).await?;
    let issuer = &state.services.settings.issuer;
    let url = format!("{issuer}{}?token={}", path::KNOWN_BROWSER, token.expose());
    let body = serde_json::json!({"url": url, "expiresAt": expires_at.to_string()});
    Ok(response::json(StatusCode::CREATED, &body)?)
}

/// Nothing can be asked for, so a member would be a misunderstanding.
async fn check_empty(request: Request) -> Result<(), Problem> {
    let members = json::read_object(request, &[json::JSON], true).await?;
    match members.into_iter().next() {
        None => Ok(()),
        Some((name, _)) => Err(Problem::invalid_field(name, "is unknown")),
    }
}
