//! `PUT /admin/users/{id}/password`: a user who signed in with another password has to sign in again.

use axum::extract::Request;
use axum::response::Response;
use identety_domain::user::{self, User};
use identety_http::json;
use identety_http::problem::Problem;

use super::members;
use crate::answer;
use crate::change::{Change, Decision};

pub(crate) async fn put(mut change: Change, request: Request) -> Response {
    let set = set(&mut change, request).await;
    change.answer(set.map(|user| answer::no_content(&user)))
}

async fn set(change: &mut Change, request: Request) -> Result<User, Problem> {
    let members = json::read_object(request, &[json::JSON], false).await?;
    let password = members::of_password(members)?;
    let services = change.state.services.clone();
    change
        .make(|before: &User, context| {
            let maker = &mut services.secret_maker(context);
            let after = user::set_password(before, &password, maker)?;
            Ok((Decision::Update(Box::new(after.clone())), after))
        })
        .await
}
