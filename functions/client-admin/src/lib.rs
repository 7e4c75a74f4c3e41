//! Management: the administration API of clients, their secrets, and users.

mod access;
mod answer;
mod change;
mod clients;
mod delete;
mod list;
mod list_query;
mod members;
mod precondition;
mod problems;
mod resource;
mod show;
mod users;

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use axum::routing::{any, delete as delete_method, get, post, put};
use axum::{Router, middleware};
use http::StatusCode;
use identety_domain::Settings;
use identety_domain::admin::AdminAuthenticator;
use identety_domain::client::Client;
use identety_domain::hashing::SecretHasher;
use identety_domain::store::{ClientStore, ConsentStore, UserStore};
use identety_domain::user::User;
use identety_http::edge;
use identety_http::problem::Problem;
use identety_keys::PublishedKeys;

use crate::access::{Area, CLIENTS, Gate, USERS};

/// What management works with.
pub struct Management {
    /// Who this deployment is.
    pub settings: Settings,
    /// Decides who is an administrator.
    pub authenticator: AdminAuthenticator,
    /// The registered clients.
    pub clients: Arc<dyn ClientStore>,
    /// The users.
    pub users: Arc<dyn UserStore>,
    /// What they have consented to.
    pub consents: Arc<dyn ConsentStore>,
    /// Hashes new secrets and passwords.
    pub hasher: Arc<SecretHasher>,
    /// The keys that administrators' tokens are judged by: the authenticator's verifier.
    pub keys: Arc<PublishedKeys>,
}

/// The routes of management, whose every error is a problem. Whoever asks is authenticated before it is looked at what for.
pub fn router(state: Arc<Management>) -> Router {
    let clients = Router::new()
        .route("/admin/clients", get(list::get::<Client>).post(clients::create::post))
        .route(
            "/admin/clients/{id}",
            get(show::get::<Client>).patch(clients::update::patch).delete(delete::delete::<Client>),
        )
        .route("/admin/clients/{id}/secrets", post(clients::secrets::post))
        .route("/admin/clients/{id}/secrets/{secret_id}", delete_method(clients::secrets::delete))
        .route("/admin", any(nothing_here))
        .route("/admin/{*rest}", any(nothing_here));
    let users = Router::new()
        .route("/admin/users", get(list::get::<User>).post(users::create::post))
        .route(
            "/admin/users/{id}",
            get(show::get::<User>)
                .patch(users::update::patch)
                .put(users::update::put)
                .delete(delete::delete::<User>),
        )
        .route("/admin/users/{id}/password", put(users::password::put));
    let routes = behind_gate(clients, CLIENTS, &state).merge(behind_gate(users, USERS, &state));
    edge::catch_panics(routes.with_state(state), |context| {
        Problem::server_error(&context.id, &edge::PANIC).into_response()
    })
}

/// Lets only administrators of `area` to `routes`.
fn behind_gate(
    routes: Router<Arc<Management>>,
    area: Area,
    state: &Arc<Management>,
) -> Router<Arc<Management>> {
    let gate = Gate { state: state.clone(), area };
    routes.layer(middleware::from_fn_with_state(gate, access::require_administrator))
}

async fn nothing_here(_: Request) -> Response {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path").into_response()
}
