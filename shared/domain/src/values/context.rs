//! A request, as the rules see it.

use std::fmt;
use std::sync::Arc;

use rand_core::CryptoRng;

use super::{Outcome, PeerAddress, Timestamp};

/// Names a request in the log and in the answer to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Takes an id.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The headers that a rule reads, beside those of credentials and cookies, each only if it is text and comes once.
#[derive(Clone, Debug, Default)]
pub struct RequestHeaders {
    /// `Origin` (RFC 6454 §7).
    pub origin: Option<String>,
    /// `User-Agent` (RFC 9110 §10.1.5).
    pub user_agent: Option<String>,
    /// `Sec-Fetch-Site` (Fetch Metadata §2.4): how the page that sends the request is related to this server.
    pub sec_fetch_site: Option<String>,
}

/// What every step of a request needs: one value, made once at the edge and lent to the handler.
///
/// The time is read once, so all steps agree about it. The random source is seeded once by the operating system.
pub struct RequestContext {
    /// The request's id.
    pub id: RequestId,
    /// The time of the request.
    pub now: Timestamp,
    /// Where the request comes from.
    pub peer: PeerAddress,
    /// The method (RFC 9110 §9), in capitals.
    pub method: String,
    /// The path under the issuer, without the query: the query may hold what must not be kept.
    pub path: String,
    /// The headers that rules read.
    pub headers: RequestHeaders,
    /// The random source.
    pub rng: Box<dyn CryptoRng + Send + Sync>,
    /// What the log says of the request.
    pub outcome: Outcome,
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext").field("id", &self.id).finish_non_exhaustive()
    }
}
