//! The SDK's settings: explicit, and the same wherever DynamoDB is.

#[cfg(feature = "aws")]
mod aws;

use std::time::Duration;

use aws_sdk_dynamodb::config::Region;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;

#[cfg(feature = "aws")]
pub use aws::{ConfigError, dynamodb, dynamodb_at, from_environment, take_retries};

use crate::Tables;

/// A connection takes some milliseconds; after this it is not coming.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// One attempt, which takes single-digit milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
/// All attempts of one operation, and the pauses between them.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(3);
/// The first one counts.
const MAX_ATTEMPTS: u32 = 3;
/// The longest pause before the second attempt; it doubles before the third, and the SDK takes a random
/// part of it. Its own default of one second could leave no time for the third.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

/// The region of a local DynamoDB, which has none.
pub(crate) fn local_region() -> Region {
    Region::from_static("eu-central-1")
}

/// The tables that `IDENTETY_TABLE_CLIENTS` and so on name, as `variable` has them.
///
/// # Errors
/// What `variable` says of one that it does not have.
pub fn tables<E>(variable: impl Fn(&'static str) -> Result<String, E>) -> Result<Tables, E> {
    Ok(Tables {
        clients: variable("IDENTETY_TABLE_CLIENTS")?,
        accounts: variable("IDENTETY_TABLE_ACCOUNTS")?,
        keys: variable("IDENTETY_TABLE_KEYS")?,
        grants: variable("IDENTETY_TABLE_GRANTS")?,
    })
}

/// How long a client waits.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

/// How often a client tries.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS).with_initial_backoff(INITIAL_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Answer, answering};

    #[tokio::test]
    async fn an_operation_is_attempted_three_times_and_then_given_up() {
        let (client, requests) =
            answering(|_| Answer::Lost, |config| config.retry_config(retries()));
        client.list_tables().send().await.unwrap_err();
        assert_eq!(requests(), 3);
    }

    #[tokio::test]
    async fn an_operation_that_is_throttled_once_succeeds() {
        let throttled = r#"{"__type":"com.amazon.coral.availability#ThrottlingException"}"#;
        let (client, requests) = answering(
            move |request| match request {
                0 => Answer::Json(400, throttled),
                _ => Answer::Json(200, "{}"),
            },
            |config| config.retry_config(retries()),
        );
        client.list_tables().send().await.unwrap();
        assert_eq!(requests(), 2);
    }
}
