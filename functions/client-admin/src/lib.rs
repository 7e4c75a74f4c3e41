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
mod resource;
mod show;
mod state;
mod users;

use std::sync::Arc;

use axum::response::Response;
use axum::routing::{any, delete as delete_method, get, post, put};
use axum::{Router, middleware};
use http::StatusCode;
use identety_domain::client::Client;
use identety_domain::user::User;
use identety_http::context::HeldContext;
use identety_http::edge;
use identety_http::problem::Problem;

use crate::access::{Area, CLIENTS, Gate, USERS};
pub use crate::state::Management;

/// The routes of management, whose every error is a problem. The caller is authenticated before anything else.
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
        .route("/admin/users/{id}/password", put(users::password::put))
        .route("/admin/users/{id}/unlock", post(users::lockout::unlock))
        .route("/admin/users/{id}/browser-links", post(users::lockout::make_link));
    let routes = behind_gate(clients, CLIENTS, &state).merge(behind_gate(users, USERS, &state));
    edge::catch_panics(routes.with_state(state), |context| {
        Problem::server_error(&edge::PANIC).into_response(context)
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

async fn nothing_here(mut context: HeldContext) -> Response {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path").into_response(&mut context)
}
