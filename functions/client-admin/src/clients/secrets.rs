//! `POST /admin/clients/{id}/secrets` and `DELETE …/secrets/{secretId}`: rotation without a gap.

use std::fmt::Display;

use axum::extract::{Path, Request};
use axum::response::Response;
use http::StatusCode;
use identety_domain::Seconds;
use identety_domain::client::{
    Client, DeleteSecretError, RotateSecretError, RotatedSecret, delete_secret, rotate_secret,
};
use identety_http::problem::Problem;
use identety_http::{ambient, json, response};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::answer;
use crate::change::{Change, Decision};
use crate::problems::json_problem;

/// How long an older secret may be left to live, in seconds: a year.
const MAX_EXPIRE_PREVIOUS_IN: u64 = 31_536_000;

pub(crate) async fn post(change: Change, request: Request) -> Response {
    let asked = json::read_object(request, &[json::JSON], true).await.map_err(json_problem);
    let rotated = match asked.and_then(expire_previous_in) {
        Ok(seconds) => rotate(&change, seconds).await,
        Err(problem) => Err(problem),
    };
    match rotated {
        Ok(rotated) => created(&change, &rotated),
        Err(problem) => problem.into_response(),
    }
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

async fn rotate(
    change: &Change,
    expire_previous_in: Option<Seconds>,
) -> Result<RotatedSecret, Problem> {
    let Change { state, context, .. } = change;
    let server_error = |error: &dyn Display| Problem::server_error(&context.id, error);
    change
        .make(|before: &Client| {
            let mut rng = ambient::rng().map_err(|error| server_error(&error))?;
            let rotated =
                rotate_secret(before, expire_previous_in, &state.hasher, context.now, &mut rng);
            let rotated = rotated.map_err(|error| match error {
                RotateSecretError::PublicClient | RotateSecretError::TooManyLive => {
                    Problem::new(StatusCode::CONFLICT, error.to_string())
                }
                RotateSecretError::Hash(error) => server_error(&error),
            })?;
            Ok((Decision::Update(Box::new(rotated.client.clone())), rotated))
        })
        .await
}

fn created(change: &Change, rotated: &RotatedSecret) -> Response {
    let RotatedSecret { client, secret_id, secret } = rotated;
    let body = serde_json::json!({
        "id": secret_id,
        "clientSecret": secret.expose(),
        "createdAt": client.updated_at.to_string(),
        "expiresAt": null,
    });
    let response = response::json(StatusCode::CREATED, &body, &change.context.id);
    let location =
        format!("{}/admin/clients/{}/secrets/{secret_id}", change.state.settings.issuer, client.id);
    answer::with_location(answer::with_etag(response, client), &location)
}

/// Answers with the client as it is now.
pub(crate) async fn delete(
    change: Change,
    Path((_, secret_id)): Path<(String, String)>,
) -> Response {
    match remove(&change, &secret_id).await {
        Ok(client) => answer::with(&client, &change.context.id),
        Err(problem) => problem.into_response(),
    }
}

async fn remove(change: &Change, secret_id: &str) -> Result<Client, Problem> {
    let refused = |error: DeleteSecretError| {
        let status = match error {
            DeleteSecretError::NotFound => StatusCode::NOT_FOUND,
            DeleteSecretError::LastLive => StatusCode::CONFLICT,
        };
        Problem::new(status, error.to_string())
    };
    change
        .make(|before: &Client| {
            let secret_id =
                Uuid::parse_str(secret_id).map_err(|_| refused(DeleteSecretError::NotFound))?;
            let after = delete_secret(before, secret_id, change.context.now).map_err(refused)?;
            Ok((Decision::Update(Box::new(after.clone())), after))
        })
        .await
}
