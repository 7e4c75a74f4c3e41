//! Which scripts may read an answer (Fetch §3.3). A preflight says nothing of the client, so it is answered
//! for any origin, without credentials; the answer itself may be read only from origins that the client
//! lists.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderValue, StatusCode};
use identety_domain::RequestContext;
use identety_domain::client::Client;

/// Lets scripts read the answer to `client`, if they are of an origin that it lists.
pub(crate) fn share(
    mut response: Response,
    context: &RequestContext,
    client: Option<&Client>,
) -> Response {
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    let (Some(origin), Some(client)) = (&context.headers.origin, client) else { return response };
    if client.metadata.allowed_cors_origins.contains(origin)
        && let Ok(origin) = HeaderValue::from_str(origin)
    {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("retry-after, www-authenticate, x-request-id"),
        );
    }
    response
}

/// `OPTIONS` of an endpoint for POST.
pub(crate) async fn preflight_post() -> Response {
    preflight("POST")
}

/// `OPTIONS` of an endpoint for GET and POST.
pub(crate) async fn preflight_get_and_post() -> Response {
    preflight("GET, POST")
}

fn preflight(methods: &'static str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
