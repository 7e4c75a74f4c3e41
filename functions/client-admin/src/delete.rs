//! `DELETE /admin/clients/{id}` and `/admin/users/{id}`: answers with it as it was.

use axum::response::Response;

use crate::answer;
use crate::change::{Change, Decision};
use crate::resource::Resource;

pub(crate) async fn delete<R: Resource>(mut change: Change) -> Response {
    let gone = change.make(|before: &R, _| Ok((Decision::Delete, before.clone()))).await;
    change.answer(gone.and_then(|gone| answer::with(&gone)))
}
