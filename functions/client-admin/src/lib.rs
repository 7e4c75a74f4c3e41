//! Management: the administration API of clients and their secrets.

mod access;
mod change;
mod create;
mod delete;
mod list;
mod list_query;
mod members;
mod precondition;
mod representation;
mod secrets;
mod show;
mod update;

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use axum::routing::{any, delete as delete_method, get, post};
use axum::{Router, middleware};
use http::StatusCode;
use identety_domain::Settings;
use identety_domain::admin::AdminAuthenticator;
use identety_domain::client::Client;
use identety_domain::hashing::SecretHasher;
use identety_domain::store::{ClientStore, StoreError};
use identety_http::edge::RequestId;
use identety_http::problem::Problem;
use identety_keys::PublishedKeys;
use uuid::Uuid;

/// What management works with.
pub struct Management {
    /// Who this deployment is.
    pub settings: Settings,
    /// Decides who is an administrator.
    pub authenticator: AdminAuthenticator,
    /// The registered clients.
    pub clients: Arc<dyn ClientStore>,
    /// Hashes new secrets.
    pub hasher: Arc<SecretHasher>,
    /// The keys that administrators' tokens are judged by: the authenticator's verifier.
    pub keys: Arc<PublishedKeys>,
}

/// The routes of management. Whoever asks is authenticated before it is looked at what for.
pub fn router(state: Arc<Management>) -> Router {
    Router::new()
        .route("/admin/clients", get(list::get).post(create::post))
        .route("/admin/clients/{id}", get(show::get).patch(update::patch).delete(delete::delete))
        .route("/admin/clients/{id}/secrets", post(secrets::post))
        .route("/admin/clients/{id}/secrets/{secret_id}", delete_method(secrets::delete))
        .route("/admin", any(nothing_here))
        .route("/admin/{*rest}", any(nothing_here))
        .layer(middleware::from_fn_with_state(state.clone(), access::require_administrator))
        .with_state(state)
}

async fn nothing_here(_: Request) -> Response {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path").into_response()
}

/// A failure of the store, as a problem.
fn store_problem(error: &StoreError, id: &RequestId) -> Problem {
    match error {
        StoreError::Unavailable(_) => Problem::unavailable(error),
        StoreError::Corrupt(_) | StoreError::Other(_) => Problem::server_error(id, error),
    }
}

/// The client that a path names.
async fn find_client(state: &Management, id: &str, request: &RequestId) -> Result<Client, Problem> {
    let not_found = || Problem::new(StatusCode::NOT_FOUND, "there is no client with this id");
    let id = Uuid::parse_str(id).map_err(|_| not_found())?;
    let found = state.clients.find_by_id(id).await;
    found.map_err(|error| store_problem(&error, request))?.ok_or_else(not_found)
}
