//! `POST /admin/users`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use identety_domain::RequestContext;
use identety_domain::user::{self, User};
use identety_http::context::HeldContext;
use identety_http::json;
use identety_http::problem::{self, Problem};

use super::members::{self, NewUserMembers};
use super::{representation, written};
use crate::answer;
use crate::resource::Written;
use crate::state::Management;

pub(crate) async fn post(
    State(state): State<Arc<Management>>,
    mut context: HeldContext,
    request: Request,
) -> Response {
    let created = create(&state, &mut context, request).await;
    let answered = created.and_then(|user| {
        answer::created(&user, &representation::of(&user), &state.services.settings)
    });
    problem::answer(&mut context, answered)
}

async fn create(
    state: &Management,
    context: &mut RequestContext,
    request: Request,
) -> Result<User, Problem> {
    let members = json::read_object(request, &[json::JSON], false).await?;
    let NewUserMembers { details, password } = members::of_new_user(members)?;

    let maker = &mut state.services.secret_maker(context);
    let user = user::register(details, password.as_ref(), maker)?;
    match written(state.services.stores.users.create(&user).await?) {
        Written::Done => Ok(user),
        Written::Conflict => Err(Problem::server_error(&"a new user's id is taken")),
        Written::Refused(problem) => Err(problem),
    }
}
