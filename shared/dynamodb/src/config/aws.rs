//! Clients that reach AWS, or what stands in for it behind an address.

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents,
    SharedCredentialsProvider, SharedHttpClient,
};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_http_client::Builder as HttpClientBuilder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::{local_region, retries, timeouts};

/// A function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Lambda sets this variable for every function, and it is not set, or empty.
    #[error("the environment variable {0} is missing")]
    Missing(&'static str),
    /// The certificates that are built in cannot be read.
    #[error("the root certificates cannot be used: {0}")]
    Roots(BoxError),
}

/// What every AWS client of a Lambda function is made of. Region and credentials are in the
/// environment: `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
/// `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_ENDPOINT_URL_KMS` or, for both, `AWS_ENDPOINT_URL` lead elsewhere,
/// `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT`, where they are `true`, to AWS's other endpoints.
///
/// The SDK's own chains are not even linked: they look for files and metadata servers that a function
/// does not have, a cold start would wait for them, and they are a part of every download of its code.
///
/// # Errors
/// When the region or the credentials are missing, or the roots cannot be used.
pub fn from_environment() -> Result<SdkConfig, ConfigError> {
    from_variables(|name| env::var(name).ok())
}

/// The same, of other variables.
fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<SdkConfig, ConfigError> {
    let optional = |name| variable(name).filter(|value| !value.is_empty());
    let required = |name| optional(name).ok_or(ConfigError::Missing(name));
    let credentials = Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        optional("AWS_SESSION_TOKEN"),
        // A process does not outlive the credentials that Lambda gave it.
        None,
        "Lambda",
    );
    let mut config = SdkConfig::builder();
    config.set_endpoint_url(optional("AWS_ENDPOINT_URL"));
    config.set_use_fips(optional("AWS_USE_FIPS_ENDPOINT").map(|it| it == "true"));
    config.set_use_dual_stack(optional("AWS_USE_DUALSTACK_ENDPOINT").map(|it| it == "true"));
    Ok(config
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(required("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .service_config(OfServices)
        .http_client(http_client()?)
        .timeout_config(timeouts())
        .retry_config(retries())
        .build())
}

/// The variables of single services.
#[derive(Debug)]
struct OfServices;

impl LoadServiceConfig for OfServices {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        env::var(format!("{}_{service}", key.env())).ok().filter(|value| !value.is_empty())
    }
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

/// A client of DynamoDB.
#[must_use]
pub fn dynamodb(config: &SdkConfig) -> Client {
    let config = aws_sdk_dynamodb::config::Builder::from(config).interceptor(CountRetries);
    Client::from_conf(config.build())
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

/// The credentials of a local DynamoDB, which looks at none.
fn local_credentials() -> Credentials {
    Credentials::new("local", "local", None, None, "local")
}

/// The roots of Amazon Trust Services, which issues the certificates of AWS: all five, as it recommends.
const ROOTS: &[u8] = include_bytes!("../roots.pem");

/// A client that trusts these roots alone: to read all roots that a system trusts takes more of a cold
/// start than everything else together.
fn http_client() -> Result<SharedHttpClient, ConfigError> {
    let roots = TrustStore::empty().with_pem_certificate(ROOTS);
    let context = TlsContext::builder().with_trust_store(roots).build();
    let context = context.map_err(|error| ConfigError::Roots(error.into()))?;
    let builder = HttpClientBuilder::new().tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc));
    Ok(builder.tls_context(context).build_https())
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::ProvideCredentials as _;

    use super::super::{
        ATTEMPT_TIMEOUT, CONNECT_TIMEOUT, INITIAL_BACKOFF, MAX_ATTEMPTS, OPERATION_TIMEOUT,
    };
    use super::*;
    use crate::testing::{Answer, answering};

    /// What Lambda sets.
    fn set_by_lambda(name: &str) -> Option<String> {
        let names =
            ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
        names.contains(&name).then(|| format!("the value of {name}"))
    }

    #[tokio::test]
    async fn the_settings_of_a_function_reach_its_client() {
        let client = dynamodb(&from_variables(set_by_lambda).unwrap());
        let timeouts = client.config().timeout_config().unwrap();
        assert_eq!(timeouts.connect_timeout(), Some(CONNECT_TIMEOUT));
        assert_eq!(timeouts.operation_attempt_timeout(), Some(ATTEMPT_TIMEOUT));
        assert_eq!(timeouts.operation_timeout(), Some(OPERATION_TIMEOUT));
        let retries = client.config().retry_config().unwrap();
        assert_eq!(retries.max_attempts(), MAX_ATTEMPTS);
        assert_eq!(retries.initial_backoff(), INITIAL_BACKOFF);
    }

    #[tokio::test]
    async fn credentials_and_region_are_those_of_the_environment() {
        let config = from_variables(set_by_lambda).unwrap();
        let credentials = config.credentials_provider().unwrap();
        let credentials = credentials.provide_credentials().await.unwrap();
        assert_eq!(credentials.access_key_id(), "the value of AWS_ACCESS_KEY_ID");
        assert_eq!(credentials.secret_access_key(), "the value of AWS_SECRET_ACCESS_KEY");
        assert_eq!(credentials.session_token(), Some("the value of AWS_SESSION_TOKEN"));
        assert_eq!(config.region().unwrap().as_ref(), "the value of AWS_REGION");
    }

    #[test]
    fn a_function_without_credentials_or_region_is_told_which_variable_is_missing() {
        for missing in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            for value in [None, Some(String::new())] {
                let variable = |name: &str| match name {
                    _ if name == missing => value.clone(),
                    _ => set_by_lambda(name),
                };
                let error = from_variables(variable).unwrap_err();
                assert_eq!(
                    error.to_string(),
                    format!("the environment variable {missing} is missing")
                );
            }
        }
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
    }

    #[tokio::test]
    async fn the_client_of_a_function_counts_its_retries() {
        let function = dynamodb(&from_variables(set_by_lambda).unwrap());
        let names: Vec<_> = function.config().interceptors().map(|it| format!("{it:?}")).collect();
        assert!(names.iter().any(|name| name.contains("CountRetries")), "{names:?}");
    }
}
