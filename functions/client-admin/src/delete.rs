//! `DELETE /admin/clients/{id}` and `/admin/users/{id}`: answers with it as it was.

use axum::response::Response;

use crate::answer;
use crate::change::{Change, Decision};
use crate::resource::Resource;

pub(crate) async fn delete<R: Resource>(change: Change) -> Response {
    match change.make(|before: &R| Ok((Decision::Delete, before.clone()))).await {
        Ok(gone) => answer::with(&gone, &change.context.id),
        Err(problem) => problem.into_response(),
    }
}
