//! The member `idTokenClaims`: set, shown, changed and refused as any other.

use identety_tests::app::{TestApp, TestClient};
use identety_tests::call::Answer;
use rstest::rstest;
use serde_json::{Value, json};

async fn create(app: &TestApp, kind: &str, member: &Value) -> Answer {
    let members = json!({"name": "Photos", "type": kind, "idTokenClaims": member});
    app.admin("POST", "/admin/clients").json(&members).send().await
}

async fn patch(app: &TestApp, client: &TestClient, member: &Value) -> Answer {
    let path = format!("/admin/clients/{}", client.id);
    app.admin("PATCH", &path).json(&json!({"idTokenClaims": member})).send().await
}

#[rstest]
#[case(json!("scope"), json!("scope"))]
#[case(json!("none"), json!("none"))]
#[case(json!(["email", "address", "email"]), json!(["email", "address"]))]
#[case(json!([]), json!([]))]
#[case(Value::Null, json!("scope"))]
#[tokio::test]
async fn a_client_of_users_is_shown_with_what_it_was_given_or_the_default(
    #[case] given: Value,
    #[case] shown: Value,
    #[values("public", "private")] kind: &str,
) {
    let app = TestApp::start().await;
    let created = create(&app, kind, &given).await;
    assert_eq!((created.status, &created.json()["idTokenClaims"]), (201, &shown));
    let path = format!("/admin/clients/{}", created.text("id"));
    assert_eq!(app.admin("GET", &path).send().await.json()["idTokenClaims"], shown);
    let listed = app.admin("GET", "/admin/clients?columns=idTokenClaims").send().await.json();
    assert!(listed["nodes"].as_array().unwrap().contains(&json!({"idTokenClaims": shown})));
    // Sent back as it was read, it changes nothing.
    let mut whole = created.json();
    whole.as_object_mut().unwrap().remove("clientSecret");
    let same = app.admin("PATCH", &path).json(&whole).send().await;
    assert_eq!((same.status, same.header("etag")), (200, "\"1\""), "{}", same.json());
}

#[tokio::test]
async fn a_change_replaces_it_and_null_is_the_default_again() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    for (given, shown) in [
        (json!(["email", "name"]), json!(["email", "name"])),
        (json!(["phone_number"]), json!(["phone_number"])),
        (json!("none"), json!("none")),
        (Value::Null, json!("scope")),
    ] {
        let changed = patch(&app, &client, &given).await;
        assert_eq!((changed.status, &changed.json()["idTokenClaims"]), (200, &shown));
        let path = format!("/admin/clients/{}", client.id);
        assert_eq!(app.admin("GET", &path).send().await.json()["idTokenClaims"], shown);
    }
    let version = |answer: &Answer| answer.header("etag").to_owned();
    let before = version(&patch(&app, &client, &json!("none")).await);
    let other = json!({"name": "Renamed"});
    let path = format!("/admin/clients/{}", client.id);
    let renamed = app.admin("PATCH", &path).json(&other).send().await;
    assert_eq!(renamed.json()["idTokenClaims"], "none", "what is not named stays");
    assert_ne!(version(&renamed), before);
}

#[rstest]
#[case(json!("email"), "idTokenClaims", "scope, none, or a list")]
#[case(json!(""), "idTokenClaims", "scope, none, or a list")]
#[case(json!(true), "idTokenClaims", "a string or a list of strings")]
#[case(json!({"email": true}), "idTokenClaims", "a string or a list of strings")]
#[case(json!([1]), "idTokenClaims", "a list of strings")]
#[case(json!(["email", "sub"]), "idTokenClaims[1]", "'sub' is no claim about a user")]
#[case(json!(["profile", "aud"]), "idTokenClaims[1]", "'aud' is no claim about a user")]
#[case(json!(["scope"]), "idTokenClaims[0]", "'scope' is no claim about a user")]
#[case(json!(["Email"]), "idTokenClaims[0]", "email, email_verified, name")]
#[case(json!(vec!["email"; 20]), "idTokenClaims", "at most 19 entries")]
#[tokio::test]
async fn anything_else_is_400_and_says_what_is_wrong(
    #[case] given: Value,
    #[case] field: &str,
    #[case] rule: &str,
) {
    let app = TestApp::start().await;
    let client = app.private_client().await;
    for answer in [create(&app, "private", &given).await, patch(&app, &client, &given).await] {
        assert_eq!(
            (answer.status, answer.fields()),
            (400, vec![field.into()]),
            "{}",
            answer.json()
        );
        let message = answer.json()["errors"][0]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(rule), "{message}");
    }
}

#[tokio::test]
async fn an_m2m_client_gets_no_id_token_and_has_no_such_member() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    for given in [json!("none"), json!("scope"), json!([]), json!(["email"])] {
        let answers = [create(&app, "m2m", &given).await, patch(&app, &client, &given).await];
        for answer in answers {
            assert_eq!((answer.status, answer.fields()), (400, vec!["idTokenClaims".into()]));
        }
    }
    let created = create(&app, "m2m", &Value::Null).await;
    assert_eq!((created.status, &created.json()["idTokenClaims"]), (201, &Value::Null));
    assert_eq!(patch(&app, &client, &Value::Null).await.status, 200);
}
