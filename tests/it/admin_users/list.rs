//! `GET /admin/users`.

use std::collections::HashSet;

use identety_tests::app::{TestApp, TestUser};
use rstest::rstest;
use serde_json::{Value, json};

use super::{PASSWORD, create, patch};

async fn list(app: &TestApp, query: &str) -> Value {
    let answer = app.admin("GET", &format!("/admin/users{query}")).send().await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

fn emails(list: &Value) -> Vec<String> {
    let nodes = list["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["email"].as_str().unwrap().to_owned()).collect()
}

async fn without_password(app: &TestApp, members: Value) -> TestUser {
    let answer = create(app, &members).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    TestUser { id: answer.text("id"), email: answer.text("email"), password: String::new() }
}

#[tokio::test]
async fn cursors_and_pages_lead_through_all_users_once() {
    let app = TestApp::start().await;
    let mut expected = Vec::new();
    for n in 0..12 {
        let email = format!("user.{n:02}@example.com");
        without_password(&app, json!({ "email": email })).await;
        expected.push(email);
        app.advance(1);
    }
    let first = list(&app, "").await;
    assert_eq!(emails(&first).len(), 10);
    let cursor = first["meta"]["nextCursor"].as_str().unwrap();
    assert_eq!(first["meta"], json!({"limit": 10, "page": 1, "total": 12, "nextCursor": cursor}));
    let second = list(&app, &format!("?cursor={cursor}")).await;
    assert_eq!(emails(&second), [expected[1].clone(), expected[0].clone()]);
    let mut by_page = Vec::new();
    for page in 1..=3 {
        by_page.extend(emails(&list(&app, &format!("?limit=5&sort=asc&page={page}")).await));
    }
    assert_eq!(by_page, expected);
}

#[tokio::test]
async fn clients_are_no_users_and_users_no_clients() {
    let app = TestApp::start().await;
    app.m2m_client(&[]).await;
    assert_eq!(list(&app, "").await["nodes"], json!([]));
    without_password(&app, json!({"email": "ada@example.com"})).await;
    assert_eq!(list(&app, "").await["meta"]["total"], 1);
    let clients = app.admin("GET", "/admin/clients").send().await.json();
    assert_eq!(clients["meta"]["total"], 1);
}

#[rstest]
#[case("?sortBy=createdAt&sort=asc", ["c", "A", "b"])]
#[case("?sortBy=email&sort=asc", ["A", "b", "c"])]
#[case("?sortBy=name&sort=asc", ["b", "c", "A"])]
#[case("?sortBy=updated_at&sort=desc", ["A", "b", "c"])]
#[case("?sortBy=isActive&sort=asc", ["c", "A", "b"])]
#[tokio::test]
async fn a_list_can_be_sorted_by_other_members(#[case] query: &str, #[case] expected: [&str; 3]) {
    let app = TestApp::start().await;
    without_password(&app, json!({"email": "c@x.example", "name": "y", "isActive": false})).await;
    app.advance(1);
    let a = without_password(&app, json!({"email": "A@x.example"})).await;
    app.advance(1);
    without_password(&app, json!({"email": "b@x.example", "name": "X"})).await;
    app.advance(1);
    patch(&app, &a, &json!({"name": "z"})).await;
    let expected = expected.map(|name| format!("{name}@x.example"));
    assert_eq!(emails(&list(&app, query).await), expected);
    let second = list(&app, &format!("{query}&limit=1&page=2")).await;
    assert_eq!(emails(&second), [expected[1].clone()]);
}

#[tokio::test]
async fn columns_narrow_the_nodes_in_either_spelling() {
    let app = TestApp::start().await;
    app.user("ada@example.com", PASSWORD).await;
    let narrowed = list(&app, "?columns=id,email,phone_number,emailVerified").await;
    let members: HashSet<_> = narrowed["nodes"][0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["id", "email", "phoneNumber", "emailVerified"].map(String::from).into());
    assert!(!list(&app, "").await.to_string().contains("argon2"));
}

#[rstest]
#[case("limit=0", "limit")]
#[case("limit=101", "limit")]
#[case("page=0", "page")]
#[case("cursor=x", "cursor")]
#[case("sort=up", "sort")]
#[case("sortBy=clientId", "sortBy")]
#[case("columns=password", "columns")]
#[case("columns=secrets", "columns")]
#[case("email=ada", "email")]
#[tokio::test]
async fn a_query_that_says_nothing_is_400_and_named(#[case] query: &str, #[case] field: &str) {
    let app = TestApp::start().await;
    let answer = app.admin("GET", &format!("/admin/users?{query}")).send().await;
    assert_eq!((answer.status, answer.fields()), (400, vec![field.into()]));
}
