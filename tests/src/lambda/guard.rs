//! A DynamoDB, or a KMS, that does for a function what its role allows, and nothing else. It remembers what it
//! was asked.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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

/// A loopback port before a DynamoDB or a KMS.
pub struct Guard {
    server: Server,
    post: Arc<Post>,
}

struct Post {
    role: Role,
    /// What the tables and keys are called, and what the template calls them.
    resources: Vec<(String, String)>,
    service: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    asked: Mutex<Asked>,
}

/// What was asked for, in that order.
#[derive(Default)]
struct Asked {
    allowed: Vec<Access>,
    refused: Vec<Access>,
}

impl Guard {
    /// Stands before `service`, whose `resources` (tables or keys) are named with their logical ids.
    ///
    /// # Errors
    ///
    /// When no loopback port can be had.
    pub async fn start(
        role: Role,
        resources: Vec<(String, String)>,
        service: SocketAddr,
    ) -> io::Result<Self> {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let asked = Mutex::default();
        let post = Arc::new(Post { role, resources, service, client, asked });
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
        self.post.asked().refused.clone()
    }

    /// What was asked for and allowed so far.
    #[must_use]
    pub fn uses(&self) -> Vec<Access> {
        self.post.asked().allowed.clone()
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> &Role {
        &self.post.role
    }
}

impl Post {
    async fn answer(&self, parts: Parts, body: Bytes) -> Reply {
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let (service, operation) =
            target.and_then(|target| target.split_once('.')).unwrap_or_default();
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        let accesses = match service {
            "TrentService" => Access::of_kms(operation, &request, |key| self.logical_id(key)),
            _ => Access::of(operation, &request, |table| self.logical_id(table)),
        };
        if let Some(access) = accesses.iter().find(|access| !self.role.allows(access)) {
            return self.refuse(access.clone());
        }
        self.asked().allowed.extend(accesses);
        self.forward(parts, body).await.unwrap_or_else(status)
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn logical_id(&self, resource: &str) -> String {
        let found = self.resources.iter().find(|(name, _)| name == resource);
        found.map_or_else(|| resource.to_owned(), |(_, logical_id)| logical_id.clone())
    }

    fn refuse(&self, access: Access) -> Reply {
        let message = format!("User is not authorized to perform: {}", access.action);
        self.asked().refused.push(access);
        let kind = "com.amazon.coral.service#AccessDeniedException";
        let body = json!({"__type": kind, "Message": message}).to_string();
        let mut reply = Response::new(Full::from(body));
        *reply.status_mut() = StatusCode::BAD_REQUEST;
        reply
    }

    async fn forward(&self, parts: Parts, body: Bytes) -> Result<Reply, StatusCode> {
        let gone = |_| StatusCode::BAD_GATEWAY;
        let mut request = http::Request::from_parts(parts, Full::new(body));
        let uri = format!("http://{}/", self.service).parse::<Uri>();
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
