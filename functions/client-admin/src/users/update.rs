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

/// What becomes of a user by the members of a request.
type Read = fn(Map<String, Value>, &User) -> Result<UserDetails, Vec<FieldError>>;

pub(crate) async fn patch(mut change: Change, request: Request) -> Response {
    let media_types = [json::JSON, json::MERGE_PATCH];
    let changed = update(&mut change, request, &media_types, members::of_change).await;
    change.answer(changed.and_then(|user| answer::with(&user)))
}

pub(crate) async fn put(mut change: Change, request: Request) -> Response {
    let changed = update(&mut change, request, &[json::JSON], members::of_replacement).await;
    change.answer(changed.and_then(|user| answer::with(&user)))
}

async fn update(
    change: &mut Change,
    request: Request,
    media_types: &[&str],
    read: Read,
) -> Result<User, Problem> {
    let members = json::read_object(request, media_types, false).await?;
    change
        .make(|before: &User, context| {
            let details = read(members.clone(), before)?;
            if details == before.details {
                return Ok((Decision::Keep, before.clone()));
            }
            let after = before.with_details(details, context.now);
            Ok((Decision::Update(Box::new(after.clone())), after))
        })
        .await
}
