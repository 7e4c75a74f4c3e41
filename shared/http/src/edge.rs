//! What surrounds every handler: the time, an id, the log line, panics, and the answers to paths and
//! methods that do not exist.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::{Extension, Router};
use futures_util::FutureExt as _;
use http::{HeaderValue, StatusCode};
use identety_domain::limits::PeerAddress;
use identety_domain::token::{OAuthErrorCode, PublicError};
use identety_domain::{Timestamp, id};

use crate::logging::{self, Line, Outcome, Reason};
use crate::problem::Problem;
use crate::{ambient, response};

/// Where the time comes from: [`ambient::now`], or what a test says.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// By which people ask for a log line.
#[derive(Clone, Debug)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// An id that somebody else has given the request.
    #[cfg(feature = "lambda")]
    pub(crate) fn given(id: &str) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What every handler is told beside the request. The time is read once, here.
#[derive(Clone, Debug)]
pub struct Context {
    /// The request's id.
    pub id: RequestId,
    /// The time of the request.
    pub now: Timestamp,
    /// Where it came from.
    pub peer: PeerAddress,
}

/// The id of the request in API Gateway's access log.
#[derive(Clone, Debug)]
pub(crate) struct ApiRequestId(pub(crate) String);

/// What the log hears beside the place of a panic.
pub const PANIC: &str = "panic in a handler";

/// Where the administration API begins; its errors are problem details.
const ADMIN: &str = "/admin";

/// Puts the edge around the routes of one function, or of all.
pub fn finish(routes: Router, clock: Clock) -> Router {
    let failed = |context: &Context| response::server_error(&context.id, PANIC);
    catch_panics(routes.fallback(not_found), failed)
        .layer(middleware::map_response(security_headers))
        .layer(middleware::from_fn_with_state(clock, observe))
}

/// Answers `failed` where a handler of `routes` panics. That is a defect, of which the caller hears no more
/// than an id to quote, and the process goes on; the log has been told the place.
///
/// [`finish`] does so with an OAuth error; routes of another form have this around them.
pub fn catch_panics<F>(routes: Router, failed: F) -> Router
where
    F: Fn(&Context) -> Response + Clone + Send + Sync + 'static,
{
    let catch = move |Extension(context): Extension<Context>, request: Request, next: Next| {
        let failed = failed.clone();
        async move {
            let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
            answered.unwrap_or_else(|_| failed(&context))
        }
    };
    routes.layer(middleware::from_fn(catch))
}

/// Gives the request its context and writes the log line of its answer.
async fn observe(State(clock): State<Clock>, mut request: Request, next: Next) -> Response {
    let started = clock();
    let extensions = request.extensions_mut();
    let id = extensions.remove::<RequestId>().unwrap_or_else(|| new_id(started));
    let api_request = extensions.remove::<ApiRequestId>();
    let peer = extensions.remove::<PeerAddress>();
    let peer = peer.unwrap_or_else(|| PeerAddress("unknown".to_owned()));
    extensions.insert(Context { id: id.clone(), now: started, peer });

    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let is_admin = is_admin(&request);
    let mut response = next.run(request).await;

    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response = method_not_allowed(&response, is_admin);
    }
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert("x-request-id", value);
    }
    let outcome = outcome_of(&mut response);
    let at = clock();
    logging::write(Line {
        at,
        request: &id.0,
        api_request: api_request.as_ref().map(|id| id.0.as_str()),
        method: &method,
        route: route.as_ref().map_or("unmatched", MatchedPath::as_str),
        status: response.status().as_u16(),
        duration: at.since(started),
        outcome: &outcome,
        store_retries: 0,
        cold_start: None,
    });
    response
}

fn new_id(now: Timestamp) -> RequestId {
    match ambient::rng() {
        Ok(mut rng) => RequestId(id::uuid_v7(now, &mut rng).to_string().into()),
        Err(_) => RequestId("none".into()),
    }
}

/// What the handler says of its answer. Of a refusal that nobody explains, the status is the reason.
fn outcome_of(response: &mut Response) -> Outcome {
    let status = response.status();
    let outcome = response.extensions_mut().remove::<Outcome>().unwrap_or_default();
    let is_refusal = status.is_client_error() || status.is_server_error();
    let reason = outcome.reason.or_else(|| is_refusal.then(|| Reason::of_status(status)));
    Outcome { reason, ..outcome }
}

async fn security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    if !headers.contains_key("cache-control") {
        headers.insert("cache-control", HeaderValue::from_static("no-store"));
    }
    response
}

fn is_admin(request: &Request) -> bool {
    request.uri().path().starts_with(ADMIN)
}

async fn not_found(request: Request) -> Response {
    error_for_path(is_admin(&request), StatusCode::NOT_FOUND, "there is nothing at this path")
}

/// Gives the router's 405 a body; its `Allow` header (RFC 9110 §15.5.6) stays.
fn method_not_allowed(original: &Response, is_admin: bool) -> Response {
    let mut response = error_for_path(
        is_admin,
        StatusCode::METHOD_NOT_ALLOWED,
        "the method is not allowed at this path",
    );
    if let Some(allow) = original.headers().get(http::header::ALLOW) {
        response.headers_mut().insert(http::header::ALLOW, allow.clone());
    }
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert("x-content-type-options", nosniff);
    response
}

fn error_for_path(is_admin: bool, status: StatusCode, detail: &'static str) -> Response {
    if is_admin {
        return Problem::new(status, detail).into_response();
    }
    let error = PublicError::new(OAuthErrorCode::InvalidRequest, detail);
    response::oauth_error_with_status(status, error, detail)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn answer(app: &Router, path: &str) -> (StatusCode, Vec<u8>) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert!(response.headers().contains_key("x-request-id"));
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["cache-control"], "no-store");
        (response.status(), response.into_body().collect().await.unwrap().to_bytes().to_vec())
    }

    #[tokio::test]
    async fn a_panic_is_a_500_in_json_and_the_next_request_is_answered() {
        let routes = Router::new()
            .route("/panic", get(|| async { panic!("a secret cause") as () }))
            .route("/fine", get(|| async { "fine" }));
        let app = finish(routes, Arc::new(ambient::now));
        let (status, body) = answer(&app, "/panic").await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains(r#""error":"server_error""#), "{body}");
        assert!(body.contains("please quote the request id"), "{body}");
        assert!(!body.contains("secret"), "{body}");
        assert_eq!(answer(&app, "/fine").await, (StatusCode::OK, b"fine".to_vec()));
    }
}
