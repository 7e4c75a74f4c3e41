//! Limits on guessing client secrets: 100 failures of one client from one address in a minute.

use identety_tests::app::{TestApp, TestClient};
use identety_tests::call::Answer;

async fn attempt(app: &TestApp, client_id: &str, secret: &str, from: &str) -> Answer {
    let call = app.server.post("/oauth2/token").basic(client_id, secret).from(from);
    call.form(&[("grant_type", "client_credentials")]).send().await
}

/// Waits for the start of a minute, so that a window is not crossed by chance.
fn align(app: &TestApp) {
    app.advance(60 - app.now().seconds() % 60);
}

async fn exhaust(app: &TestApp, client: &TestClient, from: &str) {
    for n in 1..=100 {
        let answer = attempt(app, &client.client_id, "wrong", from).await;
        assert_eq!(answer.status, 401, "failure {n}");
    }
}

#[tokio::test]
async fn the_101st_failure_in_a_minute_is_429_and_says_when_to_come_back() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    align(&app);
    app.advance(20);
    exhaust(&app, &client, "192.0.2.7").await;
    let answer = attempt(&app, &client.client_id, "wrong", "192.0.2.7").await;
    assert_eq!(answer.outcome(), (429, "invalid_client".into()));
    assert_eq!(answer.header("retry-after"), "40");
    app.advance(40);
    assert_eq!(attempt(&app, &client.client_id, "wrong", "192.0.2.7").await.status, 401);
}

#[tokio::test]
async fn the_right_secret_always_passes() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    align(&app);
    exhaust(&app, &client, "192.0.2.7").await;
    assert_eq!(attempt(&app, &client.client_id, "wrong", "192.0.2.7").await.status, 429);
    assert_eq!(attempt(&app, &client.client_id, &client.secret, "192.0.2.7").await.status, 200);
}

#[tokio::test]
async fn other_clients_and_other_addresses_are_not_concerned() {
    let app = TestApp::start().await;
    let (client, other) = (app.m2m_client(&["read"]).await, app.m2m_client(&["read"]).await);
    align(&app);
    exhaust(&app, &client, "192.0.2.7").await;
    assert_eq!(attempt(&app, &other.client_id, "wrong", "192.0.2.7").await.status, 401);
    assert_eq!(attempt(&app, &client.client_id, "wrong", "192.0.2.8").await.status, 401);
}

#[tokio::test]
async fn a_header_does_not_change_the_address() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    align(&app);
    exhaust(&app, &client, "192.0.2.7").await;
    for header in ["x-forwarded-for", "x-real-ip", "forwarded"] {
        let call = app.server.post("/oauth2/token").basic(&client.client_id, "wrong");
        let call = call.from("192.0.2.7").header(header, "198.51.100.1");
        let answer = call.form(&[("grant_type", "client_credentials")]).send().await;
        assert_eq!(answer.status, 429, "{header}");
    }
}

#[tokio::test]
async fn unknown_clients_are_limited_like_known_ones() {
    let app = TestApp::start().await;
    align(&app);
    let unknown = TestClient {
        id: String::new(),
        client_id: "m2m_AAAAAAAAAAAAAAAAAAAAAAAA".into(),
        secret: String::new(),
    };
    exhaust(&app, &unknown, "192.0.2.7").await;
    assert_eq!(attempt(&app, &unknown.client_id, "wrong", "192.0.2.7").await.status, 429);
}

#[tokio::test]
async fn concurrent_failures_are_all_counted() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    align(&app);
    let attempts = (0..150).map(|_| {
        let call = app.server.post("/oauth2/token").basic(&client.client_id, "wrong");
        tokio::spawn(call.form(&[("grant_type", "client_credentials")]).send())
    });
    let attempts: Vec<_> = attempts.collect();
    let mut statuses = Vec::new();
    for attempt in attempts {
        statuses.push(attempt.await.unwrap().status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 100);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 50);
}
