//! The SDK's settings: explicit, and the same wherever DynamoDB is.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Builder, Credentials, Region};

/// A connection to DynamoDB takes some milliseconds; after this it is not coming.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// One attempt, which takes single-digit milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
/// All attempts of one operation, and the pauses between them.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(3);
/// The first one counts.
const MAX_ATTEMPTS: u32 = 3;
/// The longest pause before the second attempt, and twice before the third; the SDK takes a random
/// part of it. Its own default of one second would leave no time for the third.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

/// A client for a Lambda function, whose region and credentials are in the environment:
/// `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
///
/// The SDK's default chains are left aside: they look for files and metadata servers that a function
/// does not have, and a cold start would wait for them. `AWS_ENDPOINT_URL_DYNAMODB` or
/// `AWS_ENDPOINT_URL` lead to another DynamoDB.
#[must_use]
pub fn client_from_environment() -> Client {
    let config = from_variables(|name| std::env::var(name).ok());
    let credentials = EnvironmentVariableCredentialsProvider::new();
    Client::from_conf(config.credentials_provider(credentials).build())
}

/// A client for a DynamoDB at `endpoint_url` that asks for no real credentials: one on this machine.
#[must_use]
pub fn client_for_server(endpoint_url: &str) -> Client {
    Client::from_conf(
        settings()
            .endpoint_url(endpoint_url)
            .region(local_region())
            .credentials_provider(local_credentials())
            .build(),
    )
}

/// The region of a local DynamoDB, which has none.
pub(crate) fn local_region() -> Region {
    Region::from_static("eu-central-1")
}

/// The credentials of a local DynamoDB, which looks at none.
pub(crate) fn local_credentials() -> Credentials {
    Credentials::new("local", "local", None, None, "local")
}

fn settings() -> Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(INITIAL_BACKOFF);
    aws_sdk_dynamodb::Config::builder().timeout_config(timeouts).retry_config(retries)
}

fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Builder {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    let mut config = settings();
    config.set_region(variable("AWS_REGION").map(Region::new));
    let endpoint = variable("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| variable("AWS_ENDPOINT_URL"));
    config.set_endpoint_url(endpoint);
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Answer, answering_with};

    /// Where a client with these variables sends its requests.
    async fn destination(variables: &[(&str, &str)]) -> String {
        let config = from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let (client, requests) = answering_with(|_| Answer::Json(200, "{}"), config);
        client.list_tables().send().await.unwrap();
        let requests = requests.lock().unwrap();
        requests.first().unwrap().clone()
    }

    #[tokio::test]
    async fn the_environment_names_the_region_and_another_endpoint() {
        let region = ("AWS_REGION", "eu-north-1");
        let any = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        let own = ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:2");
        let none = ("AWS_ENDPOINT_URL_DYNAMODB", "");
        assert_eq!(destination(&[region]).await, "https://dynamodb.eu-north-1.amazonaws.com/");
        assert_eq!(destination(&[region, any]).await, "http://127.0.0.1:1/");
        assert_eq!(destination(&[region, any, own]).await, "http://127.0.0.1:2/");
        assert_eq!(destination(&[region, any, none]).await, "http://127.0.0.1:1/");
    }

    #[tokio::test]
    async fn an_operation_is_attempted_three_times_and_then_given_up() {
        let (client, requests) =
            answering_with(|_| Answer::Lost, settings().region(local_region()));
        client.list_tables().send().await.unwrap_err();
        assert_eq!(requests.lock().unwrap().len(), 3);
    }
}
