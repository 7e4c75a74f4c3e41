//! `PATCH /admin/clients/{id}` (RFC 7396): what is not named stays.

use axum::extract::Request;
use axum::response::Response;
use identety_domain::client::Client;
use identety_http::json;
use identety_http::problem::Problem;

use super::members;
use crate::answer;
use crate::change::{Change, Decision};

pub(crate) async fn patch(mut change: Change, request: Request) -> Response {
    let changed = update(&mut change, request).await;
    change.answer(changed.and_then(|client| answer::with(&client)))
}

async fn update(change: &mut Change, request: Request) -> Result<Client, Problem> {
    let members = json::read_object(request, &[json::JSON, json::MERGE_PATCH], false).await?;
    let administrator = change.administrator.clone();
    change
        .make(|before: &Client, context| {
            let metadata = members::of_change(members.clone(), before)?.validate(before.kind)?;
            administrator.may_grant(&metadata.scopes)?;
            if metadata == before.metadata {
                return Ok((Decision::Keep, before.clone()));
            }
            let after = before.with_metadata(metadata, context.now);
            Ok((Decision::Update(Box::new(after.clone())), after))
        })
        .await
}
