//! The event of an API Gateway HTTP API, [payload format 2.0].
//!
//! What the documentation leaves open follows events captured from the real service: the path is
//! decoded (twice), the query string is not; form bodies are base64; members without content are
//! left out.
//!
//! [payload format 2.0]: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header, request::Parts};
use serde_json::{Value, json};

use super::{ACCOUNT, routes::Matched};

/// The id of the one API.
const API: &str = "a1b2c3d4e5";
/// Headers that concern the client's connection to the gateway alone; cookies have a member of
/// their own.
const NOT_PASSED_ON: [&str; 6] =
    ["connection", "cookie", "keep-alive", "te", "transfer-encoding", "upgrade"];

/// The stage that serves a request: `$default` at the root, or a name under its own prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage(String);

impl Stage {
    /// A stage such as `prod`, whose paths all start with `/prod`.
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name, which is `$default` for the stage without a prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// What the stage puts before every path: nothing, or `/` and its name.
    #[must_use]
    pub fn prefix(&self) -> String {
        if *self == Self::default() { String::new() } else { format!("/{}", self.0) }
    }

    /// The path that the routes are matched against, unless the path belongs to no stage.
    #[must_use]
    pub fn route_path<'a>(&self, raw_path: &'a str) -> Option<&'a str> {
        match raw_path.strip_prefix(&self.prefix())? {
            "" => Some("/"),
            path => path.starts_with('/').then_some(path),
        }
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self("$default".to_owned())
    }
}

/// What the gateway knows of a request beyond the request.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Where the request came from.
    pub source_ip: IpAddr,
    /// When it came, since the epoch.
    pub time: Duration,
    /// The name that the gateway gives it.
    pub request_id: String,
}

impl Default for Receipt {
    fn default() -> Self {
        Self {
            source_ip: Ipv4Addr::LOCALHOST.into(),
            time: Duration::ZERO,
            request_id: "JKJaXmPLvHcESHA=".to_owned(),
        }
    }
}

/// The event that the gateway makes of a request.
#[must_use]
pub fn event(
    parts: &Parts,
    body: &[u8],
    stage: &Stage,
    matched: &Matched,
    receipt: &Receipt,
) -> Value {
    let sent_path = parts.uri.path();
    let raw_path = raw_path(sent_path).unwrap_or_else(|| sent_path.to_owned());
    let (text, is_base64_encoded) = encoded(&parts.headers, body);
    let mut event = json!({
        "version": "2.0",
        "routeKey": matched.route_key,
        "rawPath": raw_path,
        "rawQueryString": parts.uri.query().unwrap_or_default(),
        "headers": headers(&parts.headers, body.len(), receipt),
        "requestContext": request_context(parts, &raw_path, stage, matched, receipt),
        "isBase64Encoded": is_base64_encoded,
    });
    let cookies = cookies(&parts.headers);
    let query = query(parts.uri.query().unwrap_or_default());
    let parameters = &matched.path_parameters;
    let optional = [
        ("cookies", json!(cookies), cookies.is_empty()),
        ("queryStringParameters", json!(query), query.is_empty()),
        ("pathParameters", json!(parameters), parameters.is_empty()),
        ("body", json!(text), text.is_empty()),
    ];
    let present = optional.into_iter().filter(|(.., empty)| !empty);
    if let Value::Object(members) = &mut event {
        members.extend(present.map(|(name, value, _)| (name.to_owned(), value)));
    }
    event
}

/// The path as the function gets it; nothing for one that the gateway refuses.
///
/// The real gateway decodes it, cuts it at a question mark that appears thereby, and decodes it
/// again: `%2F` and `%252F` both arrive as a slash, and `%25` not followed by an escape is refused.
pub(super) fn raw_path(sent: &str) -> Option<String> {
    let once = unescaped(sent)?;
    unescaped(once.split('?').next()?)
}

fn unescaped(text: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(plain).ok()
}

/// Lower-case names, repeated values joined; the gateway's own headers replace the client's.
fn headers(sent: &HeaderMap, length: usize, receipt: &Receipt) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<_, _> = sent
        .keys()
        .filter(|name| !NOT_PASSED_ON.contains(&name.as_str()))
        .map(|name| (name.as_str().to_owned(), joined(sent, name.as_str(), ",")))
        .collect();
    if length > 0 {
        headers.insert("content-length".to_owned(), length.to_string());
    }
    let forwarded_for = match headers.get("x-forwarded-for") {
        Some(earlier) => format!("{earlier}, {}", receipt.source_ip),
        None => receipt.source_ip.to_string(),
    };
    let trace = format!("Root=1-{:08x}-{:024x}", receipt.time.as_secs(), receipt.time.as_nanos());
    headers.extend([
        ("x-amzn-trace-id".to_owned(), trace),
        ("x-forwarded-for".to_owned(), forwarded_for),
        ("x-forwarded-port".to_owned(), "443".to_owned()),
        ("x-forwarded-proto".to_owned(), "https".to_owned()),
    ]);
    headers
}

fn joined(headers: &HeaderMap, name: &str, separator: &str) -> String {
    let values: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    values.join(separator)
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    joined(headers, "cookie", ";")
        .split(';')
        .map(str::trim)
        .filter(|cookie| !cookie.is_empty())
        .map(str::to_owned)
        .collect()
}

fn query(query: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::<String, String>::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|values| *values = format!("{values},{value}"))
            .or_insert_with(|| value.into_owned());
    }
    parameters
}

/// The body as text if its type is one that the gateway takes for text, else as base64.
fn encoded(headers: &HeaderMap, body: &[u8]) -> (String, bool) {
    match str::from_utf8(body) {
        Ok(text) if body.is_empty() || is_text(headers) => (text.to_owned(), false),
        _ => (BASE64_STANDARD.encode(body), true),
    }
}

/// The short list of the real gateway, on which form bodies and `+json` types are missing.
fn is_text(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || ["application/json", "application/xml", "application/javascript"]
            .contains(&essence.as_str())
}

fn request_context(
    parts: &Parts,
    raw_path: &str,
    stage: &Stage,
    matched: &Matched,
    receipt: &Receipt,
) -> Value {
    let host = joined(&parts.headers, "host", ",");
    let domain = host.split(':').next().unwrap_or_default();
    json!({
        "accountId": ACCOUNT,
        "apiId": API,
        "domainName": domain,
        "domainPrefix": domain.split('.').next(),
        "http": {
            "method": parts.method.as_str(),
            "path": raw_path,
            "protocol": format!("{:?}", parts.version),
            "sourceIp": receipt.source_ip,
            "userAgent": joined(&parts.headers, "user-agent", ","),
        },
        "requestId": receipt.request_id,
        "routeKey": matched.route_key,
        "stage": stage.name(),
        "time": log_time(receipt.time.as_secs()),
        "timeEpoch": u64::try_from(receipt.time.as_millis()).unwrap_or(u64::MAX),
    })
}

/// The time as it is written in access logs: `10/Jul/2026:19:19:05 +0000`.
fn log_time(seconds: u64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // Howard Hinnant's `civil_from_days`, in which years begin in March.
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = (months_since_march + 2) % 12;
    let year = era * 400 + year_of_era + u64::from(month < 2);
    let name = MONTHS.get(usize::try_from(month).unwrap_or_default()).unwrap_or(&"");
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{day:02}/{name}/{year}:{hour:02}:{minute:02}:{second:02} +0000")
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn event_with(cookies: &[&str]) -> Value {
        let mut request = Request::get("/signin").header("accept", "text/html");
        for cookie in cookies {
            request = request.header("cookie", *cookie);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let matched = Matched {
            route_key: "ANY /signin".to_owned(),
            function: "AuthorizeFunction".to_owned(),
            package: "authorize".to_owned(),
            path_parameters: BTreeMap::new(),
        };
        event(&parts, &[], &Stage::default(), &matched, &Receipt::default())
    }

    #[test]
    fn cookies_have_a_member_of_their_own_and_are_no_header() {
        let event = event_with(&["a=1; b=x=y", "c=3"]);
        assert_eq!(event["cookies"], json!(["a=1", "b=x=y", "c=3"]));
        assert_eq!(event["headers"]["accept"], "text/html");
        assert_eq!(event["headers"].get("cookie"), None);
    }

    #[test]
    fn without_cookies_the_member_is_missing() {
        assert_eq!(event_with(&[]).get("cookies"), None);
        assert_eq!(event_with(&[" ; "]).get("cookies"), None);
    }
}
