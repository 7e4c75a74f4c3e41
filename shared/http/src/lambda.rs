//! The front door of Lambda: events of an API Gateway HTTP API (payload format 2.0) become requests.

use std::error::Error;
use std::fmt;
use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use http::header::STRICT_TRANSPORT_SECURITY;
use http::uri::PathAndQuery;
use http::{HeaderValue, Uri};
use identety_domain::{PeerAddress, RequestId};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt as _};
use tower::util::MapRequest;

use crate::edge::{self, ApiRequestId};
use crate::logging::{self, Format, Function, FunctionLog};
use crate::{ambient, environment};

/// Starts the log of a function: JSON, at the level of `IDENTETY_LOG` or `info`. With a namespace in
/// `IDENTETY_METRICS` its lines are metrics too. `take_store_retries` tells how often the store was asked
/// again since it was called last.
pub fn start_log(function: Function, take_store_retries: fn() -> u64) {
    let level = environment::optional("IDENTETY_LOG").unwrap_or_else(|| "info".to_owned());
    let namespace = environment::optional("IDENTETY_METRICS");
    let started = ambient::now();
    let log = FunctionLog { function, namespace, take_store_retries, started };
    logging::init(Format::Json(log), &level);
}

/// Answers events with `routes` until the process is ended.
///
/// # Errors
/// When the environment is wrong, or the Runtime API out of reach.
pub async fn run(routes: Router) -> Result<(), StartError> {
    let includes_subdomains = environment::is_set("IDENTETY_HSTS_INCLUDE_SUB_DOMAINS")?;
    let app = only_https(edge::finish(routes, Arc::new(ambient::now)), includes_subdomains);
    logging::started();
    Ok(lambda_http::run(door(app)).await?)
}

/// Why a function does not start. Returned by `main`, it is one line that a person can read.
pub struct StartError(Box<dyn Error + Send + Sync>);

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for StartError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// API Gateway answers to https alone: browsers are told to ask for nothing else (RFC 6797 §6.1), for two years.
/// That holds for the names below this one only where the deployment says so, since others may run these.
fn only_https(app: Router, includes_subdomains: bool) -> Router {
    let policy = HeaderValue::from_static(if includes_subdomains {
        "max-age=63072000; includeSubDomains"
    } else {
        "max-age=63072000"
    });
    app.layer(map_response(move |mut response: Response| {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, policy.clone());
        ready(response)
    }))
}

/// What takes the requests of [`lambda_http`] to a router.
pub type Door = MapRequest<Router, fn(Request) -> Request>;

/// The way from an event to a router, for the runtime, or for somebody who has events of their own.
#[must_use]
pub fn door(app: Router) -> Door {
    MapRequest::new(app, from_gateway)
}

/// Takes the caller's address and the request's ids from the event, and the stage's name off the path.
fn from_gateway(mut request: Request) -> Request {
    // Lambda's own id, so that our line and Lambda's lines about the same invocation have one.
    let invocation =
        request.lambda_context_ref().map(|context| RequestId::new(&context.request_id));
    if let Some(id) = invocation {
        request.extensions_mut().insert(id);
    }
    let context = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            let source_ip = context.http.source_ip.clone();
            Some((context.stage.clone(), source_ip, context.request_id.clone()))
        }
        _ => None,
    };
    let Some((stage, source_ip, id)) = context else { return request };
    if let Some(address) = source_ip {
        request.extensions_mut().insert(PeerAddress(address));
    }
    if let Some(id) = id {
        request.extensions_mut().insert(ApiRequestId(id));
    }
    let stage = stage.filter(|stage| stage != "$default");
    if let Some(uri) = stage.and_then(|stage| without_stage(request.uri(), &stage)) {
        *request.uri_mut() = uri;
    }
    request
}

/// `/prod/oauth2/token` in stage `prod` is `/oauth2/token`.
fn without_stage(uri: &Uri, stage: &str) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix('/')?.strip_prefix(stage)?;
    if !rest.starts_with('/') {
        return None;
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use http::header::{COOKIE, SET_COOKIE};
    use http::{HeaderMap, HeaderValue};
    use lambda_http::request::LambdaRequest;
    use lambda_http::{Adapter, Context, LambdaEvent, Service as _};
    use rstest::rstest;
    use serde_json::{Value, json};

    use tower::ServiceBuilder;

    use super::*;

    /// What `routes` answer to a GET of `/` with this `cookies` member.
    async fn answer(routes: Router, cookies: Value) -> Value {
        let mut event = json!({
            "version": "2.0", "routeKey": "ANY /", "rawPath": "/", "rawQueryString": "",
            "headers": {"accept": "*/*"}, "isBase64Encoded": false,
            "requestContext": {"stage": "$default", "http": {"method": "GET", "path": "/"}},
        });
        if !cookies.is_null() {
            event["cookies"] = cookies;
        }
        let event: LambdaRequest = serde_json::from_value(event).unwrap();
        let service = ServiceBuilder::new().map_request(from_gateway).service(routes);
        let answer = Adapter::from(service).call(LambdaEvent::new(event, Context::default()));
        serde_json::to_value(answer.await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn every_cookie_of_an_answer_reaches_the_gateway() {
        let both = || async {
            let mut headers = HeaderMap::new();
            headers.append(SET_COOKIE, HeaderValue::from_static("a=1; Path=/"));
            let mut second = HeaderValue::from_static("b=2; Path=/");
            second.set_sensitive(true);
            headers.append(SET_COOKIE, second);
            headers
        };
        let answer = answer(Router::new().route("/", get(both)), Value::Null).await;
        assert_eq!(answer["cookies"], json!(["a=1; Path=/", "b=2; Path=/"]));
        assert_eq!(answer["headers"].get("set-cookie"), None);
    }

    #[rstest]
    #[case(false, "max-age=63072000")]
    #[case(true, "max-age=63072000; includeSubDomains")]
    #[tokio::test]
    async fn browsers_are_told_to_ask_by_https_alone_whatever_the_answer_is(
        #[case] includes_subdomains: bool,
        #[case] policy: &str,
    ) {
        let app = edge::finish(Router::new(), Arc::new(ambient::now));
        let answer = answer(only_https(app, includes_subdomains), Value::Null).await;
        assert_eq!(answer["statusCode"], 404);
        assert_eq!(answer["headers"]["strict-transport-security"], policy);
    }

    #[rstest]
    #[case(json!(["a=1", "b=x=y"]), "a=1; b=x=y")]
    #[case(json!([]), "")]
    #[case(Value::Null, "")]
    #[tokio::test]
    async fn every_cookie_of_an_event_reaches_the_handler(
        #[case] cookies: Value,
        #[case] expected: &str,
    ) {
        let echo = |headers: HeaderMap| async move {
            let cookies = headers.get_all(COOKIE).iter().map(|line| line.to_str().unwrap());
            cookies.collect::<Vec<_>>().join("|")
        };
        let answer = answer(Router::new().route("/", get(echo)), cookies).await;
        assert_eq!(answer["body"].as_str().unwrap_or_default(), expected);
    }

    #[rstest]
    #[case("/prod/oauth2/token", Some("/oauth2/token"))]
    #[case("/prod/oauth2/token?a=/prod/", Some("/oauth2/token?a=/prod/"))]
    #[case("https://x.example/prod/a", Some("https://x.example/a"))]
    #[case("/production/oauth2/token", None)]
    #[case("/oauth2/token", None)]
    fn the_stage_is_taken_off_the_path(#[case] uri: &str, #[case] expected: Option<&str>) {
        let without = without_stage(&uri.parse().unwrap(), "prod");
        assert_eq!(without.map(|uri| uri.to_string()).as_deref(), expected);
    }
}
