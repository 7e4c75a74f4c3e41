//! The one line of a request. In JSON it is a flat object, and with a namespace a document in CloudWatch's
//! Embedded Metric Format too: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//!
//! Members that begin with a capital are metrics and their dimensions. A line declares the metrics that
//! have a value on it, and no others: what is logged is paid by the byte. A dimension's values are of an
//! enum, so that there are as many metrics as the code has words, whatever callers send.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use identety_domain::client::GrantType;
use identety_domain::{Outcome, Reason, Theft, Timestamp};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use tracing::Level;

use super::function::Function;

/// The longest cause that is written down, in bytes: it is for a person to read, and no more.
const LONGEST_CAUSE: usize = 300;

/// What there is to say of a request and its answer.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// When the answer was there.
    pub(crate) at: Timestamp,
    /// The request's id, which the caller was told too.
    pub(crate) request: &'a str,
    /// The id that API Gateway writes into its access log.
    pub(crate) api_request: Option<&'a str>,
    /// The method.
    pub(crate) method: &'a str,
    /// The route, as the router has it: never the path, which is the caller's.
    pub(crate) route: &'a str,
    /// The status.
    pub(crate) status: u16,
    /// How long the answer took.
    pub(crate) duration: Duration,
    /// How it went.
    pub(crate) outcome: &'a Outcome,
    /// Attempts of calls to the store beyond the first of each.
    pub(crate) store_retries: u64,
    /// For the first request of a process.
    pub(crate) cold_start: Option<ColdStart>,
}

/// The start of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ColdStart {
    /// Of which function.
    pub(crate) function: Function,
    /// From the start of the program until it could take a request.
    pub(crate) init: Duration,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Metric {
    Tokens,
    Refusals,
    /// Apart from [`Unavailable`](Self::Unavailable): a failure is a defect, which strangers cannot order.
    Failures,
    /// What passes by itself, such as a throttled table. Strangers can cause it by sending enough.
    Unavailable,
    RefreshReuse,
    StoreRetries,
    ColdStarts,
}

impl Metric {
    const ALL: [Self; 7] = [
        Self::Tokens,
        Self::Refusals,
        Self::Failures,
        Self::Unavailable,
        Self::RefreshReuse,
        Self::StoreRetries,
        Self::ColdStarts,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Tokens => "Tokens",
            Self::Refusals => "Refusals",
            Self::Failures => "Failures",
            Self::Unavailable => "Unavailable",
            Self::RefreshReuse => "RefreshReuse",
            Self::StoreRetries => "StoreRetries",
            Self::ColdStarts => "ColdStarts",
        }
    }

    /// The member by whose value it is told apart.
    const fn dimension(self) -> Option<&'static str> {
        match self {
            Self::Tokens => Some("Grant"),
            Self::Refusals => Some("Reason"),
            Self::ColdStarts => Some("Function"),
            Self::Failures | Self::Unavailable | Self::RefreshReuse | Self::StoreRetries => None,
        }
    }
}

impl Line<'_> {
    /// How urgent it is: a failure of ours, a theft, or neither.
    pub(crate) fn level(&self) -> Level {
        match (self.status >= 500, self.outcome.theft) {
            (true, _) => Level::ERROR,
            (false, Some(_)) => Level::WARN,
            (false, None) => Level::INFO,
        }
    }

    /// The line in JSON, with its line break; a document of metrics in `namespace`, if there is one.
    /// Nothing in it refuses to be written, which the types do not know.
    pub(crate) fn json(&self, namespace: Option<&str>) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = Vec::with_capacity(640);
        serde_json::to_writer(&mut bytes, &Json { line: self, namespace })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn is_unavailable(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE.as_u16()
    }

    /// The value of a metric; 0 when there is nothing to count.
    fn value(&self, metric: Metric) -> u64 {
        let outcome = self.outcome;
        match metric {
            Metric::Tokens => (outcome.reason.is_none() && outcome.grant.is_some()).into(),
            Metric::Refusals => outcome.reason.is_some().into(),
            Metric::Failures => (self.status >= 500 && !self.is_unavailable()).into(),
            Metric::Unavailable => self.is_unavailable().into(),
            Metric::RefreshReuse => (outcome.theft == Some(Theft::RefreshToken)).into(),
            Metric::StoreRetries => self.store_retries,
            Metric::ColdStarts => self.cold_start.is_some().into(),
        }
    }

    /// The metrics that have a value here.
    fn metrics(&self) -> impl Iterator<Item = Metric> {
        Metric::ALL.into_iter().filter(|metric| self.value(*metric) > 0)
    }

    /// The method; one that HTTP does not define is the caller's to choose, and has no place in the log.
    fn method(&self) -> &str {
        match self.method {
            "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" => self.method,
            _ => "other",
        }
    }

    fn cause(&self) -> Option<&str> {
        let cause = self.outcome.cause.as_deref()?;
        cause.get(..cause.floor_char_boundary(LONGEST_CAUSE))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A line on its way into JSON.
struct Json<'a> {
    line: &'a Line<'a>,
    namespace: Option<&'a str>,
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { line, namespace } = self;
        let Outcome { client, grant, reason, cause: _, theft: _ } = line.outcome;
        let mut map = serializer.serialize_map(None)?;
        // These two are what Lambda's own filter of levels reads.
        map.serialize_entry("timestamp", &Written(&line.at))?;
        map.serialize_entry("level", line.level().as_str())?;
        map.serialize_entry("requestId", line.request)?;
        optional(&mut map, "apiRequestId", line.api_request)?;
        map.serialize_entry("method", line.method())?;
        map.serialize_entry("route", line.route)?;
        map.serialize_entry("status", &line.status)?;
        map.serialize_entry("durationMs", &millis(line.duration))?;
        optional(&mut map, "client", client.as_deref())?;
        optional(&mut map, "Grant", grant.map(GrantType::as_str))?;
        optional(&mut map, "Reason", reason.map(Reason::as_str))?;
        optional(&mut map, "cause", line.cause())?;
        if let Some(ColdStart { function, init }) = line.cold_start {
            map.serialize_entry("Function", function.as_str())?;
            map.serialize_entry("initMs", &millis(init))?;
        }
        for metric in line.metrics() {
            map.serialize_entry(metric.name(), &line.value(metric))?;
        }
        if let Some(namespace) = namespace.filter(|_| line.metrics().next().is_some()) {
            map.serialize_entry("_aws", &Metadata { line, namespace })?;
        }
        map.end()
    }
}

fn optional<M: SerializeMap>(
    map: &mut M,
    name: &'static str,
    value: Option<&str>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, value))
}

/// Something that is written as text.
struct Written<T>(T);

impl<T: fmt::Display> Serialize for Written<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The member `_aws`.
struct Metadata<'a> {
    line: &'a Line<'a>,
    namespace: &'a str,
}

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("Timestamp", &self.line.at.millis())?;
        map.serialize_entry("CloudWatchMetrics", &Directives(self))?;
        map.end()
    }
}

/// One directive for each metric, since each has a dimension of its own.
struct Directives<'a>(&'a Metadata<'a>);

impl Serialize for Directives<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Metadata { line, namespace } = self.0;
        let mut list = serializer.serialize_seq(None)?;
        for metric in line.metrics() {
            list.serialize_element(&Directive { metric, namespace })?;
        }
        list.end()
    }
}

struct Directive<'a> {
    metric: Metric,
    namespace: &'a str,
}

impl Serialize for Directive<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("Namespace", self.namespace)?;
        // One set of dimensions, which is empty for a metric without any.
        map.serialize_entry("Dimensions", &[self.metric.dimension().as_slice()])?;
        map.serialize_entry("Metrics", &[Named { name: self.metric.name() }])?;
        map.end()
    }
}

#[derive(serde::Serialize)]
struct Named {
    #[serde(rename = "Name")]
    name: &'static str,
}

/// For people: `POST /oauth2/token 200 3 ms client=m2m_x grant=client_credentials id=…`.
impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { client, grant, reason, cause: _, theft: _ } = self.outcome;
        let (method, millis) = (self.method(), millis(self.duration));
        write!(f, "{method} {} {} {millis} ms", self.route, self.status)?;
        if let Some(client) = client {
            write!(f, " client={client}")?;
        }
        if let Some(grant) = grant {
            write!(f, " grant={}", grant.as_str())?;
        }
        if let Some(reason) = reason {
            write!(f, " reason={}", reason.as_str())?;
        }
        if let Some(cause) = self.cause() {
            write!(f, " cause={cause:?}")?;
        }
        if self.store_retries > 0 {
            write!(f, " store_retries={}", self.store_retries)?;
        }
        write!(f, " id={}", self.request)
    }
}

#[cfg(test)]
mod tests;
