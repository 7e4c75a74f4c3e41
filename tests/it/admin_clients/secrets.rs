//! `/admin/clients/{id}/secrets`: rotation without a gap.

use identety_tests::app::{ISSUER, TestApp, TestClient};
use identety_tests::call::Answer;
use rstest::rstest;
use serde_json::{Value, json};

fn path(client: &TestClient) -> String {
    format!("/admin/clients/{}/secrets", client.id)
}

async fn rotate(app: &TestApp, client: &TestClient) -> Answer {
    app.admin("POST", &path(client)).send().await
}

async fn delete(app: &TestApp, client: &TestClient, secret_id: &str) -> Answer {
    app.admin("DELETE", &format!("{}/{secret_id}", path(client))).send().await
}

async fn secrets(app: &TestApp, client: &TestClient) -> Vec<Value> {
    let shown = app.admin("GET", &format!("/admin/clients/{}", client.id)).send().await.json();
    shown["secrets"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_new_secret_is_shown_once_and_both_work() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    app.advance(5);
    let answer = rotate(&app, &client).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("etag"), "\"2\"");
    let (id, secret) = (answer.text("id"), answer.text("clientSecret"));
    assert_eq!(
        answer.header("location"),
        format!("{ISSUER}/admin/clients/{}/secrets/{id}", client.id)
    );
    let expected = json!({
        "id": id, "clientSecret": secret, "createdAt": app.now().to_string(), "expiresAt": null,
    });
    assert_eq!(answer.json(), expected);
    assert!(secret.starts_with("m2m_secret_") && secret != client.secret);
    let next = TestClient { secret, ..client.clone() };
    assert_eq!(app.token(&client, &[]).await.status, 200);
    assert_eq!(app.token(&next, &[]).await.status, 200);
    assert_eq!(secrets(&app, &client).await.len(), 2);
}

#[tokio::test]
async fn a_deleted_secret_stops_at_once_though_it_was_remembered() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let old = secrets(&app, &client).await[0]["id"].as_str().unwrap().to_owned();
    let secret = rotate(&app, &client).await.text("clientSecret");
    let next = TestClient { secret, ..client.clone() };
    assert_eq!(app.token(&client, &[]).await.status, 200);
    let answer = delete(&app, &client, &old).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["secrets"].as_array().unwrap().len(), 1);
    assert_eq!(app.token(&client, &[]).await.outcome(), (401, "invalid_client".into()));
    assert_eq!(app.token(&next, &[]).await.status, 200);
}

#[tokio::test]
async fn a_third_live_secret_is_409() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    assert_eq!(rotate(&app, &client).await.status, 201);
    assert_eq!(rotate(&app, &client).await.status, 409);
    assert_eq!(secrets(&app, &client).await.len(), 2);
}

#[tokio::test]
async fn an_ended_secret_makes_room_and_is_forgotten() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    app.advance(1);
    let call = app.admin("POST", &path(&client)).json(&json!({"expirePreviousIn": 60}));
    assert_eq!(call.send().await.status, 201);
    let ends = identety_domain::Timestamp::plus(app.now(), 60).to_string();
    assert_eq!(secrets(&app, &client).await[0]["expiresAt"], ends.as_str());
    app.advance(60);
    assert_eq!(rotate(&app, &client).await.status, 201);
    assert_eq!(secrets(&app, &client).await.len(), 2);
}

#[tokio::test]
async fn expire_previous_in_zero_ends_the_older_secret_now() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let call = app.admin("POST", &path(&client)).json(&json!({"expirePreviousIn": 0}));
    assert_eq!(call.send().await.status, 201);
    assert_eq!(app.token(&client, &[]).await.status, 401);
}

#[tokio::test]
async fn the_last_live_secret_stays() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let own = secrets(&app, &client).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(delete(&app, &client, &own).await.status, 409);
    // Nor does one that has ended count as live.
    let call = app.admin("POST", &path(&client)).json(&json!({"expirePreviousIn": 10}));
    let newer = call.send().await.text("id");
    app.advance(10);
    assert_eq!(delete(&app, &client, &newer).await.status, 409);
    assert_eq!(delete(&app, &client, &own).await.status, 200);
}

#[tokio::test]
async fn of_concurrent_rotations_one_takes_the_free_place() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let tasks: Vec<_> =
        (0..10).map(|_| tokio::spawn(app.admin("POST", &path(&client)).send())).collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap().status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 9, "{statuses:?}");
    assert_eq!(secrets(&app, &client).await.len(), 2);
}

#[rstest]
#[case(json!({"expirePreviousIn": -1}), "expirePreviousIn")]
#[case(json!({"expirePreviousIn": "60"}), "expirePreviousIn")]
#[case(json!({"expirePreviousIn": 31_536_001}), "expirePreviousIn")]
#[case(json!({"clientSecret": "my-own-secret-please"}), "clientSecret")]
#[tokio::test]
async fn a_rotation_that_breaks_a_rule_is_400_and_named(
    #[case] members: Value,
    #[case] field: &str,
) {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let answer = app.admin("POST", &path(&client)).json(&members).send().await;
    assert_eq!((answer.status, answer.fields()), (400, vec![field.into()]));
    assert_eq!(secrets(&app, &client).await.len(), 1);
}

#[tokio::test]
async fn a_public_client_has_no_secret_to_rotate() {
    let app = TestApp::start().await;
    let client = app.register(json!({"name": "App", "type": "public"})).await;
    assert_eq!(rotate(&app, &client).await.status, 409);
}

#[tokio::test]
async fn a_secret_or_client_that_is_not_there_is_404() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let nobody = TestClient { id: "01890000-0000-7000-8000-000000000000".into(), ..client.clone() };
    assert_eq!(rotate(&app, &nobody).await.status, 404);
    for id in ["01890000-0000-7000-8000-000000000000", "nonsense"] {
        assert_eq!(delete(&app, &client, id).await.status, 404);
    }
}

#[tokio::test]
async fn if_match_holds_for_rotations_too() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let call = app.admin("POST", &path(&client)).header("if-match", "\"9\"");
    assert_eq!(call.send().await.status, 412);
    let call = app.admin("POST", &path(&client)).header("if-match", "\"1\"");
    assert_eq!(call.send().await.status, 201);
}
