//! A deployed stack, as CloudFormation knows it, reached with the AWS credentials of a person.

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_cloudformation::operation::describe_stacks::DescribeStacksError;
use aws_sdk_cloudformation::types::Stack as Description;
use identety_dynamodb::Tables;

/// What a deployment is made of, and how to reach it.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// The region that it is in.
    pub region: String,
    /// The issuer of its tokens: output `Issuer`.
    pub issuer: String,
    /// Its tables: outputs `ClientsTableName`, `AccountsTableName`, `KeysTableName`, `GrantsTableName`.
    pub tables: Tables,
    /// The KMS key that seals its signing keys: output `SealingKeyArn`.
    pub sealing_key_arn: String,
    /// Credentials, region and settings for AWS clients.
    pub config: SdkConfig,
}

/// Why a stack cannot be reached: one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// Nothing says which region.
    #[error("no AWS region is set; set AWS_REGION, or AWS_PROFILE to a profile that has one")]
    NoRegion,
    /// There are no credentials anywhere.
    #[error(
        "no AWS credentials were found; set AWS_PROFILE, or sign in with the AWS CLI (aws sso login)"
    )]
    NoCredentials,
    /// There are some, but they cannot be had, such as those of a sign-in that has ended.
    #[error("the AWS credentials cannot be used: {0}")]
    Credentials(String),
    /// AWS does not know these credentials, or no longer.
    #[error("AWS does not accept these credentials: {0}")]
    NotAccepted(String),
    /// They may not do this.
    #[error(
        "these AWS credentials may not read the stack {stack} (cloudformation:DescribeStacks): {cause}"
    )]
    Denied {
        /// The stack.
        stack: String,
        /// What AWS says.
        cause: String,
    },
    /// There is no such stack.
    #[error(
        "there is no stack {stack} in {region}; is the name right, and the region (AWS_REGION)?"
    )]
    Missing {
        /// The stack.
        stack: String,
        /// The region.
        region: String,
    },
    /// The stack lacks an output: another application's, or one that was deployed from an older template.
    #[error(
        "the stack {stack} ({status}) has no output {output}: it is not a stack of this server, is not complete, or was deployed by an older version; deploy it again"
    )]
    NoOutput {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
        /// The output.
        output: &'static str,
    },
    /// CloudFormation did not answer, or in another way.
    #[error("CloudFormation failed: {0}")]
    Failed(String),
}

impl Stack {
    /// Finds the stack called `name` with the AWS credentials and the region of the person who runs this:
    /// environment variables, profiles (`AWS_PROFILE`), single sign-on, helper programs, roles.
    ///
    /// # Errors
    /// Without credentials or region, and when the stack cannot be read or is none of ours.
    pub async fn load(name: &str) -> Result<Self, StackError> {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts())
            .retry_config(RetryConfig::standard())
            .load()
            .await;
        let region = config.region().ok_or(StackError::NoRegion)?.to_string();
        check_credentials(&config).await?;
        let described = describe(&config, name, &region).await?;
        let output = |key: &'static str| {
            let found = described.outputs().iter().find(|output| output.output_key() == Some(key));
            let value = found.and_then(|output| output.output_value());
            value.map(str::to_owned).ok_or_else(|| StackError::NoOutput {
                stack: name.to_owned(),
                status: described.stack_status().map_or_else(String::new, ToString::to_string),
                output: key,
            })
        };
        Ok(Self {
            name: name.to_owned(),
            region,
            issuer: output("Issuer")?,
            tables: Tables {
                clients: output("ClientsTableName")?,
                accounts: output("AccountsTableName")?,
                keys: output("KeysTableName")?,
                grants: output("GrantsTableName")?,
            },
            sealing_key_arn: output("SealingKeyArn")?,
            config,
        })
    }
}

/// A person waits, over any network: more patience than a function has.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(15))
        .operation_timeout(Duration::from_secs(45))
        .build()
}

/// Says what is wrong with the credentials, before anything is asked with them.
async fn check_credentials(config: &SdkConfig) -> Result<(), StackError> {
    let provider = config.credentials_provider().ok_or(StackError::NoCredentials)?;
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(CredentialsError::CredentialsNotLoaded(_)) => Err(StackError::NoCredentials),
        Err(error) => Err(StackError::Credentials(whole(&error))),
    }
}

async fn describe(config: &SdkConfig, name: &str, region: &str) -> Result<Description, StackError> {
    let missing = || StackError::Missing { stack: name.to_owned(), region: region.to_owned() };
    let request = CloudFormation::new(config).describe_stacks().stack_name(name);
    let answer = request.send().await.map_err(|error| refused(&error, name, region))?;
    answer.stacks.and_then(|stacks| stacks.into_iter().next()).ok_or_else(missing)
}

/// What an answer of CloudFormation means to the person who asked.
fn refused(error: &SdkError<DescribeStacksError>, name: &str, region: &str) -> StackError {
    let stack = name.to_owned();
    let Some(service) = error.as_service_error() else {
        return StackError::Failed(whole(error));
    };
    let cause = service.message().unwrap_or_default().to_owned();
    match service.code().unwrap_or_default() {
        // CloudFormation has no error of its own for this.
        "ValidationError" if cause.contains("does not exist") => {
            StackError::Missing { stack, region: region.to_owned() }
        }
        "AccessDenied" | "AccessDeniedException" => StackError::Denied { stack, cause },
        code @ ("ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException") => StackError::NotAccepted(format!("{code}: {cause}")),
        code => StackError::Failed(format!("{code}: {cause}")),
    }
}

/// An error with all that lies behind it, in one line.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
