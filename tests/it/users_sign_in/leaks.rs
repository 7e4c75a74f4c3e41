//! What must never be written down: not in the log, and not in clear in the tables.

use std::io::{Error, Write};
use std::sync::{Arc, Mutex};

use identety_tests::app::TestApp;
use identety_tests::browser::Form;
use identety_tests::sign_in::{PASSWORD, request};
use serde_json::json;
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Level};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;

use super::steps::{SESSION, consent_page, enter, request_secrets, sign_in_page, silently};

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        self.0.lock().expect("a lock").write(bytes)
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Everything that the log could show at its finest level, for as long as the others are held.
fn listen() -> (Log, DefaultGuard, Dispatch) {
    let log = Log::default();
    let writer = log.clone();
    // What other crates say below `warn` is never heard: see `identety_http::logging`.
    let heard = filter_fn(|metadata| {
        let target = metadata.target();
        *metadata.level() <= Level::WARN || target.starts_with("identety") || target == "authorize"
    });
    let layer = tracing_subscriber::fmt::layer().with_ansi(false);
    let layer = layer.with_writer(move || writer.clone()).with_filter(heard);
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    // With one dispatcher alone, what another test's thread meets first would be silent for ever: whether
    // anybody listens would be asked of that thread.
    (log, guard, Dispatch::new(tracing_subscriber::registry()))
}

#[tokio::test]
async fn the_log_names_the_culprit_of_a_refusal() {
    let (log, _guard, _second) = listen();
    let app = TestApp::start().await;
    let client = app.users_client(json!({"type": "public", "name": "Bookshop"})).await;
    for changes in [
        ("redirect_uri", "https://app.example/cb2"),
        ("scope", "openid photos:admin"),
        ("resource", "https://other.example/"),
        ("code_challenge", "short"),
        ("client_id", "nobody\r\nhere"),
        ("client_id", "public_AAAAAAAAAAAAAAAAAAAAAAAA"),
        // It could be a secret in the wrong place.
        ("client_id", "what-no-server-has-made"),
    ] {
        app.browser().get(&request(&client, &[changes])).await;
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for culprit in [
        "redirect_uri 'https://app.example/cb2' is not registered for 'Bookshop'",
        "the scope 'photos:admin' is not allowed for this client",
        "the resource 'https://other.example/' is not allowed for this client",
        "and 'short' is not",
        "the client 'public_AAAAAAAAAAAAAAAAAAAAAAAA' is unknown or not active",
        "the client is unknown or not active",
    ] {
        assert!(text.contains(culprit), "{culprit} in {text}");
    }
    assert!(!text.contains("nobody\r") && !text.contains("what-no-server"), "{text}");
}

#[tokio::test]
async fn no_password_state_code_or_cookie_is_in_the_log_and_no_secret_in_clear_in_the_tables() {
    let (log, _guard, _second) = listen();
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let (state, wrong) = ("a-state-to-look-for", "a wrong guess to look for");
    let page = sign_in_page(&mut browser, &client, &[("state", state)]).await;
    enter(&mut browser, &page, &user.email, wrong).await;
    let page = consent_page(&mut browser, &client, &user.email, &[("state", state)]).await;
    let csrf = Form::of(&page).get("csrf");
    let landing = browser.submit(&page, &[("decision", "allow")]).await.client();
    silently(&mut browser, &client, &[("state", state), ("scope", "unknown")]).await;
    let tokens = app.redeem(&client, &landing.get("code"), &[]).await;
    let (id_token, refresh_token) = (tokens.text("id_token"), tokens.text("refresh_token"));
    silently(&mut browser, &client, &[("id_token_hint", &id_token)]).await;
    app.refresh(&client, &refresh_token, &[]).await;

    let access_token = tokens.text("access_token");
    let (code, session) = (landing.get("code"), browser.cookies[SESSION].clone());
    let requests = request_secrets(&browser);
    let mut secrets =
        vec![PASSWORD, wrong, &code, &csrf, &session, &id_token, &refresh_token, &access_token];
    assert_eq!(requests.len(), 2);
    secrets.extend(requests.iter().map(String::as_str));
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("/signin") && text.contains("wrong address or password"), "{text}");
    let tables = app.dump();
    assert!(tables.contains("$argon2id$") && tables.contains(state));
    for secret in secrets {
        assert!(!secret.is_empty());
        assert!(!text.contains(secret), "{secret} in {text}");
        assert!(!tables.contains(secret), "{secret} in {tables}");
    }
    for private in [state, user.email.as_str(), "the nonce"] {
        assert!(!text.contains(private), "{private} in {text}");
    }
}
