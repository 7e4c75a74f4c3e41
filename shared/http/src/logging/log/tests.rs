//! What a process writes. A process has one log, so each of these logs is a process of its own: this very
//! program, told by its environment to write.

use std::env;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::edge;

/// Tells the process to write, at this level.
const WRITE: &str = "IDENTETY_TEST_WRITES_A_LOG_AT";

static RETRIES: AtomicU64 = AtomicU64::new(0);

/// Not a test but the process that the tests below start.
#[tokio::test]
async fn writes_a_log_when_it_is_told_to() {
    let Ok(level) = env::var(WRITE) else { return };
    init(
        Format::Json(FunctionLog {
            function: Function::Authorize,
            namespace: Some("Identety/test".to_owned()),
            take_store_retries: || RETRIES.swap(0, Ordering::Relaxed),
            started: Timestamp::from_millis(ambient::now().millis() - 20_000),
        }),
        &level,
    );
    started();
    tracing::error!(error = "a cause", "the keys could not be read");
    tracing::info!(target: "aws_smithy_runtime::client", "a detail with a secret of somebody");
    tracing::debug!(target: "hyper::proto", "a detail with a secret of somebody");
    tracing::trace!(target: "lambda_runtime", "a detail with a secret of somebody");
    tracing::warn!(target: "hyper::proto", "a warning of another crate");
    tracing::debug!("a detail of our own");
    let secret = env::var(WRITE).map(|level| format!("formatted at {level}"));
    let put_together = move || async move { panic!("a secret {}", secret.unwrap()) as () };
    let routes = Router::new()
        .route("/fine", get(|| async { RETRIES.store(0, Ordering::Relaxed) }))
        .route("/retries", get(|| async { RETRIES.store(2, Ordering::Relaxed) }))
        .route("/literal", get(|| async { panic!("what the source says") as () }))
        .route("/put-together", get(put_together));
    let app = edge::finish(routes, Arc::new(ambient::now));
    for path in ["/fine", "/retries", "/fine?code=in-the-query", "/literal", "/put-together"] {
        let request = Request::builder().uri(path).header("cookie", "a=in-a-cookie");
        app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    }
}

/// The lines of such a process.
fn lines(level: &str) -> Vec<Value> {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "logging::log::tests::writes_a_log_when_it_is_told_to", "--nocapture"])
        .env(WRITE, level)
        .output()
        .unwrap();
    let (out, err) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    // A panic writes nothing but its line.
    assert_eq!(err, "", "{err}");
    // The first line is behind what the test runner says of the test.
    let json = out.lines().filter_map(|line| Some(line.split_at(line.find('{')?).1));
    json.map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

#[test]
fn every_line_is_a_json_object_with_the_members_that_lambda_filters_by() {
    let lines = lines("trace");
    assert!(lines.len() >= 10, "{lines:#?}");
    for line in &lines {
        let time = line["timestamp"].as_str().unwrap();
        assert!(time.len() >= 20 && time.ends_with('Z'), "{time}");
        let level = line["level"].as_str().unwrap();
        assert!(["ERROR", "WARN", "INFO", "DEBUG"].contains(&level), "{level}");
    }
    let failed = lines.iter().find(|line| line["message"] == "the keys could not be read").unwrap();
    assert_eq!((&failed["level"], &failed["error"]), (&"ERROR".into(), &"a cause".into()));
}

#[test]
fn a_process_has_one_cold_start_and_a_request_only_its_own_retries() {
    let lines = lines("info");
    let of = |route: &'static str| lines.iter().filter(move |line| line["route"] == route);
    let cold: Vec<_> = lines.iter().filter(|line| line.get("ColdStarts").is_some()).collect();
    assert_eq!(cold.len(), 1);
    assert_eq!((&cold[0]["route"], &cold[0]["Function"]), (&"/fine".into(), &"authorize".into()));
    assert!((20_000..80_000).contains(&cold[0]["initMs"].as_u64().unwrap()), "{}", cold[0]);
    let retries: Vec<_> = lines.iter().filter_map(|line| line["StoreRetries"].as_u64()).collect();
    assert_eq!(retries, [2]);
    assert_eq!(of("/retries").next().unwrap()["StoreRetries"], 2);
    assert_eq!(of("/fine").count(), 2);
}

#[test]
fn a_panic_is_one_line_without_what_was_put_together_at_run_time() {
    let lines = lines("error");
    let panics: Vec<_> = lines.iter().filter(|line| line["message"] == "panic").collect();
    assert_eq!(panics.len(), 2);
    assert_eq!(panics[0]["said"], "what the source says");
    assert_eq!(panics[1].get("said"), None);
    for panic in panics {
        assert!(panic["place"].as_str().unwrap().contains("logging/log/tests.rs:"), "{panic}");
    }
    let answered: Vec<_> = lines.iter().filter(|line| line["status"] == 500).collect();
    assert_eq!(answered.len(), 2);
    assert!(answered.iter().all(|line| line["Reason"] == "server_error"));
}

#[test]
fn other_crates_are_heard_only_when_they_warn_and_nothing_of_a_request_is_written() {
    for level in ["error", "warn", "info", "debug", "trace", "lambda_runtime=trace,hyper=trace"] {
        let text = format!("{:?}", lines(level));
        for unseen in ["a secret of somebody", "formatted", "in-the-query", "in-a-cookie"] {
            assert!(!text.contains(unseen), "{level}: {unseen}");
        }
    }
    let text = |level| format!("{:?}", lines(level));
    assert!(text("warn").contains("a warning of another crate"));
    assert!(!text("info").contains("a detail of our own"));
    assert!(text("debug").contains("a detail of our own"));
}

#[test]
fn lines_below_the_level_are_not_written() {
    let at = |level| lines(level).iter().filter(|line| line["status"] == 200).count();
    assert_eq!((at("warn"), at("identety_http=error"), at("info")), (0, 0, 3));
    assert_eq!(at("error,identety_http::logging=info"), 3);
}
