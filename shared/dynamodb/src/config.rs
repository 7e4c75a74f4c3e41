//! The SDK's settings: explicit, and the same wherever DynamoDB is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    ConfigBag, Credentials, Intercept, Region, RuntimeComponents, SharedHttpClient,
};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_http_client::Builder as HttpClientBuilder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_runtime_api::client::retries::RequestAttempts;

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

/// What every AWS client of a Lambda function is made of. Region and credentials are in the
/// environment: `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
///
/// The SDK's default chains for both are left aside: they look for metadata servers that a function
/// does not have, and a cold start would wait for them. `AWS_ENDPOINT_URL_DYNAMODB` or
/// `AWS_ENDPOINT_URL` lead to another DynamoDB.
pub async fn from_environment() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client())
        .region(EnvironmentVariableRegionProvider::new())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .timeout_config(timeouts())
        .retry_config(retries())
        .load()
        .await
}

/// A client of DynamoDB.
#[must_use]
pub fn dynamodb(config: &SdkConfig) -> Client {
    let config = aws_sdk_dynamodb::config::Builder::from(config).interceptor(CountRetries);
    Client::from_conf(config.build())
}

/// Attempts beyond the first of an operation, of all clients of this process, until they are taken.
static RETRIES: AtomicU64 = AtomicU64::new(0);

/// How often an operation has been attempted again since this was called last: throttling, a connection
/// that broke, a server that failed. Where requests are answered one at a time, as on Lambda, it is how often
/// that was so for one request.
pub fn take_retries() -> u64 {
    RETRIES.swap(0, Ordering::Relaxed)
}

/// Counts the attempts beyond the first.
#[derive(Debug)]
struct CountRetries;

#[dyn_dispatch_hint]
impl Intercept for CountRetries {
    fn name(&self) -> &'static str {
        "CountRetries"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if config.load::<RequestAttempts>().is_some_and(|made| made.attempts() > 1) {
            RETRIES.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// A client of the DynamoDB at `endpoint_url` that asks for no real credentials: one on this machine.
#[must_use]
pub fn dynamodb_at(endpoint_url: &str) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .endpoint_url(endpoint_url)
        .region(local_region())
        .credentials_provider(local_credentials())
        .timeout_config(timeouts())
        .retry_config(retries())
        .interceptor(CountRetries);
    Client::from_conf(config.build())
}

/// The region of a local DynamoDB, which has none.
pub(crate) fn local_region() -> Region {
    Region::from_static("eu-central-1")
}

/// The credentials of a local DynamoDB, which looks at none.
fn local_credentials() -> Credentials {
    Credentials::new("local", "local", None, None, "local")
}

/// The roots of Amazon Trust Services, which issues the certificates of AWS: all five, as it recommends.
const ROOTS: &[u8] = include_bytes!("roots.pem");

/// A client that trusts these roots alone: to read all roots that a system trusts takes more of a cold
/// start than everything else together.
fn http_client() -> SharedHttpClient {
    let roots = TrustStore::empty().with_pem_certificate(ROOTS);
    let builder = HttpClientBuilder::new().tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc));
    match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        // Never so; and then the roots of the system do as well.
        Err(_) => builder.build_https(),
    }
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
    async fn the_settings_of_a_function_reach_its_client() {
        let client = dynamodb(&from_environment().await);
        let timeouts = client.config().timeout_config().unwrap();
        assert_eq!(timeouts.connect_timeout(), Some(CONNECT_TIMEOUT));
        assert_eq!(timeouts.operation_attempt_timeout(), Some(ATTEMPT_TIMEOUT));
        assert_eq!(timeouts.operation_timeout(), Some(OPERATION_TIMEOUT));
        let retries = client.config().retry_config().unwrap();
        assert_eq!(retries.max_attempts(), MAX_ATTEMPTS);
        assert_eq!(retries.initial_backoff(), INITIAL_BACKOFF);
    }

    #[tokio::test]
    async fn attempts_beyond_the_first_are_counted_until_they_are_taken() {
        let counted = |answers: fn(usize) -> Answer| {
            answering(answers, |config| config.retry_config(retries()).interceptor(CountRetries))
        };
        let (fine, _) = counted(|_| Answer::Json(200, "{}"));
        let (lost, _) = counted(|_| Answer::Lost);
        let (slow, _) = counted(|request| match request {
            0 => Answer::Json(500, "{}"),
            _ => Answer::Json(200, "{}"),
        });
        take_retries();
        fine.list_tables().send().await.unwrap();
        assert_eq!(take_retries(), 0);
        lost.list_tables().send().await.unwrap_err();
        assert_eq!(take_retries(), 2);
        slow.list_tables().send().await.unwrap();
        fine.list_tables().send().await.unwrap();
        assert_eq!((take_retries(), take_retries()), (1, 0));
        // The settings of functions have it.
        let function = dynamodb(&from_environment().await);
        let names: Vec<_> = function.config().interceptors().map(|it| format!("{it:?}")).collect();
        assert!(names.iter().any(|name| name.contains("CountRetries")), "{names:?}");
    }

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
