//! `PATCH /admin/users/{id}`.

use identety_tests::app::TestApp;
use rstest::rstest;
use serde_json::{Value, json};

use super::{PASSWORD, ada, call, create, full, patch, show};

#[tokio::test]
async fn what_is_not_named_stays() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    assert_eq!(patch(&app, &user, &full()).await.status, 200);
    let mut expected = show(&app, &user).await;
    app.advance(5);
    let answer = patch(&app, &user, &json!({"name": "Countess"})).await;
    assert_eq!((answer.status, answer.header("etag")), (200, "\"3\""));
    expected["name"] = "Countess".into();
    expected["version"] = 3.into();
    expected["updatedAt"] = app.now().to_string().into();
    assert_eq!(answer.json(), expected);
    assert_eq!(show(&app, &user).await, expected);
}

#[tokio::test]
async fn null_is_the_default_again() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let before = show(&app, &user).await;
    assert_eq!(patch(&app, &user, &full()).await.status, 200);
    let names: Vec<_> = full().as_object().unwrap().keys().cloned().collect();
    let nulls: Value = names
        .iter()
        .filter(|name| *name != "email")
        .map(|name| (name.clone(), json!(null)))
        .collect();
    let changed = patch(&app, &user, &nulls).await.json();
    for name in names {
        assert_eq!(changed[&name], before[&name], "{name}");
    }
    let answer = patch(&app, &user, &json!({"email": null})).await;
    assert_eq!((answer.status, answer.fields()), (400, vec!["email".into()]));
}

#[tokio::test]
async fn inside_objects_a_patch_names_only_what_changes() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let metadata = json!({"team": "engines", "floor": "1"});
    let address = json!({"locality": "London", "country": "GB"});
    patch(&app, &user, &json!({"address": address, "metadata": metadata})).await;
    let members = json!({
        "address": {"locality": null, "region": "Kent"},
        "metadata": {"floor": null, "desk": "7"},
    });
    let changed = patch(&app, &user, &members).await.json();
    assert_eq!(changed["metadata"], json!({"team": "engines", "desk": "7"}));
    let address = &changed["address"];
    assert_eq!((&address["region"], &address["country"]), (&json!("Kent"), &json!("GB")));
    assert_eq!(address["locality"], Value::Null);
    let nothing_left = json!({"address": {"region": "", "country": null}});
    assert_eq!(patch(&app, &user, &nothing_left).await.json()["address"], Value::Null);
}

#[tokio::test]
async fn a_user_sent_back_as_it_was_read_changes_nothing() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    patch(&app, &user, &full()).await;
    let shown = show(&app, &user).await;
    app.advance(5);
    for method in ["PATCH", "PUT"] {
        let answer = call(&app, method, &user).json(&shown).send().await;
        assert_eq!((answer.status, answer.json()), (200, shown.clone()), "{method}");
    }
}

#[rstest]
#[case("id", json!("01890000-0000-7000-8000-000000000000"))]
#[case("hasPassword", json!(false))]
#[case("passwordChangedAt", json!(null))]
#[case("createdAt", json!("2020-01-01T00:00:00.000Z"))]
#[case("updatedAt", json!("2020-01-01T00:00:00.000Z"))]
#[case("version", json!(99))]
#[case("password", json!("battery staple"))]
#[case("unknown", json!(null))]
#[case("locale", json!("x"))]
#[case("address.planet", json!({"planet": "Earth"}))]
#[case("metadata", json!({"a": {"b": "c"}}))]
#[tokio::test]
async fn a_member_that_may_not_change_so_is_400_and_named(
    #[case] field: &str,
    #[case] value: Value,
) {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let before = show(&app, &user).await;
    let member = field.split('.').next().unwrap();
    for method in ["PATCH", "PUT"] {
        let call = call(&app, method, &user);
        let answer = call.json(&json!({"name": "y", member: value})).send().await;
        assert_eq!((answer.status, answer.fields()), (400, vec![field.into()]), "{method}");
    }
    assert_eq!(show(&app, &user).await, before);
}

#[tokio::test]
async fn another_email_or_number_is_not_verified_unless_the_change_says_so() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    patch(&app, &user, &full()).await;
    let verified = async |members: Value| {
        let changed = patch(&app, &user, &members).await.json();
        (changed["emailVerified"] == true, changed["phoneNumberVerified"] == true)
    };
    assert_eq!(verified(json!({"email": "ADA@example.com"})).await, (true, true));
    assert_eq!(verified(json!({"email": "lovelace@example.com"})).await, (false, true));
    assert_eq!(verified(json!({"phoneNumber": "+4930654321"})).await, (false, false));
    let both = json!({
        "email": "ada@example.com", "emailVerified": true,
        "phoneNumber": "+4930123456", "phoneNumberVerified": true,
    });
    assert_eq!(verified(both).await, (true, true));
    assert_eq!(verified(json!({"phoneNumber": null})).await, (true, false));
}

#[tokio::test]
async fn an_email_can_be_changed_to_one_that_is_free_and_is_free_itself_then() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    app.user("grace@example.com", PASSWORD).await;
    let before = show(&app, &user).await;
    let taken = patch(&app, &user, &json!({"email": "Grace@example.com", "name": "Ada"})).await;
    assert_eq!(taken.status, 409);
    assert!(taken.text("detail").starts_with("email: "), "{}", taken.json());
    assert_eq!(show(&app, &user).await, before);
    let free = patch(&app, &user, &json!({"email": "lovelace@example.com"})).await;
    assert_eq!((free.status, free.text("email")), (200, "lovelace@example.com".into()));
    assert_eq!(create(&app, &json!({"email": "ada@example.com"})).await.status, 201);
    assert_eq!(create(&app, &json!({"email": "lovelace@example.com"})).await.status, 409);
}

#[tokio::test]
async fn a_change_may_say_that_it_is_a_merge_patch() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let call = call(&app, "PATCH", &user);
    let answer = call.body("application/merge-patch+json", r#"{"name": "y"}"#).send().await;
    assert_eq!((answer.status, answer.text("name")), (200, "y".into()));
}

#[tokio::test]
async fn if_match_lets_a_change_through_only_on_top_of_what_was_seen() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let change_if = async |method: &str, etag: &str, name: &str| {
        let call = call(&app, method, &user).header("if-match", etag);
        call.json(&json!({"name": name})).send().await.status
    };
    assert_eq!(change_if("PATCH", "\"1\"", "a").await, 200);
    assert_eq!(change_if("PATCH", "\"1\"", "b").await, 412);
    assert_eq!(change_if("PATCH", "W/\"2\"", "b").await, 412);
    assert_eq!(change_if("PUT", "\"1\"", "b").await, 412);
    assert_eq!(change_if("PUT", "\"7\", \"2\"", "b").await, 200);
    assert_eq!(change_if("PATCH", "*", "c").await, 200);
    assert_eq!(show(&app, &user).await["name"], "c");
    let stale = call(&app, "DELETE", &user).header("if-match", "\"1\"").send().await;
    assert_eq!(stale.status, 412);
    let fresh = call(&app, "DELETE", &user).header("if-match", "\"4\"").send().await;
    assert_eq!(fresh.status, 200);
}

#[tokio::test]
async fn of_concurrent_changes_on_top_of_one_version_one_wins() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let call = call(&app, "PATCH", &user).header("if-match", "\"1\"");
            tokio::spawn(call.json(&json!({"email": format!("contender.{n}@example.com")})).send())
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap().status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 19);
    assert_eq!(show(&app, &user).await["version"], 2);
}

#[tokio::test]
async fn two_changes_at_once_of_different_members_lose_neither() {
    let app = TestApp::start().await;
    for round in 0..20 {
        let user = app.user(&format!("ada.{round}@example.com"), PASSWORD).await;
        let email = format!("lovelace.{round}@example.com");
        let named = call(&app, "PATCH", &user).json(&json!({"name": "Ada"})).send();
        let moved = call(&app, "PATCH", &user).json(&json!({"email": email})).send();
        let (named, moved) = (tokio::spawn(named), tokio::spawn(moved));
        let statuses = (named.await.unwrap().status, moved.await.unwrap().status);
        assert_eq!(statuses, (200, 200));
        let shown = show(&app, &user).await;
        assert_eq!((&shown["name"], &shown["email"]), (&json!("Ada"), &json!(email)));
        assert_eq!(shown["version"], 3);
    }
}

#[tokio::test]
async fn a_clock_that_steps_back_takes_no_time_back() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let before = show(&app, &user).await;
    app.rewind(60);
    let changed = patch(&app, &user, &json!({"name": "Earlier"})).await.json();
    assert_eq!(changed["updatedAt"], before["updatedAt"]);
    assert_eq!(changed["version"], 2);
}
