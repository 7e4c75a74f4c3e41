//! A DynamoDB for the unit tests that answers as it is told.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Builder, HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

use crate::config::{local_credentials, local_region};

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

/// The URIs of the requests that came.
pub(crate) type Requests = Arc<Mutex<Vec<String>>>;

/// A client whose requests, counted from 0, get the answers of `answer`.
pub(crate) fn answering(
    answer: impl Fn(usize) -> Answer + Send + Sync + 'static,
    configure: impl FnOnce(Builder) -> Builder,
) -> Client {
    let config = aws_sdk_dynamodb::Config::builder().region(local_region());
    answering_with(answer, configure(config)).0
}

/// The same with a given configuration, and with what was requested.
pub(crate) fn answering_with(
    answer: impl Fn(usize) -> Answer + Send + Sync + 'static,
    config: Builder,
) -> (Client, Requests) {
    let requests = Requests::default();
    let server = Server { answer: Arc::new(answer), requests: requests.clone() };
    let config = config.credentials_provider(local_credentials()).http_client(server);
    (Client::from_conf(config.build()), requests)
}

#[derive(Clone)]
struct Server {
    answer: Arc<dyn Fn(usize) -> Answer + Send + Sync>,
    requests: Requests,
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
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let number = {
            let mut requests = self.requests.lock().unwrap();
            requests.push(request.uri().to_owned());
            requests.len() - 1
        };
        match (self.answer)(number) {
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
