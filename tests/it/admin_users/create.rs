//! `POST /admin/users` and `GET /admin/users/{id}`.

use identety_tests::app::{ISSUER, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

use super::{PASSWORD, create, full};

#[tokio::test]
async fn the_answer_is_the_whole_user_without_the_password() {
    let app = TestApp::start().await;
    let answer = create(&app, &json!({"email": "Ada@example.com", "password": PASSWORD})).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.header("cache-control"), "no-store");
    let mut body = answer.json();
    let id = body["id"].take().as_str().unwrap().to_owned();
    assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 7);
    assert_eq!(answer.header("location"), format!("{ISSUER}/admin/users/{id}"));
    let now = app.now().to_string();
    for member in ["createdAt", "updatedAt", "passwordChangedAt"] {
        assert_eq!(body[member].take(), json!(now), "{member}");
    }
    insta::assert_json_snapshot!(body, @r#"
    {
      "address": null,
      "birthdate": null,
      "createdAt": null,
      "email": "Ada@example.com",
      "emailVerified": false,
      "familyName": null,
      "gender": null,
      "givenName": null,
      "hasPassword": true,
      "id": null,
      "isActive": true,
      "locale": null,
      "metadata": {},
      "middleName": null,
      "name": null,
      "nickname": null,
      "passwordChangedAt": null,
      "phoneNumber": null,
      "phoneNumberVerified": false,
      "picture": null,
      "preferredUsername": null,
      "profile": null,
      "updatedAt": null,
      "version": 1,
      "website": null,
      "zoneinfo": null
    }
    "#);
}

#[tokio::test]
async fn every_member_comes_back_as_it_was_given() {
    let app = TestApp::start().await;
    let created = create(&app, &full()).await;
    assert_eq!(created.status, 201, "{}", created.json());
    let shown = app.admin("GET", &format!("/admin/users/{}", created.text("id"))).send().await;
    assert_eq!((shown.status, shown.header("etag")), (200, "\"1\""));
    assert_eq!(shown.json(), created.json());
    for (name, value) in full().as_object().unwrap() {
        assert_eq!(&shown.json()[name], value, "{name}");
    }
    assert_eq!(shown.json()["hasPassword"], false);
    assert_eq!(shown.json()["passwordChangedAt"], Value::Null);
}

#[tokio::test]
async fn the_password_is_at_rest_as_a_hash_only() {
    let app = TestApp::start().await;
    let user = app.user("ada@example.com", PASSWORD).await;
    let everything = app.dump();
    assert!(everything.contains("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(everything.contains(&user.id));
    assert!(!everything.contains(PASSWORD));
}

#[tokio::test]
async fn an_email_belongs_to_one_user_whatever_its_case() {
    let app = TestApp::start().await;
    app.user("ada@example.com", PASSWORD).await;
    let answer = create(&app, &json!({"email": "ADA@Example.com"})).await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(answer.text("detail").starts_with("email: "), "{}", answer.json());
    assert_eq!(app.admin("GET", "/admin/users").send().await.json()["meta"]["total"], 1);
}

#[tokio::test]
async fn of_concurrent_creations_with_one_email_one_wins() {
    let app = TestApp::start().await;
    let members = json!({"email": "ada@example.com"});
    let tasks: Vec<_> = (0..20)
        .map(|_| tokio::spawn(app.admin("POST", "/admin/users").json(&members).send()))
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap().status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 19);
}

#[rstest]
#[case("email", json!(null))]
#[case("email", json!("ada"))]
#[case("email", json!(7))]
#[case("emailVerified", json!("yes"))]
#[case("phoneNumber", json!("030123456"))]
#[case("phoneNumberVerified", json!(true))]
#[case("name", json!(""))]
#[case("name", json!("x".repeat(513)))]
#[case("givenName", json!(["Ada"]))]
#[case("familyName", json!("two\nlines"))]
#[case("middleName", json!(" "))]
#[case("nickname", json!("\u{202e}"))]
#[case("preferredUsername", json!(""))]
#[case("profile", json!("javascript:alert(1)"))]
#[case("picture", json!("data:image/png;base64,AAAA"))]
#[case("website", json!("example.com"))]
#[case("gender", json!(""))]
#[case("birthdate", json!("1990-02-30"))]
#[case("zoneinfo", json!("+02:00"))]
#[case("locale", json!("english please"))]
#[case("address", json!("London"))]
#[case("address.country", json!({"country": "x".repeat(513)}))]
#[case("address.locality", json!({"locality": 1}))]
#[case("address.planet", json!({"planet": "Earth"}))]
#[case("isActive", json!(1))]
#[case("metadata", json!({"a": 1}))]
#[case("metadata.note", json!({"note": "x".repeat(513)}))]
#[case("password", json!("7 chars"))]
#[case("password", json!("x".repeat(257)))]
#[case("password", json!("line\nbreak"))]
#[case("password", json!(12_345_678))]
#[case("id", json!("01890000-0000-7000-8000-000000000000"))]
#[case("hasPassword", json!(true))]
#[case("passwordChangedAt", json!("2020-01-01T00:00:00.000Z"))]
#[case("createdAt", json!("2020-01-01T00:00:00.000Z"))]
#[case("updatedAt", json!("2020-01-01T00:00:00.000Z"))]
#[case("version", json!(1))]
#[case("sub", json!("me"))]
#[case("given_name", json!("Ada"))]
#[tokio::test]
async fn a_member_that_breaks_a_rule_is_400_and_named(#[case] field: &str, #[case] value: Value) {
    let app = TestApp::start().await;
    let member = field.split('.').next().unwrap();
    let mut members = json!({"email": "ada@example.com"});
    members[member] = value;
    let answer = create(&app, &members).await;
    assert_eq!((answer.status, answer.fields()), (400, vec![field.into()]), "{}", answer.json());
    assert!(!answer.json()["errors"][0]["message"].as_str().unwrap().is_empty());
    assert_eq!(app.admin("GET", "/admin/users").send().await.json()["meta"]["total"], 0);
}

#[tokio::test]
async fn all_broken_rules_are_told_at_once() {
    let app = TestApp::start().await;
    let members = json!({"name": "", "birthdate": "soon", "password": "short"});
    let answer = create(&app, &members).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.fields(), ["email", "name", "birthdate", "password"]);
}

#[rstest]
#[case("application/json", r#"{"email": "a@b.c", "email": "d@e.f"}"#, 400)]
#[case("application/json", r#"{"email": "a@b.c", "address": {"region": "a", "region": "b"}}"#, 400)]
#[case("application/json", "[]", 400)]
#[case("application/json", "", 400)]
#[case("application/x-www-form-urlencoded", "email=a@b.c", 400)]
#[case("application/merge-patch+json", r#"{"email": "a@b.c"}"#, 400)]
#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused(
    #[case] media_type: &str,
    #[case] body: &'static str,
    #[case] status: u16,
) {
    let app = TestApp::start().await;
    let answer = app.admin("POST", "/admin/users").body(media_type, body).send().await;
    assert_eq!(answer.status, status);
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn a_user_that_is_not_there_is_404() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&[]).await;
    for id in ["nobody", "01890000-0000-7000-8000-000000000000", &client.id] {
        for method in ["GET", "PATCH", "PUT", "DELETE"] {
            let call = app.admin(method, &format!("/admin/users/{id}"));
            assert_eq!(call.json(&json!({})).send().await.status, 404, "{method} {id}");
        }
        let call = app.admin("PUT", &format!("/admin/users/{id}/password"));
        let answer = call.json(&json!({"password": PASSWORD})).send().await;
        assert_eq!(answer.status, 404, "{id}");
    }
}
