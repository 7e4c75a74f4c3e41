//! A DynamoDB that does for a function what its role allows, and nothing else.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{Response, StatusCode, Uri, request::Parts};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

use super::{
    role::{Access, Role},
    server::{Reply, Server},
};

/// A loopback port before a DynamoDB.
pub struct Guard {
    server: Server,
    post: Arc<Post>,
}

struct Post {
    role: Role,
    /// What the tables are called, and what the template calls them.
    tables: Vec<(String, String)>,
    dynamodb: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    refusals: Mutex<Vec<Access>>,
}

impl Guard {
    /// Stands before `dynamodb`, whose `tables` are named with their logical ids.
    ///
    /// # Errors
    ///
    /// When no loopback port can be had.
    pub async fn start(
        role: Role,
        tables: Vec<(String, String)>,
        dynamodb: SocketAddr,
    ) -> io::Result<Self> {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let post = Arc::new(Post { role, tables, dynamodb, client, refusals: Mutex::default() });
        let shared = Arc::clone(&post);
        let server = Server::start(move |_, request| {
            let post = Arc::clone(&shared);
            async move {
                let (parts, body) = request.into_parts();
                match body.collect().await {
                    Ok(body) => post.answer(parts, body.to_bytes()).await,
                    Err(_) => status(StatusCode::BAD_REQUEST),
                }
            }
        });
        Ok(Self { server: server.await?, post })
    }

    /// The URL, as an endpoint of AWS.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What was asked for and not allowed.
    #[must_use]
    pub fn refusals(&self) -> Vec<Access> {
        self.post.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Post {
    async fn answer(&self, parts: Parts, body: Bytes) -> Reply {
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.split('.').nth(1)).unwrap_or_default();
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        let accesses = Access::of(operation, &request, |table| self.logical_id(table));
        match accesses.into_iter().find(|access| !self.role.allows(access)) {
            Some(access) => self.refuse(access),
            None => self.forward(parts, body).await.unwrap_or_else(status),
        }
    }

    fn logical_id(&self, table: &str) -> String {
        let found = self.tables.iter().find(|(name, _)| name == table);
        found.map_or_else(|| table.to_owned(), |(_, logical_id)| logical_id.clone())
    }

    fn refuse(&self, access: Access) -> Reply {
        let message = format!("User is not authorized to perform: {}", access.action);
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).push(access);
        let kind = "com.amazon.coral.service#AccessDeniedException";
        let body = json!({"__type": kind, "Message": message}).to_string();
        let mut reply = Response::new(Full::from(body));
        *reply.status_mut() = StatusCode::BAD_REQUEST;
        reply
    }

    async fn forward(&self, parts: Parts, body: Bytes) -> Result<Reply, StatusCode> {
        let gone = |_| StatusCode::BAD_GATEWAY;
        let mut request = http::Request::from_parts(parts, Full::new(body));
        let uri = format!("http://{}/", self.dynamodb).parse::<Uri>();
        *request.uri_mut() = uri.map_err(|_| StatusCode::BAD_GATEWAY)?;
        let answer = self.client.request(request).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
        let (mut parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(gone)?.to_bytes();
        parts.headers.remove(http::header::TRANSFER_ENCODING);
        Ok(Response::from_parts(parts, Full::new(body)))
    }
}

fn status(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = status;
    reply
}
