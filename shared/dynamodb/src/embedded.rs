//! DynamoDB inside this process: an emulator on SQLite, reached by the SDK without a socket.

use std::path::Path;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::auth::{Params as AuthParams, ResolveAuthScheme};
use aws_sdk_dynamodb::config::endpoint::{
    Endpoint, EndpointFuture, Params as EndpointParams, ResolveEndpoint,
};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    ConfigBag, HttpClient, RuntimeComponents, StalledStreamProtectionConfig,
};
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeId, AuthSchemeOption, AuthSchemeOptionsFuture,
};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::local_region;

/// An embedded DynamoDB, in memory or in a file.
///
/// A call runs on the thread that makes it, one at a time. A write is answered when SQLite has
/// committed it, so it survives the end of the process. Two processes may open one file: SQLite keeps
/// it whole. But each of them believes the tables to be as it first saw them, so a program should
/// keep the file to itself.
#[derive(Clone)]
pub struct Embedded {
    database: Database,
}

/// The embedded DynamoDB cannot be opened, or its file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the embedded store failed: {0}")]
pub struct EmbeddedError(String);

impl Embedded {
    /// An empty one, gone with its last clone.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn in_memory() -> Result<Self, EmbeddedError> {
        Ok(Self { database: Database::memory().map_err(error)? })
    }

    /// The one in this SQLite file, which is made if it is not there; its folder must be.
    ///
    /// # Errors
    /// When the file cannot be opened or made, or is no database that this version can read.
    pub fn open(path: &Path) -> Result<Self, EmbeddedError> {
        let path = path
            .to_str()
            .ok_or_else(|| EmbeddedError(format!("{} is not UTF-8", path.display())))?;
        Ok(Self { database: Database::new(path).map_err(error)? })
    }

    /// A client of it.
    #[must_use]
    pub fn client(&self) -> Client {
        // Everything that bridges a network is off: there is none.
        let config = aws_sdk_dynamodb::Config::builder()
            .http_client(InProcess(self.database.clone()))
            .region(local_region())
            .endpoint_resolver(Nowhere)
            .auth_scheme_resolver(Unsigned)
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        Client::from_conf(config.build())
    }

    /// The database itself, for a server to show to other processes.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Deletes the items whose time to live has passed, and tells how many there were. DynamoDB does
    /// that by itself; with the embedded one, the caller does it.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn forget_expired(&self) -> Result<usize, EmbeddedError> {
        self.database.sweep_ttl().map_err(error)
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Embedded")
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to map_err")]
fn error(error: DynoxideError) -> EmbeddedError {
    EmbeddedError(error.to_string())
}

/// The SDK's way to the database.
#[derive(Clone)]
struct InProcess(Database);

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let (status, body) = match dispatch(&self.0, operation, request.body().bytes()) {
            Ok(body) => (200, body),
            Err(Refusal { status, body }) => (status, body.into_bytes()),
        };
        HttpConnectorFuture::ready(match status.try_into() {
            Ok(status) => Ok(HttpResponse::new(status, SdkBody::from(body))),
            Err(error) => Err(ConnectorError::other(Box::new(error), None)),
        })
    }
}

/// An answer that is an error of the service.
struct Refusal {
    status: u16,
    body: String,
}

impl From<DynoxideError> for Refusal {
    fn from(error: DynoxideError) -> Self {
        Self { status: error.status_code(), body: error.to_json() }
    }
}

/// Exactly the operations that the stores use.
fn dispatch(db: &Database, operation: &str, body: Option<&[u8]>) -> Result<Vec<u8>, Refusal> {
    let body = body.unwrap_or_default();
    match operation {
        "GetItem" => run(body, |request| db.get_item(request)),
        "PutItem" => run(body, |request| db.put_item(request)),
        "UpdateItem" => run(body, |request| db.update_item(request)),
        "DeleteItem" => run(body, |request| db.delete_item(request)),
        "Query" => run(body, |request| db.query(request)),
        "BatchGetItem" => run(body, |request| db.batch_get_item(request)),
        "TransactWriteItems" => run(body, |request| db.transact_write_items(request)),
        "CreateTable" => run(body, |request| db.create_table(request)),
        "DescribeTable" => run(body, |request| db.describe_table(request)),
        "DescribeTimeToLive" => run(body, |request| db.describe_time_to_live(request)),
        "UpdateTimeToLive" => run(body, |request| db.update_time_to_live(request)),
        _ => Err(Refusal {
            status: 400,
            body: r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#.to_owned(),
        }),
    }
}

fn run<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    act: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<Vec<u8>, Refusal> {
    let unreadable =
        |error: serde_json::Error| DynoxideError::SerializationException(error.to_string());
    let request = serde_json::from_slice(body).map_err(unreadable)?;
    let answer = act(request)?;
    Ok(serde_json::to_vec(&answer).map_err(unreadable)?)
}

/// Where requests go that leave the process: nowhere.
#[derive(Debug)]
struct Nowhere;

impl ResolveEndpoint for Nowhere {
    fn resolve_endpoint(&self, _: &EndpointParams) -> EndpointFuture<'_> {
        EndpointFuture::ready(Ok(Endpoint::builder().url("http://embedded.invalid").build()))
    }
}

/// Requests that stay in this process need no signature, which costs more than many a read.
#[derive(Debug)]
struct Unsigned;

impl ResolveAuthScheme for Unsigned {
    fn resolve_auth_scheme<'a>(
        &'a self,
        _: &'a AuthParams,
        _: &'a ConfigBag,
        _: &'a RuntimeComponents,
    ) -> AuthSchemeOptionsFuture<'a> {
        let option = AuthSchemeOption::builder().scheme_id(AuthSchemeId::from("noAuth")).build();
        AuthSchemeOptionsFuture::ready(option.map(|option| vec![option]).map_err(Into::into))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
    use identety_domain::Timestamp;
    use identety_domain::keys::WrappedKey;
    use identety_domain::store::{Change, FailureStore as _, KeyStore as _};

    use super::*;
    use crate::{GrantTable, KeyTable, Tables, create_tables};

    async fn with_tables(embedded: &Embedded) -> Client {
        let client = embedded.client();
        create_tables(&client, &Tables::with_prefix("")).await.unwrap();
        client
    }

    #[tokio::test]
    async fn what_is_written_is_there_when_the_file_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("database");
        let key = WrappedKey("wrapped".into());
        {
            let client = with_tables(&Embedded::open(&path).unwrap()).await;
            let put = KeyTable::new(client, "keys").put_wrapped_key(&key).await.unwrap();
            assert_eq!(put, Change::Done);
        }
        let client = with_tables(&Embedded::open(&path).unwrap()).await;
        let loaded = KeyTable::new(client, "keys").load().await.unwrap();
        assert_eq!(loaded.wrapped_key, Some(key));
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("database");
        std::fs::write(&path, "This is no database, but long enough to be looked at. ".repeat(99))
            .unwrap();
        Embedded::open(&path).unwrap_err();
        Embedded::open(&folder.path().join("no folder/database")).unwrap_err();
    }

    #[tokio::test]
    async fn what_has_expired_is_forgotten_and_nothing_else() {
        let embedded = Embedded::in_memory().unwrap();
        let grants = GrantTable::new(with_tables(&embedded).await, "grants");
        #[expect(clippy::disallowed_methods, reason = "the sweep has no other clock")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (past, future) =
            (Timestamp::from_seconds(now - 60), Timestamp::from_seconds(now + 600));
        grants.count_failure("past", past).await.unwrap();
        grants.count_failure("future", future).await.unwrap();
        assert_eq!(embedded.forget_expired().unwrap(), 1);
        assert_eq!(grants.count_failure("past", past).await.unwrap(), 1);
        assert_eq!(grants.count_failure("future", future).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn an_operation_that_no_store_uses_is_refused() {
        let error = Embedded::in_memory().unwrap().client().list_tables().send().await.unwrap_err();
        assert_eq!(error.code(), Some("UnknownOperationException"));
    }

    #[tokio::test]
    async fn a_table_that_is_not_there_is_an_error_of_the_service() {
        let client = Embedded::in_memory().unwrap().client();
        let error = client.describe_table().table_name("missing").send().await.unwrap_err();
        assert_eq!(error.code(), Some("ResourceNotFoundException"));
    }
}
