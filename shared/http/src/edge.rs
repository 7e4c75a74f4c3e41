//! What surrounds every handler: the time, an id, the log line, panics, and the answers to paths and
//! methods that do not exist.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use http::header::{ALLOW, HeaderName};
use http::{HeaderValue, StatusCode};
use identety_domain::{
    ErrorCode, Outcome, PeerAddress, PublicError, RequestContext, RequestId, Timestamp, id,
};

use crate::ambient::{self, NoRandomness};
use crate::context::{self, HeldContext, SharedContext};
use crate::logging::{self, Line, reason};
use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::response;

/// Where the time comes from: [`ambient::now`], or what a test says.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The id of the request in API Gateway's access log.
#[derive(Clone, Debug)]
pub(crate) struct ApiRequestId(pub(crate) String);

/// What the log hears beside the place of a panic.
pub const PANIC: &str = "panic in a handler";

/// Where the administration API begins; its errors are problem details.
const ADMIN: &str = "/admin";

/// Puts the edge around the routes of one function, or of all.
pub fn finish(routes: Router, clock: Clock) -> Router {
    let failed = |context: &mut RequestContext| Refusal::server_error(PANIC).into_response(context);
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
    F: Fn(&mut RequestContext) -> Response + Clone + Send + Sync + 'static,
{
    let catch = move |request: Request, next: Next| {
        let (failed, extensions) = (failed.clone(), request.extensions().clone());
        async move {
            let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
            // The handler that panicked has let go of the context.
            answered.unwrap_or_else(|_| match HeldContext::of(&extensions) {
                Ok(mut context) => failed(&mut context),
                Err(none) => none.into_response(),
            })
        }
    };
    routes.layer(middleware::from_fn(catch))
}

/// Gives the request its context, and writes the log line of its answer.
async fn observe(State(clock): State<Clock>, mut request: Request, next: Next) -> Response {
    let started = clock();
    let api_request = request.extensions_mut().remove::<ApiRequestId>();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let is_admin = is_admin(request.uri().path());
    let context = match context_of(&mut request, started) {
        Ok(context) => SharedContext::new(context),
        Err(NoRandomness) => return unanswerable(),
    };
    request.extensions_mut().insert(context.clone());

    let mut response = next.run(request).await;

    // The handler has given it back, or was dropped.
    let Some(mut context) = context.lend() else { return unanswerable() };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response = method_not_allowed(&response, is_admin, &mut context);
    }
    if let Ok(value) = HeaderValue::from_str(context.id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let at = clock();
    let RequestContext { id, method, outcome, .. } = &*context;
    logging::write(Line {
        at,
        request: id.as_str(),
        api_request: api_request.as_ref().map(|id| id.0.as_str()),
        method,
        route: route.as_ref().map_or("unmatched", MatchedPath::as_str),
        status: response.status().as_u16(),
        duration: at.since(started),
        outcome: &explained(outcome, response.status()),
        store_retries: 0,
        cold_start: None,
    });
    response
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What every step of the request is told. A request that came through no gateway gets an id here.
fn context_of(request: &mut Request, now: Timestamp) -> Result<RequestContext, NoRandomness> {
    let mut rng = ambient::rng()?;
    let extensions = request.extensions_mut();
    let id = extensions.remove::<RequestId>();
    let id = id.unwrap_or_else(|| RequestId::new(&id::uuid_v7(now, &mut rng).to_string()));
    let peer = extensions.remove::<PeerAddress>();
    Ok(RequestContext {
        id,
        now,
        peer: peer.unwrap_or_else(|| PeerAddress("unknown".to_owned())),
        method: request.method().as_str().to_owned(),
        path: request.uri().path().to_owned(),
        headers: context::headers(request.headers()),
        rng: Box::new(rng),
        outcome: Outcome::default(),
    })
}

/// Without randomness no identifier can be made, and nothing can be answered safely.
fn unanswerable() -> Response {
    tracing::error!("a request has no context: no randomness, or a handler that keeps it");
    let body = r#"{"error":"server_error","error_description":"the server failed"}"#;
    response::with_body(StatusCode::INTERNAL_SERVER_ERROR, response::JSON, body)
}

/// The outcome for the log. Where no step explains a refusal, the status is the reason.
fn explained(outcome: &Outcome, status: StatusCode) -> Outcome {
    let is_refusal = status.is_client_error() || status.is_server_error();
    let reason = outcome.reason.or_else(|| is_refusal.then(|| reason::of_status(status)));
    Outcome { reason, ..outcome.clone() }
}

async fn security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    if !headers.contains_key("cache-control") {
        headers.insert("cache-control", HeaderValue::from_static("no-store"));
    }
    response
}

fn is_admin(path: &str) -> bool {
    path.starts_with(ADMIN)
}

async fn not_found(mut context: HeldContext) -> Response {
    let is_admin = is_admin(&context.path);
    refuse(is_admin, StatusCode::NOT_FOUND, "there is nothing at this path", &mut context)
}

/// Gives the router's 405 a body; its `Allow` header (RFC 9110 §15.5.6) stays.
fn method_not_allowed(
    original: &Response,
    is_admin: bool,
    context: &mut RequestContext,
) -> Response {
    let detail = "the method is not allowed at this path";
    let mut response = refuse(is_admin, StatusCode::METHOD_NOT_ALLOWED, detail, context);
    if let Some(allow) = original.headers().get(ALLOW) {
        response.headers_mut().insert(ALLOW, allow.clone());
    }
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert("x-content-type-options", nosniff);
    response
}

/// A refusal in the form of its part of the server.
fn refuse(
    is_admin: bool,
    status: StatusCode,
    detail: &'static str,
    context: &mut RequestContext,
) -> Response {
    if is_admin {
        return Problem::new(status, detail).into_response(context);
    }
    let error = PublicError::new(ErrorCode::InvalidRequest, detail);
    Refusal::with_status(status, error, detail).into_response(context)
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
