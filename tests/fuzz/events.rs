//! Events of API Gateway: those of any HTTP request, and those that no gateway sends.

use std::panic::AssertUnwindSafe;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::HOST;
use http::{HeaderName, HeaderValue, Method, Request};
use identety_tests::deployment::template;
use identety_tests::lambda::{Receipt, Routes, Stage, event};
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Context, LambdaEvent, Service as _};
use serde_json::Value;

use crate::mutation::{Examples, fuzz};
use crate::world::World;

/// The answer of the functions to an event, unless it is none.
fn answer(world: &World, event: Value) -> Option<Value> {
    let identety_tests::call::Server::Router(router) = &world.app.server else {
        panic!("a router")
    };
    let event: LambdaRequest = serde_json::from_value(event).ok()?;
    let service = identety_http::lambda::door(router.clone());
    let answer = Adapter::from(service).call(LambdaEvent::new(event, Context::default()));
    let answer = world.wait(answer).expect("an answer");
    Some(serde_json::to_value(answer).expect("JSON"))
}

/// Checks what API Gateway needs (payload format 2.0).
fn check(answer: &Value) {
    let status = answer["statusCode"].as_u64().expect("a status");
    assert!((200..500).contains(&status), "{answer}");
    let is_text = |value: &Value| value.is_string();
    let headers = answer["headers"].as_object().expect("headers");
    assert!(headers.values().all(is_text), "{answer}");
    assert!(answer["cookies"].as_array().is_none_or(|all| all.iter().all(is_text)), "{answer}");
    let body = answer["body"].as_str();
    let is_base64 = answer["isBase64Encoded"].as_bool().expect("a flag");
    let kind = headers.get("content-type").and_then(Value::as_str).unwrap_or_default();
    if kind.ends_with("json") && !is_base64 {
        let body = body.expect("a body");
        assert!(body.is_empty() || serde_json::from_str::<Value>(body).is_ok(), "{answer}");
    }
}

/// Method, path with query, one header, and body, a line each.
const REQUESTS: Examples = Examples {
    whole: &[
        "POST\n/oauth2/token\ncontent-type: application/x-www-form-urlencoded\ngrant_type=client_credentials",
        "GET\n/oauth2/authorize?client_id=x&response_type=code\naccept: text/html\n",
        "GET\n/oauth2/userinfo\nauthorization: Bearer eyJhbGciOiJub25lIn0.e30.\n",
        "POST\n/signin\ncookie: identety-request-AAAAAAAAAAAAAAAAAAAAAAAA=abc.1; identety-session=def\ntransaction=x&csrf=y",
        "GET\n/admin/clients?limit=1\nx-api-key: nonsense\n",
        "PATCH\n/admin/clients/0197fcb4-7c00-7000-8000-000000000000\nif-match: \"1\"\n{}",
        "OPTIONS\n/oauth2/token\norigin: https://a.example\n",
        "GET\n/.well-known/openid-configuration\nif-none-match: *\n",
    ],
    pieces: &[
        "%2f", "//", "%00", "%", "?", "#", "/prod", "..", "\n", "TRACE", "\u{0}", "\u{ff}", "=",
        ";", "a: b",
    ],
};

#[test]
fn the_event_of_any_request_gets_an_answer_that_the_gateway_can_pass_on() {
    let world = World::start();
    let routes = AssertUnwindSafe(Routes::from_template(&template()).expect("routes"));
    fuzz(REQUESTS, 4_000, |bytes| {
        let mut lines = bytes.splitn(4, |byte| *byte == b'\n');
        let mut line = || lines.next().unwrap_or_default();
        let (method, path, header, body) = (line(), line(), line(), line());
        let Ok(method) = Method::from_bytes(method) else { return };
        let Ok(mut request) = Request::builder().method(method).uri(path).body(()) else { return };
        // Every request over HTTP/1.1 names a host, and the gateway knows its own name besides.
        request.headers_mut().insert(HOST, HeaderValue::from_static("api.example.com"));
        if let Some(colon) = header.iter().position(|byte| *byte == b':') {
            let name = HeaderName::from_bytes(&header[..colon]);
            let value = HeaderValue::from_bytes(header[colon + 1..].trim_ascii());
            if let (Ok(name), Ok(value)) = (name, value)
                && name != HOST
            {
                request.headers_mut().insert(name, value);
            }
        }
        let (parts, ()) = request.into_parts();
        let Some(matched) = routes.choose(&parts.method, parts.uri.path()) else { return };
        let event = event(&parts, body, &Stage::default(), &matched, &Receipt::default());
        let answer = answer(&world, event.clone());
        check(&answer.unwrap_or_else(|| panic!("not an event: {event}")));
    });
}

const EVENTS: Examples = Examples {
    whole: &[
        r#"{"version": "2.0", "routeKey": "$default", "rawPath": "/oauth2/token", "rawQueryString": "",
            "cookies": ["a=b"], "headers": {"host": "d", "content-type": "application/x-www-form-urlencoded"},
            "queryStringParameters": {}, "requestContext": {"accountId": "1", "apiId": "a", "domainName": "d",
            "domainPrefix": "d", "requestId": "r", "routeKey": "$default", "stage": "prod", "time": "t", "timeEpoch": 1,
            "http": {"method": "POST", "path": "/oauth2/token", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
            "userAgent": "x"}}, "isBase64Encoded": false, "body": "grant_type=client_credentials"}"#,
        r#"{"version": "2.0", "routeKey": "ANY /signin", "rawPath": "/prod/signin", "rawQueryString": "transaction=x",
            "headers": {"host": "api.example.com"}, "requestContext": {"stage": "prod", "http": {"method": "GET", "path": "/prod/signin"}},
            "isBase64Encoded": false}"#,
        r#"{"version": "2.0", "routeKey": "POST /oauth2/token", "rawPath": "/oauth2/token", "rawQueryString": "",
            "headers": {"host": "d", "content-type": "application/x-www-form-urlencoded"},
            "requestContext": {"stage": "$default", "http": {"method": "POST", "path": "/oauth2/token"}},
            "isBase64Encoded": true, "body": "Z3JhbnRfdHlwZT1jbGllbnRfY3JlZGVudGlhbHM="}"#,
        r#"{"version": "2.0", "routeKey": "POST /admin/clients", "rawPath": "/admin/clients", "rawQueryString": "",
            "headers": {"host": "d", "content-type": "application/json"},
            "requestContext": {"stage": "$default", "http": {"method": "POST", "path": "/admin/clients"}},
            "isBase64Encoded": true, "body": "eyJuYW1lIjogIsOpIn0="}"#,
    ],
    pieces: &[
        "null",
        "\"\"",
        "{}",
        "[]",
        "1",
        "true",
        "\"rawPath\": \"/\",",
        "\"stage\": \"$default\"",
        "/",
        "//",
        "?",
        "#",
        "\\u0000",
        "\\n",
        "%",
        "é",
        "\"method\": \"TRACE\"",
        "\"sourceIp\": null,",
        "AAAA",
        "/////w==",
        "_-8=",
        "====",
    ],
};

/// Whether path and query make a URI.
fn is_uri(event: &Value) -> bool {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let (path, query) = (text("rawPath"), text("rawQueryString"));
    let stage = event["requestContext"]["stage"].as_str().unwrap_or_default();
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let whole = format!("https://api.example.com/{stage}{path}?{query}");
    (path.is_empty() || path.starts_with('/'))
        && is_plain(&whole)
        && whole.parse::<http::Uri>().is_ok()
        && url::Url::parse(&whole).is_ok()
}

/// Whether a body that says that it is base64 is that.
fn is_body(event: &Value) -> bool {
    let body = event["body"].as_str().unwrap_or_default();
    event["isBase64Encoded"] != true || STANDARD.decode(body).is_ok()
}

#[test]
fn an_event_that_no_gateway_sends_is_refused_as_such_or_gets_an_answer() {
    let world = World::start();
    fuzz(EVENTS, 4_000, |bytes| {
        let Ok(event) = serde_json::from_slice::<Value>(bytes) else { return };
        // The library that reads events panics at what is no URI, and at a body that says base64 and is none.
        // No gateway sends that; the runtime makes an error of it, and asks for the next event.
        if !is_uri(&event) || !is_body(&event) {
            return;
        }
        let hosts = [&event["headers"]["host"], &event["requestContext"]["domainName"]];
        if hosts.iter().all(|host| **host == "api.example.com" || **host == "d" || host.is_null())
            && let Some(answer) = answer(&world, event)
        {
            check(&answer);
        }
    });
}
