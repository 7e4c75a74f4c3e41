//! The exact shape of the line, and what CloudWatch asks of it.

use std::collections::HashSet;

use http::StatusCode;
use identety_domain::ErrorCode;
use serde_json::{Value, json};

use super::*;
use crate::logging::reason;

const NAMESPACE: &str = "Identety/identety";
const CLIENT: &str = "m2m_AbCdEfGhIjKlMnOpQrStUvWx";
const REQUEST: &str = "8f507cfc-0a1b-4697-b07a-ac58fc914c95";

fn line(outcome: &Outcome) -> Line<'_> {
    Line {
        at: Timestamp::from_millis(1_936_008_000_123),
        request: REQUEST,
        api_request: Some("JKJaXmPLvHcESHA="),
        method: "POST",
        route: "/oauth2/token",
        status: 200,
        duration: Duration::from_micros(3_900),
        outcome,
        store_retries: 0,
        cold_start: None,
    }
}

fn text(line: &Line<'_>, namespace: Option<&str>) -> String {
    let mut text = String::from_utf8(line.json(namespace).unwrap()).unwrap();
    assert_eq!(text.pop(), Some('\n'));
    assert!(!text.contains('\n'));
    text
}

fn parsed(line: &Line<'_>, namespace: Option<&str>) -> Value {
    serde_json::from_str(&text(line, namespace)).unwrap()
}

fn success(grant: GrantType) -> Outcome {
    Outcome { client: Some(CLIENT.to_owned()), grant: Some(grant), ..Outcome::default() }
}

fn refused(reason: impl Into<Reason>, cause: &str) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.refuse(reason, cause);
    outcome
}

fn reuse() -> Outcome {
    let refused = refused(ErrorCode::InvalidGrant, "invalid grant: used before");
    let (client, grant) = (Some(CLIENT.to_owned()), Some(GrantType::RefreshToken));
    Outcome { client, grant, theft: Some(Theft::RefreshToken), ..refused }
}

const COLD: ColdStart =
    ColdStart { function: Function::Token, init: Duration::from_micros(12_700) };

#[test]
fn the_line_of_a_token_is_this_and_no_longer_than_450_bytes() {
    let text = text(&line(&success(GrantType::ClientCredentials)), Some(NAMESPACE));
    let expected = concat!(
        r#"{"timestamp":"2031-05-08T12:00:00.123Z","level":"INFO","#,
        r#""requestId":"8f507cfc-0a1b-4697-b07a-ac58fc914c95","apiRequestId":"JKJaXmPLvHcESHA=","#,
        r#""method":"POST","route":"/oauth2/token","status":200,"durationMs":3,"#,
        r#""client":"m2m_AbCdEfGhIjKlMnOpQrStUvWx","Grant":"client_credentials","Tokens":1,"#,
        r#""_aws":{"Timestamp":1936008000123,"CloudWatchMetrics":[{"Namespace":"Identety/identety","#,
        r#""Dimensions":[["Grant"]],"Metrics":[{"Name":"Tokens"}]}]}}"#,
    );
    assert_eq!(text, expected);
    assert!(text.len() <= 450, "{}", text.len());
}

#[test]
fn the_line_of_a_refusal_is_this() {
    let outcome = reuse();
    let cold_start = Some(COLD);
    let line = Line { status: 400, store_retries: 2, cold_start, ..line(&outcome) };
    let metric = |name: &str, dimensions: Value| json!({"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": [{"Name": name}]});
    let expected = json!({
        "timestamp": "2031-05-08T12:00:00.123Z", "level": "WARN",
        "requestId": REQUEST, "apiRequestId": "JKJaXmPLvHcESHA=",
        "method": "POST", "route": "/oauth2/token", "status": 400, "durationMs": 3,
        "client": CLIENT, "Grant": "refresh_token", "Reason": "invalid_grant",
        "cause": "invalid grant: used before", "Function": "token", "initMs": 12,
        "Refusals": 1, "RefreshReuse": 1, "StoreRetries": 2, "ColdStarts": 1,
        "_aws": {"Timestamp": 1_936_008_000_123_u64, "CloudWatchMetrics": [
            metric("Refusals", json!(["Reason"])),
            metric("RefreshReuse", json!([])),
            metric("StoreRetries", json!([])),
            metric("ColdStarts", json!(["Function"])),
        ]},
    });
    assert_eq!(parsed(&line, Some(NAMESPACE)), expected);
}

#[test]
fn without_a_namespace_nothing_is_a_metric() {
    let outcome = reuse();
    let line = Line { status: 400, cold_start: Some(COLD), ..line(&outcome) };
    let (with, mut without) = (parsed(&line, Some(NAMESPACE)), parsed(&line, None));
    assert_eq!(without.get("_aws"), None);
    without["_aws"] = with["_aws"].clone();
    assert_eq!(without, with);
}

#[test]
fn a_page_that_was_shown_is_no_metric() {
    let page = Outcome::default();
    let line = Line { method: "GET", route: "/signin", api_request: None, ..line(&page) };
    let expected = json!({
        "timestamp": "2031-05-08T12:00:00.123Z", "level": "INFO", "requestId": REQUEST,
        "method": "GET", "route": "/signin", "status": 200, "durationMs": 3,
    });
    assert_eq!(parsed(&line, Some(NAMESPACE)), expected);
}

#[test]
fn a_failure_of_ours_is_an_error_and_a_theft_a_warning() {
    let (outcome, stolen) = (Outcome::default(), reuse());
    assert_eq!(line(&outcome).level(), Level::INFO);
    assert_eq!(Line { status: 429, ..line(&outcome) }.level(), Level::INFO);
    assert_eq!(Line { status: 400, ..line(&stolen) }.level(), Level::WARN);
    assert_eq!(Line { status: 503, ..line(&stolen) }.level(), Level::ERROR);
}

#[test]
fn a_failure_and_a_server_that_is_busy_are_counted_apart() {
    let outcome = refused(ErrorCode::ServerError, "why");
    for (status, counted) in [
        (200, vec![]),
        (429, vec![]),
        (499, vec![]),
        (500, vec![Metric::Failures]),
        (502, vec![Metric::Failures]),
        (503, vec![Metric::Unavailable]),
        (504, vec![Metric::Failures]),
    ] {
        let line = Line { status, ..line(&outcome) };
        let found: Vec<_> = line.metrics().filter(|metric| *metric != Metric::Refusals).collect();
        assert_eq!(found, counted, "{status}");
        let written = parsed(&line, Some(NAMESPACE));
        for metric in [Metric::Failures, Metric::Unavailable] {
            let expected = counted.contains(&metric).then_some(1);
            assert_eq!(written.get(metric.name()).and_then(Value::as_u64), expected, "{status}");
        }
    }
}

#[test]
fn the_line_for_people_says_the_same() {
    let outcome = reuse();
    let line = Line { status: 400, ..line(&outcome) };
    let expected = "POST /oauth2/token 400 3 ms client=m2m_AbCdEfGhIjKlMnOpQrStUvWx \
        grant=refresh_token reason=invalid_grant cause=\"invalid grant: used before\" \
        id=8f507cfc-0a1b-4697-b07a-ac58fc914c95";
    assert_eq!(line.to_string(), expected);
}

#[test]
fn a_long_cause_is_cut_and_a_line_break_in_it_breaks_no_line() {
    let cause = format!("\"{}\n{}", "ü".repeat(100), "x".repeat(1000));
    let outcome = refused(ErrorCode::ServerError, &cause);
    let line = Line { status: 500, ..line(&outcome) };
    assert!(!line.to_string().contains('\n'));
    let written = parsed(&line, Some(NAMESPACE))["cause"].as_str().unwrap().to_owned();
    assert!(cause.starts_with(&written));
    assert_eq!(written.len(), LONGEST_CAUSE);
    let outcome = refused(ErrorCode::ServerError, &"ü".repeat(1000)[..]);
    let outcome = Outcome { cause: outcome.cause.map(|cause| format!("x{cause}")), ..outcome };
    let line = Line { outcome: &outcome, ..line };
    assert_eq!(parsed(&line, None)["cause"].as_str().unwrap().len(), LONGEST_CAUSE - 1);
}

/// Every line that there can be, as far as metrics go.
fn every_line(mut check: impl FnMut(&Line<'_>)) {
    let grants = GrantType::ALL.into_iter().map(Some).chain([None]);
    let reasons: Vec<_> = Reason::all().map(Some).chain([None]).collect();
    for grant in grants {
        for reason in &reasons {
            for theft in [None, Some(Theft::Code), Some(Theft::RefreshToken)] {
                let outcome = Outcome { grant, reason: *reason, theft, ..Outcome::default() };
                for status in [200, 500, 503] {
                    for (cold_start, store_retries) in
                        [(None, 0), (None, 1), (Some(COLD), 0), (Some(COLD), u64::MAX)]
                    {
                        check(&Line { status, store_retries, cold_start, ..line(&outcome) });
                    }
                }
            }
        }
    }
}

#[test]
fn every_line_that_declares_metrics_is_what_cloudwatch_takes() {
    let mut documents = 0;
    every_line(|line| {
        let written = parsed(line, Some(NAMESPACE));
        let declared = check_embedded_metrics(&written);
        let expected: Vec<_> = line.metrics().map(Metric::name).collect();
        assert_eq!(declared, expected, "{written}");
        documents += usize::from(!declared.is_empty());
    });
    assert!(documents > 1000, "{documents}");
}

/// The rules of the specification. Returns the metrics.
fn check_embedded_metrics(document: &Value) -> Vec<String> {
    let members = document.as_object().unwrap();
    assert!(document.to_string().len() <= 256 * 1024);
    let Some(metadata) = members.get("_aws") else { return Vec::new() };
    let metadata = metadata.as_object().unwrap();
    assert!(metadata.keys().all(|name| ["Timestamp", "CloudWatchMetrics"].contains(&&**name)));
    // Milliseconds: no time in seconds of this century is as large, nor one in microseconds as small.
    let timestamp = metadata["Timestamp"].as_u64().unwrap();
    assert!((1_000_000_000_000..10_000_000_000_000).contains(&timestamp), "{timestamp}");
    let directives = metadata["CloudWatchMetrics"].as_array().unwrap();
    assert!(!directives.is_empty());
    let mut names = Vec::new();
    for directive in directives {
        let directive = directive.as_object().unwrap();
        assert_eq!(directive.len(), 3);
        let namespace = directive["Namespace"].as_str().unwrap();
        let may_be_there =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '#' | ':');
        assert!((1..=255).contains(&namespace.len()) && namespace.chars().all(may_be_there));
        let sets = directive["Dimensions"].as_array().unwrap();
        assert!(!sets.is_empty());
        for set in sets {
            let set = set.as_array().unwrap();
            assert!(set.len() <= 30);
            for dimension in set {
                let value = members[dimension.as_str().unwrap()].as_str().unwrap();
                assert!((1..=1024).contains(&value.len()) && !value.starts_with(':'));
                assert!(value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
            }
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            assert!(metric.as_object().unwrap().keys().all(|key| key == "Name"));
            let name = metric["Name"].as_str().unwrap();
            assert!((1..=255).contains(&name.len()));
            assert!(members[name].as_f64().unwrap().is_finite());
            names.push(name.to_owned());
        }
    }
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "each once");
    names
}

#[test]
fn whatever_callers_send_there_are_only_as_many_metrics_as_the_code_has_words() {
    let mut series = HashSet::new();
    let mut collect = |line: &Line<'_>| {
        let written = parsed(line, Some(NAMESPACE));
        let Some(directives) = written["_aws"]["CloudWatchMetrics"].as_array() else { return };
        for directive in directives {
            let dimension = directive["Dimensions"][0][0].as_str();
            let value = dimension.map(|name| written[name].as_str().unwrap().to_owned());
            let namespace = directive["Namespace"].as_str().unwrap().to_owned();
            let metric = directive["Metrics"][0]["Name"].as_str().unwrap().to_owned();
            series.insert((namespace, metric, value));
        }
    };
    for number in 0..5_000_u32 {
        let (made_up, route) = (format!("made-up-{number}"), format!("/route/{number}"));
        let method = format!("METHOD{number}");
        let status = u16::try_from(100 + number % 900).unwrap();
        let reason = reason::of_status(StatusCode::from_u16(status).unwrap());
        let all = GrantType::ALL;
        let outcome = Outcome {
            client: Some(made_up.clone()),
            grant: Some(all[number as usize % all.len()]),
            reason: number.is_multiple_of(2).then_some(reason),
            cause: Some(made_up.clone()),
            theft: None,
        };
        let (request, api_request) = (made_up.as_str(), Some(made_up.as_str()));
        let line = Line { request, api_request, method: &method, status, ..line(&outcome) };
        let line = Line { route: &route, store_retries: number.into(), ..line };
        assert_eq!(parsed(&line, None)["method"], "other");
        collect(&line);
    }
    every_line(&mut collect);
    let most = GrantType::ALL.len() + Reason::all().count() + 4 + 4;
    assert!((30..=most).contains(&series.len()), "{} of {most}", series.len());
}
