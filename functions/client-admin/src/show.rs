//! `GET /admin/clients/{id}` and `/admin/users/{id}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use identety_http::context::HeldContext;
use identety_http::problem;

use crate::resource::Resource;
use crate::state::Management;
use crate::{answer, resource};

pub(crate) async fn get<R: Resource>(
    State(state): State<Arc<Management>>,
    mut context: HeldContext,
    Path(id): Path<String>,
) -> Response {
    let found = resource::find::<R>(&state, &id).await;
    problem::answer(&mut context, found.and_then(|found| answer::with(&found)))
}
