//! The HTTP side of an API Gateway HTTP API.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use serde_json::Value;

use super::{
    InvocationError, RunningFunction,
    event::{Receipt, Stage, event, raw_path},
    now,
    routes::Routes,
    server::{Reply, Server},
};

/// The largest body that the gateway takes.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// An HTTP API on a loopback port.
pub struct Gateway {
    api: Arc<Api>,
    server: Server,
}

struct Api {
    routes: Routes,
    stage: Stage,
    functions: RwLock<HashMap<String, Arc<RunningFunction>>>,
    failures: Mutex<Vec<InvocationError>>,
    count: AtomicU64,
}

impl Gateway {
    /// Opens the API. Its functions are [attached](Self::attach) once they run, for which they may
    /// have to know its address.
    ///
    /// # Errors
    ///
    /// When no loopback port can be had.
    pub async fn start(routes: Routes, stage: Stage) -> io::Result<Self> {
        let api = Arc::new(Api {
            routes,
            stage,
            functions: RwLock::default(),
            failures: Mutex::default(),
            count: AtomicU64::new(0),
        });
        let shared = Arc::clone(&api);
        let answer = move |peer, request| Arc::clone(&shared).answer(peer, request);
        let server = Server::start(answer).await?;
        Ok(Self { api, server })
    }

    /// Puts the function behind the routes whose integration leads to the package. Until then they
    /// answer 500.
    pub fn attach(&self, package: impl Into<String>, function: Arc<RunningFunction>) {
        let mut functions = self.api.functions.write().unwrap_or_else(PoisonError::into_inner);
        functions.insert(package.into(), function);
    }

    /// The URL of a path (`""` or one that starts with a slash), with the stage's prefix.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.server.address(), self.api.stage.prefix())
    }

    /// The routes.
    #[must_use]
    pub fn routes(&self) -> &Routes {
        &self.api.routes
    }

    /// Why functions have failed so far, each of which the client saw as a bare 500 or 503.
    #[must_use]
    pub fn failures(&self) -> Vec<InvocationError> {
        self.api.failures().clone()
    }

    /// The port's address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

impl Api {
    async fn answer(self: Arc<Self>, peer: SocketAddr, request: Request<Incoming>) -> Reply {
        let request_id = format!("{:015x}=", self.count.fetch_add(1, Ordering::Relaxed));
        let receipt = Receipt { source_ip: peer.ip(), time: now(), request_id };
        let mut reply = match self.invoke(request, &receipt).await {
            Ok(answer) => {
                reply(&answer).unwrap_or_else(|| refusal(StatusCode::INTERNAL_SERVER_ERROR))
            }
            Err(status) => refusal(status),
        };
        if let Ok(id) = HeaderValue::from_str(&receipt.request_id) {
            reply.headers_mut().insert("apigw-requestid", id);
        }
        reply
    }

    async fn invoke(
        &self,
        request: Request<Incoming>,
        receipt: &Receipt,
    ) -> Result<Value, StatusCode> {
        let (parts, body) = request.into_parts();
        let body = read(body).await.ok_or(StatusCode::PAYLOAD_TOO_LARGE)?;
        let path = raw_path(parts.uri.path()).ok_or(StatusCode::BAD_REQUEST)?;
        let path = self.stage.route_path(&path).ok_or(StatusCode::NOT_FOUND)?;
        let matched = self.routes.choose(&parts.method, path).ok_or(StatusCode::NOT_FOUND)?;
        let function = self.function(&matched.package).ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
        let event = event(&parts, &body, &self.stage, &matched, receipt);
        function.invoke(&event).await.map_err(|error| {
            let status = match error {
                InvocationError::TimedOut(_) => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            self.failures().push(error);
            status
        })
    }

    fn failures(&self) -> MutexGuard<'_, Vec<InvocationError>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn function(&self, package: &str) -> Option<Arc<RunningFunction>> {
        let functions = self.functions.read().unwrap_or_else(PoisonError::into_inner);
        functions.get(package).cloned()
    }
}

/// The whole body, unless it is (or says that it is) too large.
async fn read(body: Incoming) -> Option<Bytes> {
    let announced = usize::try_from(body.size_hint().lower()).ok()?;
    if announced > LARGEST_BODY {
        return None;
    }
    let body = Limited::new(body, LARGEST_BODY).collect().await.ok()?;
    Some(body.to_bytes())
}

/// The gateway's own answer, such as `{"message":"Not Found"}`.
fn refusal(status: StatusCode) -> Reply {
    let message = match status {
        StatusCode::PAYLOAD_TOO_LARGE => Some("Request Entity Too Large"),
        status => status.canonical_reason(),
    };
    let mut reply = json_reply(&serde_json::json!({ "message": message }));
    *reply.status_mut() = status;
    reply
}

fn json_reply(value: &Value) -> Reply {
    let mut reply = Response::new(Full::from(value.to_string()));
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(header::CONTENT_TYPE, json);
    reply
}

/// The HTTP response that the function's answer stands for; nothing if it makes no sense.
fn reply(answer: &Value) -> Option<Reply> {
    let Some(status) = answer.get("statusCode") else {
        // Format 2.0 takes an answer without a status for the body of a good one.
        return Some(json_reply(answer));
    };
    let status = u16::try_from(status.as_u64()?).ok()?;
    let mut reply = Response::builder().status(status);
    let headers = answer.get("headers").and_then(Value::as_object);
    for (name, value) in headers.into_iter().flatten() {
        if !name.eq_ignore_ascii_case("transfer-encoding") {
            reply = reply.header(name, plain(value));
        }
    }
    let cookies = answer.get("cookies").and_then(Value::as_array);
    for cookie in cookies.into_iter().flatten() {
        reply = reply.header(header::SET_COOKIE, plain(cookie));
    }
    let body = answer.get("body").and_then(Value::as_str).unwrap_or_default();
    let body: Bytes = match answer.get("isBase64Encoded") {
        Some(Value::Bool(true)) => BASE64_STANDARD.decode(body).ok()?.into(),
        _ => body.to_owned().into(),
    };
    reply.body(Full::new(body)).ok()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_cookie_of_an_answer_is_a_header_of_its_own() {
        let answer = json!({
            "statusCode": 303, "headers": {"location": "https://example.com/"},
            "cookies": ["a=1; Path=/; HttpOnly", "b=2; Path=/; Max-Age=0"],
        });
        let reply = reply(&answer).unwrap();
        assert_eq!(reply.status(), 303);
        assert_eq!(reply.headers()["location"], "https://example.com/");
        let cookies: Vec<_> = reply.headers().get_all(header::SET_COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; Path=/; HttpOnly", "b=2; Path=/; Max-Age=0"]);
    }

    #[test]
    fn an_answer_without_cookies_sets_none() {
        for answer in [json!({"statusCode": 200}), json!({"statusCode": 200, "cookies": []})] {
            assert!(!reply(&answer).unwrap().headers().contains_key(header::SET_COOKIE));
        }
    }
}
