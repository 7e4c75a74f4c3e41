//! `PUT /admin/users/{id}/password`.

use identety_domain::hashing::{HashCost, Verification};
use identety_domain::user::User;
use identety_tests::app::{TestApp, TestUser};
use identety_tests::call::Answer;
use rstest::rstest;
use serde_json::{Value, json};

use super::{PASSWORD, ada, create, show};

async fn set(app: &TestApp, user: &TestUser, members: &Value) -> Answer {
    let path = format!("/admin/users/{}/password", user.id);
    app.admin("PUT", &path).json(members).send().await
}

async fn stored(app: &TestApp, user: &TestUser) -> User {
    let id = user.id.parse().unwrap();
    app.stores.users.find(id).await.unwrap().unwrap()
}

fn matches(app: &TestApp, user: &User, password: &str) -> bool {
    let phc = &user.password.as_ref().unwrap().phc;
    let found = app.hasher.verify(&password.into(), phc, HashCost::Chosen).unwrap();
    found == Verification::Match
}

#[tokio::test]
async fn a_new_password_takes_the_place_of_the_old_one() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let signed_in_at = app.now();
    assert!(stored(&app, &user).await.stands_by(signed_in_at));
    app.advance(5);
    let answer = set(&app, &user, &json!({"password": "battery staple"})).await;
    assert_eq!((answer.status, answer.header("etag")), (204, "\"2\""));
    assert!(answer.body.is_empty());
    let shown = show(&app, &user).await;
    assert_eq!(shown["passwordChangedAt"], app.now().to_string());
    assert_eq!(shown["version"], 2);
    let user = stored(&app, &user).await;
    assert!(matches(&app, &user, "battery staple"));
    assert!(!matches(&app, &user, PASSWORD));
    assert!(!user.stands_by(signed_in_at), "whoever signed in before has to sign in again");
    assert!(user.stands_by(app.now()));
}

#[tokio::test]
async fn a_user_without_a_password_gets_one() {
    let app = TestApp::start().await;
    let id = create(&app, &json!({"email": "ada@example.com"})).await.text("id");
    let user = TestUser { id, email: "ada@example.com".into(), password: PASSWORD.into() };
    assert_eq!(show(&app, &user).await["hasPassword"], false);
    assert_eq!(set(&app, &user, &json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(show(&app, &user).await["hasPassword"], true);
    assert!(matches(&app, &stored(&app, &user).await, PASSWORD));
    assert!(!app.dump().contains(PASSWORD));
}

#[rstest]
#[case("password", json!({}))]
#[case("password", json!({"password": null}))]
#[case("password", json!({"password": "7 chars"}))]
#[case("password", json!({"password": "x".repeat(257)}))]
#[case("password", json!({"password": "tab\tand more"}))]
#[case("password", json!({"password": 12_345_678}))]
#[case("hash", json!({"password": "battery staple", "hash": "x"}))]
#[tokio::test]
async fn a_password_that_breaks_a_rule_is_400_and_changes_nothing(
    #[case] field: &str,
    #[case] members: Value,
) {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let answer = set(&app, &user, &members).await;
    assert_eq!((answer.status, answer.fields()), (400, vec![field.into()]), "{}", answer.json());
    assert!(!answer.text("detail").contains("chars"), "the password is not told again");
    assert!(matches(&app, &stored(&app, &user).await, PASSWORD));
}

#[tokio::test]
async fn if_match_is_heeded() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let path = format!("/admin/users/{}/password", user.id);
    for (etag, status) in [("\"7\"", 412), ("\"1\"", 204)] {
        let call = app.admin("PUT", &path).header("if-match", etag);
        let answer = call.json(&json!({"password": "battery staple"})).send().await;
        assert_eq!(answer.status, status, "{etag}");
    }
}

#[tokio::test]
async fn only_put_is_allowed() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    for method in ["GET", "POST", "PATCH", "DELETE"] {
        let path = format!("/admin/users/{}/password", user.id);
        let answer = app.admin(method, &path).json(&json!({"password": PASSWORD})).send().await;
        assert_eq!((answer.status, answer.header("allow")), (405, "PUT"), "{method}");
    }
}
