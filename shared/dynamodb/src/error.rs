//! From the SDK's errors to the domain's.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::CancellationReason;
use identety_domain::store::StoreError;

/// What the SDK reports of a call that did not succeed.
///
/// The cause names the operation's error and its message, never the request or the item: those hold
/// hashes, and the cause goes to the log. So it is put together here: `DisplayErrorContext` of the SDK
/// adds the `Debug` of the error, which has the item that a failed condition shows, the reasons of a
/// canceled transaction with their items, and the body of the answer.
pub(crate) fn failed<E>(error: &SdkError<E>) -> StoreError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let cause = explain(error).into();
    if is_transient(error) { StoreError::Unavailable(cause) } else { StoreError::Other(cause) }
}

/// What is stored cannot be read.
pub(crate) fn corrupt(what: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("{what}: {why}").into())
}

/// A transaction in which no condition speaks for itself.
pub(crate) fn canceled(reasons: &[CancellationReason]) -> StoreError {
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code().unwrap_or("None")).collect();
    let cause = format!("transaction canceled: {}", codes.join(", ")).into();
    if codes.iter().any(|code| is_transient_code(code)) {
        StoreError::Unavailable(cause)
    } else {
        StoreError::Other(cause)
    }
}

/// Whether this is why a transaction was canceled: the condition of the item did not hold.
pub(crate) fn condition_failed(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

fn is_transient<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::TimeoutError(_) => true,
        // The rest is about the request or the credentials, which do not get better by themselves.
        SdkError::DispatchFailure(failure) => {
            failure.is_io() || failure.is_timeout() || failure.as_other().is_some()
        }
        SdkError::ResponseError(response) => response.raw().status().is_server_error(),
        SdkError::ServiceError(service) => {
            service.raw().status().is_server_error()
                || service.err().code().is_some_and(is_transient_code)
        }
        _ => false,
    }
}

/// Codes of errors and of reasons in a canceled transaction after which the same may succeed.
pub(crate) fn is_transient_code(code: &str) -> bool {
    matches!(
        code,
        "InternalServerError"
            | "ProvisionedThroughputExceeded"
            | "ProvisionedThroughputExceededException"
            | "ReplicatedWriteConflictException"
            | "RequestLimitExceeded"
            | "RequestTimeout"
            | "ServiceUnavailable"
            | "Throttling"
            | "ThrottlingError"
            | "ThrottlingException"
            | "TransactionConflict"
            | "TransactionConflictException"
            | "TransactionInProgressException"
    )
}

fn explain<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(code) = error.code() {
        return format!("{code}: {}", error.message().unwrap_or("no message"));
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::retry::RetryConfig;
    use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
    use aws_sdk_dynamodb::error::DisplayErrorContext;
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;
    use crate::config::local_region;
    use crate::testing::{Answer, answering};

    async fn error_of(client: &Client) -> StoreError {
        failed(&client.get_item().table_name("t").send().await.unwrap_err())
    }

    async fn error_for(status: u16, body: &'static str) -> StoreError {
        let answer = Answer::Json(status, body);
        let disabled = RetryConfig::disabled();
        error_of(&answering(move |_| answer, |config| config.retry_config(disabled)).0).await
    }

    fn is_unavailable(error: &StoreError) -> bool {
        matches!(error, StoreError::Unavailable(_))
    }

    #[tokio::test]
    async fn throttling_conflicts_and_server_errors_are_unavailable() {
        for code in [
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
            "com.amazon.coral.availability#ThrottlingException",
            "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded",
            "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
            "com.amazonaws.dynamodb.v20120810#TransactionInProgressException",
        ] {
            let body = format!(r#"{{"__type":"{code}","message":"slow down"}}"#).leak();
            let error = error_for(400, body).await;
            assert!(is_unavailable(&error), "{error}");
            assert!(error.to_string().contains("slow down"), "{error}");
        }
        let internal = r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}"#;
        assert!(is_unavailable(&error_for(500, internal).await));
        assert!(is_unavailable(&error_for(503, "<html>busy</html>").await));
    }

    #[tokio::test]
    async fn a_missing_table_or_permission_is_not_something_to_wait_for() {
        for code in [
            "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
            "com.amazon.coral.service#AccessDeniedException",
            "com.amazon.coral.validate#ValidationException",
        ] {
            let body = format!(r#"{{"__type":"{code}","message":"no"}}"#).leak();
            let error = error_for(400, body).await;
            assert!(matches!(error, StoreError::Other(_)), "{error}");
        }
    }

    #[tokio::test]
    async fn a_lost_connection_and_a_timeout_are_unavailable() {
        let (lost, _) =
            answering(|_| Answer::Lost, |config| config.retry_config(RetryConfig::disabled()));
        assert!(is_unavailable(&error_of(&lost).await));
        let (late, _) = answering(
            |_| Answer::Never,
            |config| {
                let timeouts = TimeoutConfig::builder();
                config.timeout_config(timeouts.operation_timeout(Duration::from_millis(5)).build())
            },
        );
        assert!(is_unavailable(&error_of(&late).await));
    }

    #[tokio::test]
    async fn missing_credentials_are_not_something_to_wait_for() {
        let config = aws_sdk_dynamodb::Config::builder().region(local_region());
        let error = error_of(&Client::from_conf(config.build())).await;
        assert!(matches!(error, StoreError::Other(_)), "{error}");
    }

    #[tokio::test]
    async fn the_cause_of_an_error_never_shows_an_item_or_the_body_of_an_answer() {
        let shown = [
            (
                400,
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
                "message":"no","Item":{"phc":{"S":"a hash"}}}"#,
            ),
            (
                400,
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "message":"no","CancellationReasons":[{"Code":"None","Item":{"phc":{"S":"a hash"}}}]}"#,
            ),
            (200, r#"{"Item":{"phc":{"S":"a hash"}"#),
            (500, "a hash"),
        ];
        for (status, body) in shown {
            let disabled = RetryConfig::disabled();
            let answer = Answer::Json(status, body);
            let (client, _) = answering(move |_| answer, |config| config.retry_config(disabled));
            let put = client.put_item().table_name("t").item("pk", AttributeValue::S("key".into()));
            let error = put.send().await.unwrap_err();
            let context = DisplayErrorContext(&error).to_string();
            // As text, or as the numbers of its bytes.
            let hash = ["a hash", "97, 32, 104, 97, 115, 104"];
            let shows = |text: &str| hash.iter().any(|hash| text.contains(hash));
            assert!(shows(&context), "the SDK's own text could be used: {context}");
            let cause = failed(&error).to_string();
            assert!(!shows(&cause), "{cause}");
        }
    }

    #[test]
    fn a_conflict_cancels_a_transaction_for_now_and_other_reasons_for_good() {
        let reasons = |codes: &[&str]| -> Vec<_> {
            codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect()
        };
        assert!(is_unavailable(&canceled(&reasons(&["None", "TransactionConflict"]))));
        assert!(is_unavailable(&canceled(&reasons(&["ThrottlingError", "None"]))));
        assert!(!is_unavailable(&canceled(&reasons(&["ValidationError", "None"]))));
        assert!(!is_unavailable(&canceled(&[])));
    }
}
