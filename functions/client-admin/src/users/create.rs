//! `POST /admin/users`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use identety_domain::user::{self, User};
use identety_http::edge::Context;
use identety_http::problem::Problem;
use identety_http::{ambient, json};

use super::members::{self, NewUserMembers};
use super::{representation, written};
use crate::problems::{json_problem, store_problem};
use crate::resource::Written;
use crate::{Management, answer};

pub(crate) async fn post(
    State(state): State<Arc<Management>>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    match create(&state, &context, request).await {
        Ok(user) => {
            let members = representation::of(&user);
            answer::created(&user, &members, &state.settings, &context.id)
        }
        Err(problem) => problem.into_response(),
    }
}

async fn create(state: &Management, context: &Context, request: Request) -> Result<User, Problem> {
    let members = json::read_object(request, &[json::JSON], false).await.map_err(json_problem)?;
    let members = members::of_new_user(members).map_err(Problem::invalid)?;
    let NewUserMembers { details, password } = members;

    let mut rng = ambient::rng().map_err(|error| Problem::server_error(&context.id, &error))?;
    let user = user::register(details, password.as_ref(), &state.hasher, context.now, &mut rng)
        .map_err(|error| Problem::server_error(&context.id, &error))?;
    let created = state.users.create(&user).await;
    match written(created.map_err(|error| store_problem(&error, &context.id))?) {
        Written::Done => Ok(user),
        Written::Conflict => Err(Problem::server_error(&context.id, &"a new user's id is taken")),
        Written::Refused(problem) => Err(problem),
    }
}
