//! `GET /admin/clients` and `GET /admin/clients/{id}`.

use std::collections::HashSet;

use identety_tests::app::TestApp;
use rstest::rstest;
use serde_json::{Value, json};

/// Registers `count` clients, the first of them the oldest.
async fn with_clients(count: usize) -> TestApp {
    let app = TestApp::start().await;
    for n in 0..count {
        app.register(json!({"name": format!("Client {n:03}"), "type": "public"})).await;
        app.advance(1);
    }
    app
}

async fn list(app: &TestApp, query: &str) -> Value {
    let answer = app.admin("GET", &format!("/admin/clients{query}")).send().await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

fn names(list: &Value) -> Vec<String> {
    let nodes = list["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_newest_ten_come_first_with_the_way_to_the_rest() {
    let app = with_clients(12).await;
    let first = list(&app, "").await;
    assert_eq!(names(&first).first().unwrap(), "Client 011");
    assert_eq!(names(&first).len(), 10);
    let cursor = first["meta"]["nextCursor"].as_str().unwrap();
    assert_eq!(first["meta"], json!({"limit": 10, "page": 1, "total": 12, "nextCursor": cursor}));
    let second = list(&app, &format!("?cursor={cursor}")).await;
    assert_eq!(names(&second), ["Client 001", "Client 000"]);
    assert_eq!(
        second["meta"],
        json!({"limit": 10, "page": null, "total": null, "nextCursor": null})
    );
}

#[tokio::test]
async fn cursors_and_pages_lead_through_all_clients_once() {
    let app = with_clients(23).await;
    for limit in [1, 7, 23, 100] {
        let mut by_cursor = Vec::new();
        let mut query = format!("?limit={limit}&sort=asc");
        loop {
            let piece = list(&app, &query).await;
            by_cursor.extend(names(&piece));
            match piece["meta"]["nextCursor"].as_str() {
                Some(cursor) => query = format!("?limit={limit}&sort=asc&cursor={cursor}"),
                None => break,
            }
        }
        let mut by_page = Vec::new();
        for page in 1..=23 {
            by_page
                .extend(names(&list(&app, &format!("?limit={limit}&sort=asc&page={page}")).await));
        }
        let expected: Vec<_> = (0..23).map(|n| format!("Client {n:03}")).collect();
        assert_eq!(by_cursor, expected, "limit {limit}");
        assert_eq!(by_page, expected, "limit {limit}");
    }
}

#[tokio::test]
async fn a_list_without_clients_is_empty() {
    let app = TestApp::start().await;
    let empty = json!({
        "nodes": [], "meta": {"limit": 10, "page": 1, "total": 0, "nextCursor": null},
    });
    assert_eq!(list(&app, "").await, empty);
    assert_eq!(list(&app, "?page=1000000&limit=100").await["nodes"], json!([]));
    // As Identety's SDK writes numbers.
    assert_eq!(list(&app, "?page=1.0&limit=10.0").await, empty);
}

#[rstest]
#[case("?sortBy=name&sort=asc", ["alpha", "Beta", "gamma"])]
#[case("?sortBy=name&sort=desc", ["gamma", "Beta", "alpha"])]
#[case("?sortBy=name", ["gamma", "Beta", "alpha"])]
#[case("?sortBy=created_at&sort=asc", ["gamma", "alpha", "Beta"])]
#[case("?sortBy=type&sort=asc", ["gamma", "Beta", "alpha"])]
#[case("?sortBy=updatedAt&sort=desc", ["alpha", "Beta", "gamma"])]
#[tokio::test]
async fn a_list_can_be_sorted_by_other_members(#[case] query: &str, #[case] expected: [&str; 3]) {
    let app = TestApp::start().await;
    app.register(json!({"name": "gamma", "type": "m2m"})).await;
    app.advance(1);
    let alpha = app.register(json!({"name": "alpha", "type": "public"})).await;
    app.advance(1);
    app.register(json!({"name": "Beta", "type": "private"})).await;
    app.advance(1);
    app.change(&alpha, json!({"skipConsent": true})).await;
    assert_eq!(names(&list(&app, query).await), expected);
    let second = list(&app, &format!("{query}&limit=1&page=2")).await;
    assert_eq!(names(&second), [expected[1]]);
}

#[tokio::test]
async fn columns_narrow_the_nodes_in_either_spelling_and_never_show_a_secret() {
    let app = TestApp::start().await;
    app.m2m_client(&["read"]).await;
    let narrowed = list(&app, "?columns=name,client_id,redirectUris,client_secret,tenant_id").await;
    let members: HashSet<_> = narrowed["nodes"][0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["name", "clientId", "redirectUris"].map(String::from).into());
}

#[rstest]
#[case("limit=0", "limit")]
#[case("limit=-1", "limit")]
#[case("limit=101", "limit")]
#[case("limit=1000000000", "limit")]
#[case("limit=99999999999999999999", "limit")]
#[case("limit=ten", "limit")]
#[case("limit=%2B5", "limit")]
#[case("page=0", "page")]
#[case("page=-1", "page")]
#[case("page=1.5", "page")]
#[case("page=1000001", "page")]
#[case("cursor=forged", "cursor")]
#[case("cursor=AAAAAAAAAAAAAAAAAAAAAA", "cursor")]
#[case("sort=up", "sort")]
#[case("sortBy=secrets", "sortBy")]
#[case("sortBy=name%3BDROP", "sortBy")]
#[case("columns=name%3Bsecrets", "columns")]
#[case("columns=phc", "columns")]
#[case("columns=*", "columns")]
#[case("unknown=1", "unknown")]
#[case("limit=1&limit=2", "query")]
#[case("limit=%ff", "query")]
#[tokio::test]
async fn a_query_that_breaks_a_rule_is_400_and_named(#[case] query: &str, #[case] field: &str) {
    let app = TestApp::start().await;
    let answer = app.admin("GET", &format!("/admin/clients?{query}")).send().await;
    assert_eq!((answer.status, answer.fields()), (400, vec![field.into()]));
}

#[tokio::test]
async fn page_and_cursor_exclude_each_other() {
    let app = with_clients(2).await;
    let first = list(&app, "?limit=1").await;
    let cursor = first["meta"]["nextCursor"].as_str().unwrap();
    for (query, field) in [("page=1", "page"), ("sortBy=name", "cursor")] {
        let path = format!("/admin/clients?cursor={cursor}&{query}");
        let answer = app.admin("GET", &path).send().await;
        assert_eq!((answer.status, answer.fields()), (400, vec![field.into()]));
    }
}

#[tokio::test]
async fn a_client_is_shown_by_its_id_with_its_etag() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let answer = app.admin("GET", &format!("/admin/clients/{}", client.id)).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.text("clientId"), client.client_id);
}

#[rstest]
#[case("01890000-0000-7000-8000-000000000000")]
#[case("not-a-uuid")]
#[case("..")]
#[case("%00")]
#[case("m2m_AAAAAAAAAAAAAAAAAAAAAAAA")]
#[tokio::test]
async fn an_id_that_nobody_has_is_404(#[case] id: &str) {
    let app = TestApp::start().await;
    for method in ["GET", "DELETE", "PATCH"] {
        let call = app.admin(method, &format!("/admin/clients/{id}"));
        let answer = call.json(&json!({"name": "x"})).send().await;
        assert_eq!(answer.status, 404, "{method}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}
