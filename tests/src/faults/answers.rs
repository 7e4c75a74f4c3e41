//! The answers of a DynamoDB that fails.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::Fault;

/// What every one of them says, so that tests can see that nobody else says it.
const MESSAGE: &str = "an injected fault with internals";

/// A connection that broke.
pub(super) fn cut() -> ConnectorError {
    ConnectorError::io(MESSAGE.into())
}

/// The answer to a request that is refused.
pub(super) fn refusal(fault: &Fault) -> HttpResponse {
    let service = |name: &str| format!("com.amazonaws.dynamodb.v20120810#{name}");
    let error = |kind: String| json!({"__type": kind, "message": MESSAGE});
    let (status, body) = match fault {
        Fault::Throttled => (400, error(service("ProvisionedThroughputExceededException"))),
        Fault::Refused(name) => (400, error(service(name))),
        Fault::Canceled(reasons) => {
            let reason = |code: &&str| json!({"Code": code, "Message": MESSAGE});
            let mut body = error(service("TransactionCanceledException"));
            body["CancellationReasons"] = reasons.iter().map(reason).collect();
            (400, body)
        }
        Fault::ServerError => (500, error(service("InternalServerError"))),
        Fault::ServiceUnavailable => {
            return response(503, format!("<html>{MESSAGE}</html>").into_bytes());
        }
        _ => (400, error("com.amazon.coral.validate#ValidationException".to_owned())),
    };
    response(status, body.to_string().into_bytes())
}

/// An answer.
pub(super) fn response(status: u16, body: Vec<u8>) -> HttpResponse {
    HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body))
}

/// The answer with its item changed; without an item, it is changed from nothing.
pub(super) fn changed(answer: &HttpResponse, change: &dyn Fn(&mut Value)) -> HttpResponse {
    let body = answer.body().bytes().unwrap_or_default();
    let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
    change(&mut body["Item"]);
    response(answer.status().as_u16(), body.to_string().into_bytes())
}

/// Leaves nothing of an item but that there is one.
pub(super) fn make_unreadable(item: &mut Value) {
    *item = json!({"pk": {"S": MESSAGE}});
}
