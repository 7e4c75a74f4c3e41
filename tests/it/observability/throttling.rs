//! A DynamoDB that throttles the first attempts of each request, before the real one.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;

#[derive(Clone)]
struct Throttling {
    attempts: u32,
    dynamodb: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// Stands before `dynamodb`, at the URL that this gives back.
pub(super) async fn start(attempts: u32, dynamodb: SocketAddr) -> String {
    let throttling = Throttling {
        attempts,
        dynamodb,
        client: Client::builder(TokioExecutor::new()).build_http(),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let throttling = throttling.clone();
            let service = hyper::service::service_fn(move |request| {
                let throttling = throttling.clone();
                async move { throttling.answer(request).await }
            });
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
        }
    });
    format!("http://{address}")
}

impl Throttling {
    /// Which attempt of the SDK this is.
    fn attempt(headers: &HeaderMap) -> u32 {
        let info = headers["amz-sdk-request"].to_str().unwrap();
        let attempt = info.split("; ").find_map(|pair| pair.strip_prefix("attempt="));
        attempt.unwrap().parse().unwrap()
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, hyper_util::client::legacy::Error> {
        if Self::attempt(request.headers()) <= self.attempts {
            let kind = "com.amazonaws.dynamodb.v20120810#ThrottlingException";
            let body = json!({"__type": kind, "message": "slow down"}).to_string();
            let mut answer = Response::new(Full::from(body));
            *answer.status_mut() = http::StatusCode::BAD_REQUEST;
            return Ok(answer);
        }
        let (mut parts, body) = request.into_parts();
        parts.uri = format!("http://{}/", self.dynamodb).parse().unwrap();
        let body = Full::from(body.collect().await.unwrap().to_bytes());
        let answer = self.client.request(Request::from_parts(parts, body)).await?;
        let (mut parts, body) = answer.into_parts();
        parts.headers.remove(http::header::TRANSFER_ENCODING);
        let body = Full::from(body.collect().await.unwrap().to_bytes());
        Ok(Response::from_parts(parts, body))
    }
}
