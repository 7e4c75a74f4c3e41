//! Calls to a server, wherever it is, and their answers.

use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use identety_domain::PeerAddress;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tower::ServiceExt as _;

/// Where a server is.
#[derive(Clone)]
pub enum Server {
    /// In this process.
    Router(Router),
    /// At this address: `http://127.0.0.1:1234/prod`.
    Url(String),
}

/// A call that is being put together.
#[must_use]
pub struct Call {
    server: Server,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
    peer: String,
}

impl Server {
    /// A call of `method` at `path`, which may have a query.
    pub fn call(&self, method: Method, path: impl Into<String>) -> Call {
        Call {
            server: self.clone(),
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            peer: "192.0.2.1".to_owned(),
        }
    }

    /// GET.
    pub fn get(&self, path: impl Into<String>) -> Call {
        self.call(Method::GET, path)
    }

    /// POST.
    pub fn post(&self, path: impl Into<String>) -> Call {
        self.call(Method::POST, path)
    }
}

impl Call {
    /// Adds a header; one that is there already stays.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a header name");
        self.headers
            .append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header value"));
        self
    }

    /// `Authorization: Basic`, encoded as RFC 6749 §2.3.1 says.
    pub fn basic(self, id: &str, secret: &str) -> Self {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pair = STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
        self.header(AUTHORIZATION.as_str(), &format!("Basic {pair}"))
    }

    /// `Authorization: Bearer`.
    pub fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// A form.
    pub fn form(self, parameters: &[(&str, &str)]) -> Self {
        let pairs: Vec<_> = parameters
            .iter()
            .map(|(name, value)| {
                let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
                format!("{}={}", encode(name), encode(value))
            })
            .collect();
        self.body("application/x-www-form-urlencoded", pairs.join("&"))
    }

    /// A JSON body.
    pub fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// Any body.
    pub fn body(self, media_type: &str, body: impl Into<Bytes>) -> Self {
        let mut call = self.header(CONTENT_TYPE.as_str(), media_type);
        call.body = body.into();
        call
    }

    /// Where the call seems to come from; heeded only in this process.
    pub fn from(mut self, peer: &str) -> Self {
        peer.clone_into(&mut self.peer);
        self
    }

    /// Makes the call.
    pub async fn send(self) -> Answer {
        let response = match self.server.clone() {
            Server::Router(router) => {
                let peer = PeerAddress(self.peer.clone());
                let mut request = self.into_request("");
                request.extensions_mut().insert(peer);
                match router.oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
            Server::Url(base) => {
                let client = Client::builder(TokioExecutor::new()).build_http();
                client.request(self.into_request(&base)).await.expect("an answer").map(Body::new)
            }
        };
        Answer::of(response).await.expect("a body")
    }

    /// Makes the call by a client that keeps connections; `None` when no answer comes.
    pub async fn try_send(self, client: &Client<HttpConnector, Body>) -> Option<Answer> {
        let Server::Url(base) = self.server.clone() else { return Some(self.send().await) };
        let response = client.request(self.into_request(&base)).await.ok()?;
        Answer::of(response.map(Body::new)).await
    }

    fn into_request(self, base: &str) -> Request<Body> {
        let mut request = Request::new(Body::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = format!("{base}{}", self.path).parse::<Uri>().expect("a URI");
        *request.headers_mut() = self.headers;
        request
    }
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    async fn of(response: Response<Body>) -> Option<Self> {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        Some(Self { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A member of the body, as text; empty when it is not there.
    pub fn text(&self, member: &str) -> String {
        self.json().get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// A header's value; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Status and `error`: what a caller decides by.
    pub fn outcome(&self) -> (u16, String) {
        (self.status, self.text("error"))
    }

    /// The fields that a problem names.
    pub fn fields(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().filter_map(|error| error["field"].as_str().map(str::to_owned)).collect()
    }
}
