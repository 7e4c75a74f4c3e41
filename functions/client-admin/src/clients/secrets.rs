//! `POST /admin/clients/{id}/secrets` and `DELETE …/secrets/{secretId}`: rotation without a gap.

use axum::extract::{Path, Request};
use axum::response::Response;
use http::StatusCode;
use identety_domain::Seconds;
use identety_domain::client::{
    Client, DeleteSecretError, RotateSecretError, RotatedSecret, delete_secret, rotate_secret,
};
use identety_http::problem::Problem;
use identety_http::{json, response};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::answer;
use crate::change::{Change, Decision};

/// How long an older secret may be left to live, in seconds: a year.
const MAX_EXPIRE_PREVIOUS_IN: u64 = 31_536_000;

pub(crate) async fn post(mut change: Change, request: Request) -> Response {
    let rotated = rotate(&mut change, request).await;
    let answered = rotated.and_then(|rotated| created(&change, &rotated));
    change.answer(answered)
}

/// Reads `{expirePreviousIn?}`.
fn expire_previous_in(members: Map<String, Value>) -> Result<Option<Seconds>, Problem> {
    let mut seconds = None;
    for (name, value) in members {
        match (name.as_str(), value) {
            ("expirePreviousIn", Value::Null) => {}
            ("expirePreviousIn", value) => {
                let valid = value.as_u64().filter(|seconds| *seconds <= MAX_EXPIRE_PREVIOUS_IN);
                let valid = valid.and_then(|seconds| Seconds::try_from(seconds).ok());
                let rule = "must be 0 to 31536000 seconds";
                seconds =
                    Some(valid.ok_or_else(|| Problem::invalid_field("expirePreviousIn", rule))?);
            }
            _ => return Err(Problem::invalid_field(name, "is unknown")),
        }
    }
    Ok(seconds)
}

async fn rotate(change: &mut Change, request: Request) -> Result<RotatedSecret, Problem> {
    let asked = json::read_object(request, &[json::JSON], true).await?;
    let expire_previous_in = expire_previous_in(asked)?;
    let services = change.state.services.clone();
    change
        .make(|before: &Client, context| {
            let maker = &mut services.secret_maker(context);
            let rotated = rotate_secret(before, expire_previous_in, maker);
            let rotated = rotated.map_err(|error| match error {
                RotateSecretError::NoSecrets(_) | RotateSecretError::TooManyLive => {
                    Problem::new(StatusCode::CONFLICT, error.to_string())
                }
                RotateSecretError::Hash(error) => error.into(),
            })?;
            Ok((Decision::Update(Box::new(rotated.client.clone())), rotated))
        })
        .await
}

fn created(change: &Change, rotated: &RotatedSecret) -> Result<Response, Problem> {
    let RotatedSecret { client, secret_id, secret } = rotated;
    let body = serde_json::json!({
        "id": secret_id,
        "clientSecret": secret.expose(),
        "createdAt": client.updated_at.to_string(),
        "expiresAt": null,
    });
    let response = response::json(StatusCode::CREATED, &body)?;
    let issuer = &change.state.services.settings.issuer;
    let location = format!("{issuer}/admin/clients/{}/secrets/{secret_id}", client.id);
    Ok(answer::with_location(answer::with_etag(response, client), &location))
}

/// Answers with the client as it is now.
pub(crate) async fn delete(
    mut change: Change,
    Path((_, secret_id)): Path<(String, String)>,
) -> Response {
    let removed = remove(&mut change, &secret_id).await;
    change.answer(removed.and_then(|client| answer::with(&client)))
}

async fn remove(change: &mut Change, secret_id: &str) -> Result<Client, Problem> {
    let refused = |error: DeleteSecretError| {
        let status = match error {
            DeleteSecretError::NotFound => StatusCode::NOT_FOUND,
            DeleteSecretError::LastLive => StatusCode::CONFLICT,
        };
        Problem::new(status, error.to_string())
    };
    change
        .make(|before: &Client, context| {
            let secret_id =
                Uuid::parse_str(secret_id).map_err(|_| refused(DeleteSecretError::NotFound))?;
            let after = delete_secret(before, secret_id, context.now).map_err(refused)?;
            Ok((Decision::Update(Box::new(after.clone())), after))
        })
        .await
}
