//! `PATCH /admin/users/{id}` (RFC 7396): what is not named stays. `PUT /admin/users/{id}`: what is not
//! named is the default again. The password stays with either.

use axum::extract::Request;
use axum::response::Response;
use identety_domain::FieldError;
use identety_domain::user::{User, UserDetails};
use identety_http::json;
use identety_http::problem::Problem;
use serde_json::{Map, Value};

use super::members;
use crate::answer;
use crate::change::{Change, Decision};
use crate::problems::json_problem;

/// What becomes of a user by the members of a request.
type Read = fn(Map<String, Value>, &User) -> Result<UserDetails, Vec<FieldError>>;

pub(crate) async fn patch(change: Change, request: Request) -> Response {
    let media_types = [json::JSON, json::MERGE_PATCH];
    respond(&change, update(&change, request, &media_types, members::of_change).await)
}

pub(crate) async fn put(change: Change, request: Request) -> Response {
    respond(&change, update(&change, request, &[json::JSON], members::of_replacement).await)
}

fn respond(change: &Change, changed: Result<User, Problem>) -> Response {
    match changed {
        Ok(user) => answer::with(&user, &change.context.id),
        Err(problem) => problem.into_response(),
    }
}

async fn update(
    change: &Change,
    request: Request,
    media_types: &[&str],
    read: Read,
) -> Result<User, Problem> {
    let members = json::read_object(request, media_types, false).await.map_err(json_problem)?;
    change
        .make(|before: &User| {
            let details = read(members.clone(), before).map_err(Problem::invalid)?;
            if details == before.details {
                return Ok((Decision::Keep, before.clone()));
            }
            let after = before.with_details(details, change.context.now);
            Ok((Decision::Update(Box::new(after.clone())), after))
        })
        .await
}
