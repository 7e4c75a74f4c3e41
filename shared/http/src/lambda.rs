//! The front door of Lambda: events of an API Gateway HTTP API (payload format 2.0) become requests.

use std::sync::Arc;

use axum::Router;
use http::Uri;
use http::uri::PathAndQuery;
use identety_domain::limits::PeerAddress;
use lambda_http::request::RequestContext;
use lambda_http::{Error, Request, RequestExt as _};
use tower::ServiceBuilder;

use crate::edge;
use crate::{ambient, environment, logging};

/// Starts the log of a function: JSON, at the level of `IDENTETY_LOG` or `info`.
pub fn start_log() {
    let level = environment::optional("IDENTETY_LOG").unwrap_or_else(|| "info".to_owned());
    logging::init(logging::Format::Json, &level);
}

/// Answers events with `routes` until the process is ended.
///
/// # Errors
/// When the Runtime API is out of reach.
pub async fn run(routes: Router) -> Result<(), Error> {
    let app = edge::finish(routes, Arc::new(ambient::now));
    lambda_http::run(ServiceBuilder::new().map_request(from_gateway).service(app)).await
}

/// Takes the caller's address from the event, and the stage's name off the path.
fn from_gateway(mut request: Request) -> Request {
    let context = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            Some((context.stage.clone(), context.http.source_ip.clone()))
        }
        _ => None,
    };
    let Some((stage, source_ip)) = context else { return request };
    if let Some(address) = source_ip {
        request.extensions_mut().insert(PeerAddress(address));
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
    use rstest::rstest;

    use super::*;

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
