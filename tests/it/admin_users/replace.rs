//! `PUT /admin/users/{id}`.

use identety_tests::app::TestApp;
use serde_json::{Value, json};

use super::{ada, call, full, patch, show};

#[tokio::test]
async fn what_is_not_named_is_the_default_again() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let before = show(&app, &user).await;
    patch(&app, &user, &full()).await;
    app.advance(5);
    let members = json!({"email": "ada@example.com", "nickname": "Countess"});
    let answer = call(&app, "PUT", &user).json(&members).send().await;
    assert_eq!((answer.status, answer.header("etag")), (200, "\"3\""));
    let mut expected = before;
    expected["email"] = "ada@example.com".into();
    expected["nickname"] = "Countess".into();
    expected["version"] = 3.into();
    expected["updatedAt"] = app.now().to_string().into();
    assert_eq!(answer.json(), expected);
    assert_eq!(show(&app, &user).await, expected);
}

#[tokio::test]
async fn the_email_has_no_default_and_stays_with_its_verification() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    patch(&app, &user, &full()).await;
    let changed = call(&app, "PUT", &user).json(&json!({})).send().await.json();
    assert_eq!(changed["email"], "Ada@example.com");
    assert_eq!(changed["emailVerified"], true);
    assert_eq!(changed["name"], Value::Null);
    let refused = call(&app, "PUT", &user).json(&json!({"email": null})).send().await;
    assert_eq!((refused.status, refused.fields()), (400, vec!["email".into()]));
}

#[tokio::test]
async fn the_password_stays() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let before = show(&app, &user).await;
    app.advance(5);
    let changed = call(&app, "PUT", &user).json(&json!({"name": "Ada"})).send().await.json();
    assert_eq!(changed["hasPassword"], true);
    assert_eq!(changed["passwordChangedAt"], before["passwordChangedAt"]);
}

#[tokio::test]
async fn a_replacement_is_no_merge_patch() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let call = call(&app, "PUT", &user);
    let answer = call.body("application/merge-patch+json", r#"{"name": "y"}"#).send().await;
    assert_eq!(answer.status, 400);
}
