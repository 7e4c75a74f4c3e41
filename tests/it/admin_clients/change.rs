//! `PATCH` and `DELETE /admin/clients/{id}`.

use identety_tests::app::{TestApp, TestClient};
use identety_tests::call::{Answer, Call};
use rstest::rstest;
use serde_json::{Value, json};

fn call(app: &TestApp, method: &str, client: &TestClient) -> Call {
    app.admin(method, &format!("/admin/clients/{}", client.id))
}

async fn patch(app: &TestApp, client: &TestClient, members: &Value) -> Answer {
    call(app, "PATCH", client).json(members).send().await
}

async fn show(app: &TestApp, client: &TestClient) -> Value {
    call(app, "GET", client).send().await.json()
}

#[tokio::test]
async fn what_is_not_named_stays() {
    let app = TestApp::start().await;
    let client = app
        .register(json!({
            "name": "Web", "type": "private", "redirectUris": ["https://app.example.com/cb"],
            "scopes": ["openid"], "metadata": {"team": "orders"},
        }))
        .await;
    let before = show(&app, &client).await;
    app.advance(5);
    let answer = patch(&app, &client, &json!({"name": "Renamed"})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("etag"), "\"2\"");
    let mut expected = before;
    expected["name"] = "Renamed".into();
    expected["version"] = 2.into();
    expected["updatedAt"] = app.now().to_string().into();
    assert_eq!(answer.json(), expected);
    assert_eq!(show(&app, &client).await, expected);
}

#[tokio::test]
async fn null_is_the_default_again() {
    let app = TestApp::start().await;
    let client = app
        .register(json!({
            "name": "Orders", "type": "m2m", "accessTokenLifetime": 60, "scopes": ["read"],
            "logoUri": "https://example.com/logo.png", "metadata": {"team": "orders"},
        }))
        .await;
    let members = json!({
        "accessTokenLifetime": null, "scopes": null, "logoUri": null, "metadata": null,
    });
    let changed = patch(&app, &client, &members).await.json();
    assert_eq!(changed["accessTokenLifetime"], 3600);
    assert_eq!(changed["scopes"], json!([]));
    assert_eq!(changed["logoUri"], Value::Null);
    assert_eq!(changed["metadata"], json!({}));
    let answer = patch(&app, &client, &json!({"name": null})).await;
    assert_eq!((answer.status, answer.fields()), (400, vec!["name".into()]));
}

#[tokio::test]
async fn a_client_sent_back_as_it_was_read_changes_nothing() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let shown = show(&app, &client).await;
    app.advance(5);
    let answer = patch(&app, &client, &shown).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert_eq!(answer.json(), shown);
}

#[tokio::test]
async fn a_change_under_either_name_wins_over_the_other_name_left_as_it_was() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let mut shown = show(&app, &client).await;
    shown["allowedScopes"] = json!(["read", "write"]);
    shown["settings"]["accessTokenTTL"] = 120.into();
    let changed = patch(&app, &client, &shown).await;
    assert_eq!(changed.status, 200, "{}", changed.json());
    assert_eq!(changed.json()["scopes"], json!(["read", "write"]));
    assert_eq!(changed.json()["accessTokenLifetime"], 120);
    let contradiction = json!({"scopes": ["a"], "allowedScopes": ["b"]});
    let answer = patch(&app, &client, &contradiction).await;
    assert_eq!((answer.status, answer.fields()), (400, vec!["scopes".into()]));
}

#[rstest]
#[case("id", json!("01890000-0000-7000-8000-000000000000"))]
#[case("type", json!("public"))]
#[case("clientId", json!("other"))]
#[case("clientSecret", json!("a-secret-of-24-characters"))]
#[case("secrets", json!([]))]
#[case("createdAt", json!("2020-01-01T00:00:00.000Z"))]
#[case("updatedAt", json!("2020-01-01T00:00:00.000Z"))]
#[case("version", json!(99))]
#[case("unknown", json!(1))]
#[case("redirectUris", json!(["https://app.example.com/cb"]))]
#[case("grants[0]", json!(["authorization_code"]))]
#[case("scopes[0]", json!(["openid"]))]
#[tokio::test]
async fn a_member_that_may_not_change_so_is_400_and_named(
    #[case] field: &str,
    #[case] value: Value,
) {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let before = show(&app, &client).await;
    let member = field.split('[').next().unwrap();
    let answer = patch(&app, &client, &json!({"name": "y", member: value})).await;
    assert_eq!((answer.status, answer.fields()), (400, vec![field.into()]), "{}", answer.json());
    assert_eq!(show(&app, &client).await, before);
}

#[tokio::test]
async fn a_change_may_say_that_it_is_a_merge_patch() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let call = call(&app, "PATCH", &client);
    let answer = call.body("application/merge-patch+json", r#"{"name": "y"}"#).send().await;
    assert_eq!((answer.status, answer.text("name")), (200, "y".into()));
}

#[tokio::test]
async fn if_match_lets_a_change_through_only_on_top_of_what_was_seen() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let patch_if = async |etag: &str, name: &str| {
        let call = call(&app, "PATCH", &client).header("if-match", etag);
        call.json(&json!({"name": name})).send().await.status
    };
    assert_eq!(patch_if("\"1\"", "a").await, 200);
    assert_eq!(patch_if("\"1\"", "b").await, 412);
    assert_eq!(patch_if("W/\"2\"", "b").await, 412);
    assert_eq!(patch_if("nonsense", "b").await, 412);
    assert_eq!(patch_if("\"7\", \"2\"", "b").await, 200);
    assert_eq!(patch_if("*", "c").await, 200);
    assert_eq!(show(&app, &client).await["name"], "c");
    let stale = call(&app, "DELETE", &client).header("if-match", "\"1\"").send().await;
    assert_eq!(stale.status, 412);
    let fresh = call(&app, "DELETE", &client).header("if-match", "\"4\"").send().await;
    assert_eq!(fresh.status, 200);
}

#[tokio::test]
async fn of_concurrent_changes_on_top_of_one_version_one_wins() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let call = call(&app, "PATCH", &client).header("if-match", "\"1\"");
            tokio::spawn(call.json(&json!({"name": format!("Contender {n}")})).send())
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap().status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 19);
    assert_eq!(show(&app, &client).await["version"], 2);
}

#[tokio::test]
async fn a_change_and_a_rotation_at_once_lose_neither() {
    let app = TestApp::start().await;
    for round in 0..20 {
        let client = app.m2m_client(&["read"]).await;
        let name = format!("Renamed {round}");
        let renamed = call(&app, "PATCH", &client).json(&json!({"name": name})).send();
        let path = format!("/admin/clients/{}/secrets", client.id);
        let rotated = app.admin("POST", &path).send();
        let (renamed, rotated) = (tokio::spawn(renamed), tokio::spawn(rotated));
        let (renamed, rotated) = (renamed.await.unwrap(), rotated.await.unwrap());
        assert_eq!((renamed.status, rotated.status), (200, 201));
        let shown = show(&app, &client).await;
        assert_eq!(shown["name"], name);
        assert_eq!(shown["secrets"].as_array().unwrap().len(), 2);
        assert_eq!(shown["version"], 3);
        let secret = rotated.text("clientSecret");
        let next = TestClient { secret, ..client.clone() };
        assert_eq!(app.token(&next, &[]).await.status, 200);
        assert_eq!(app.token(&client, &[]).await.status, 200);
    }
}

#[tokio::test]
async fn deleting_answers_with_the_client_as_it_was_and_it_is_gone() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let shown = show(&app, &client).await;
    let answer = call(&app, "DELETE", &client).send().await;
    assert_eq!((answer.status, answer.json()), (200, shown));
    for method in ["GET", "DELETE"] {
        assert_eq!(call(&app, method, &client).send().await.status, 404);
    }
    assert_eq!(app.token(&client, &[]).await.outcome(), (401, "invalid_client".into()));
    assert_eq!(app.admin("GET", "/admin/clients").send().await.json()["meta"]["total"], 0);
}

#[tokio::test]
async fn a_deleted_client_id_may_be_registered_anew() {
    let app = TestApp::start().await;
    let members = json!({"name": "x", "type": "m2m", "clientId": "orders"});
    let first = app.register(members.clone()).await;
    assert_eq!(call(&app, "DELETE", &first).send().await.status, 200);
    let second = app.register(members).await;
    assert_ne!(second.id, first.id);
    assert_eq!(app.token(&first, &[]).await.status, 401);
    assert_eq!(app.token(&second, &[]).await.status, 200);
}

#[tokio::test]
async fn a_clock_that_steps_back_takes_no_time_back() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    app.change(&client, json!({"name": "Later"})).await;
    let before = show(&app, &client).await;
    app.rewind(60);
    let changed = patch(&app, &client, &json!({"name": "Earlier"})).await.json();
    assert_eq!(changed["updatedAt"], before["updatedAt"]);
    assert_eq!(changed["version"], 3);
    let answer = app.token(&client, &[]).await;
    assert_eq!(answer.json()["expires_in"], 3600);
}
