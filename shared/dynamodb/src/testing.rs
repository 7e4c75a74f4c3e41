//! A DynamoDB for the unit tests that answers as it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Builder, Credentials, HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

use crate::config::local_region;

/// What happens to a request.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// A status and a body.
    Json(u16, &'static str),
    /// The connection breaks.
    Lost,
    /// Nothing, ever.
    Never,
}

/// A client whose requests, counted from 0, get the answers of `answer`; and how many there were.
pub(crate) fn answering(
    answer: impl Fn(usize) -> Answer + Send + Sync + 'static,
    configure: impl FnOnce(Builder) -> Builder,
) -> (Client, impl Fn() -> usize) {
    let requests = Arc::new(AtomicUsize::new(0));
    let server = Server { answer: Arc::new(answer), requests: requests.clone() };
    let credentials = Credentials::new("local", "local", None, None, "local");
    let config = aws_sdk_dynamodb::Config::builder()
        .region(local_region())
        .credentials_provider(credentials)
        .http_client(server);
    (Client::from_conf(configure(config).build()), move || requests.load(SeqCst))
}

#[derive(Clone)]
struct Server {
    answer: Arc<dyn Fn(usize) -> Answer + Send + Sync>,
    requests: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl HttpClient for Server {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Server {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        match (self.answer)(self.requests.fetch_add(1, SeqCst)) {
            Answer::Json(status, body) => HttpConnectorFuture::ready(Ok(HttpResponse::new(
                status.try_into().unwrap(),
                SdkBody::from(body),
            ))),
            Answer::Lost => HttpConnectorFuture::ready(Err(lost())),
            Answer::Never => HttpConnectorFuture::new(std::future::pending()),
        }
    }
}

/// A connection that broke before the answer came.
pub(crate) fn lost() -> ConnectorError {
    ConnectorError::io("the answer was lost".into())
}
