//! The context of a request: made once at the edge, and lent to one handler at a time.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName, StatusCode};
use identety_domain::{RequestContext, RequestHeaders};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The context as the edge holds it while the handlers work.
#[derive(Clone)]
pub(crate) struct SharedContext(Arc<Mutex<RequestContext>>);

impl SharedContext {
    /// Takes the context of a request.
    pub(crate) fn new(context: RequestContext) -> Self {
        Self(Arc::new(Mutex::new(context)))
    }

    /// Lends it. A handler holds it until it has answered, and no two handlers answer at once, so none has to wait.
    pub(crate) fn lend(&self) -> Option<HeldContext> {
        self.0.clone().try_lock_owned().ok().map(HeldContext)
    }
}

/// The context of a request in the hands of its handler, which gives it back when it has answered.
pub struct HeldContext(OwnedMutexGuard<RequestContext>);

impl HeldContext {
    /// The context of the request with these extensions.
    ///
    /// # Errors
    /// Where another handler holds it, or the request has not passed the edge: a defect.
    pub fn of(extensions: &Extensions) -> Result<Self, NoContext> {
        extensions.get::<SharedContext>().and_then(SharedContext::lend).ok_or(NoContext)
    }
}

/// A request without context: a defect.
#[derive(Clone, Copy, Debug)]
pub struct NoContext;

impl IntoResponse for NoContext {
    /// 500.
    fn into_response(self) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for HeldContext {
    type Rejection = NoContext;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoContext> {
        Self::of(&parts.extensions)
    }
}

impl Deref for HeldContext {
    type Target = RequestContext;

    fn deref(&self) -> &RequestContext {
        &self.0
    }
}

impl DerefMut for HeldContext {
    fn deref_mut(&mut self) -> &mut RequestContext {
        &mut self.0
    }
}

/// The headers that rules read.
pub(crate) fn headers(headers: &HeaderMap) -> RequestHeaders {
    let only = |name: HeaderName| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok().map(str::to_owned),
            (_, Some(_)) | (None, None) => None,
        }
    };
    RequestHeaders {
        origin: only(http::header::ORIGIN),
        user_agent: only(http::header::USER_AGENT),
        sec_fetch_site: only(HeaderName::from_static("sec-fetch-site")),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use identety_domain::{Outcome, PeerAddress, RequestId, Timestamp};

    use super::*;
    use crate::ambient;

    /// A context of no request.
    pub(crate) fn context() -> RequestContext {
        RequestContext {
            id: RequestId::new("id"),
            now: Timestamp::from_seconds(1000),
            peer: PeerAddress("192.0.2.1".to_owned()),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            headers: RequestHeaders::default(),
            rng: Box::new(ambient::rng().unwrap()),
            outcome: Outcome::default(),
        }
    }

    #[test]
    fn two_handlers_never_hold_the_same_context() {
        let shared = SharedContext::new(context());
        let held = shared.lend().unwrap();
        assert!(shared.lend().is_none());
        drop(held);
        assert!(shared.lend().is_some());
    }

    #[test]
    fn a_header_that_comes_twice_is_read_by_no_rule() {
        let mut map = HeaderMap::new();
        map.append("origin", "https://app.example.com".parse().unwrap());
        assert_eq!(headers(&map).origin.as_deref(), Some("https://app.example.com"));
        map.append("origin", "https://other.example.com".parse().unwrap());
        assert_eq!(headers(&map).origin, None);
    }
}
