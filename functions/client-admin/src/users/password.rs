//! `PUT /admin/users/{id}/password`: whoever signed in with another password has to sign in again.

use std::fmt::Display;

use axum::extract::Request;
use axum::response::Response;
use identety_domain::user::User;
use identety_http::problem::Problem;
use identety_http::{ambient, json};

use super::members;
use crate::answer;
use crate::change::{Change, Decision};
use crate::problems::json_problem;

pub(crate) async fn put(change: Change, request: Request) -> Response {
    match set(&change, request).await {
        Ok(user) => answer::no_content(&user),
        Err(problem) => problem.into_response(),
    }
}

async fn set(change: &Change, request: Request) -> Result<User, Problem> {
    let Change { state, context, .. } = change;
    let members = json::read_object(request, &[json::JSON], false).await.map_err(json_problem)?;
    let password = members::of_password(members).map_err(Problem::invalid)?;
    let server_error = |error: &dyn Display| Problem::server_error(&context.id, error);
    change
        .make(|before: &User| {
            let mut rng = ambient::rng().map_err(|error| server_error(&error))?;
            let after = before.with_password(&password, &state.hasher, context.now, &mut rng);
            let after = after.map_err(|error| server_error(&error))?;
            Ok((Decision::Update(Box::new(after.clone())), after))
        })
        .await
}
