//! Where a deployment lets the back channel keep clients for some seconds: what that saves, and that a change
//! takes so long and no longer. By default nothing is kept, and every change bites at once.

use identety_domain::Choices;
use identety_tests::app::{Setup, TestApp, TestClient};
use identety_tests::sign_in::PASSWORD;
use rstest::rstest;
use serde_json::json;

use crate::faults::verbs::{Failing, Failure, How, Verb, faulty_app_as};

/// For how long clients are kept here.
const KEPT: u64 = 60;

/// Nobody can read a client.
const UNREADABLE: Failure = (Verb::FindClient, How::Unavailable);

async fn app_that_keeps(seconds: u32) -> (TestApp, Failing) {
    let choices = Choices { client_cache: seconds, ..Choices::default() };
    faulty_app_as(Setup { choices, ..Setup::default() }).await
}

async fn given() -> (TestApp, Failing, TestClient) {
    let (app, fault) = app_that_keeps(60).await;
    let client = app.m2m_client(&["orders:read"]).await;
    assert_eq!(app.token(&client, &[]).await.status, 200);
    (app, fault, client)
}

#[tokio::test]
async fn a_client_that_was_read_is_not_read_again_until_its_seconds_are_over() {
    let (app, fault, client) = given().await;
    fault.set(UNREADABLE);
    assert_eq!(app.token(&client, &[]).await.status, 200);
    app.advance(KEPT - 1);
    assert_eq!(app.token(&client, &[]).await.status, 200);
    app.advance(1);
    assert_eq!(app.token(&client, &[]).await.status, 503);
}

#[tokio::test]
async fn by_default_every_request_reads_the_client() {
    let (app, fault) = app_that_keeps(0).await;
    let client = app.m2m_client(&["orders:read"]).await;
    assert_eq!(app.token(&client, &[]).await.status, 200);
    fault.set(UNREADABLE);
    assert_eq!(app.token(&client, &[]).await.status, 503);
}

#[tokio::test]
async fn to_disable_a_client_takes_as_long_as_it_is_kept_and_no_longer() {
    let (app, _, client) = given().await;
    app.change(&client, json!({"isActive": false})).await;
    app.advance(KEPT - 1);
    // Its use here does not keep it any longer.
    assert_eq!(app.token(&client, &[]).await.status, 200);
    app.advance(1);
    let refused = app.token(&client, &[]).await;
    assert_eq!((refused.status, refused.text("error").as_str()), (401, "invalid_client"));
    app.change(&client, json!({"isActive": true})).await;
    assert_eq!(app.token(&client, &[]).await.status, 200);
}

#[tokio::test]
async fn to_delete_a_client_takes_as_long_as_it_is_kept_and_no_longer() {
    let (app, _, client) = given().await;
    let deleted = app.admin("DELETE", &format!("/admin/clients/{}", client.id)).send().await;
    assert_eq!(deleted.status, 200);
    app.advance(KEPT - 1);
    assert_eq!(app.token(&client, &[]).await.status, 200);
    app.advance(1);
    assert_eq!(app.token(&client, &[]).await.status, 401);
}

#[tokio::test]
async fn a_new_secret_works_at_once_and_the_older_one_ends_when_it_was_told_to() {
    let (app, _, client) = given().await;
    let path = format!("/admin/clients/{}/secrets", client.id);
    let rotated = app.admin("POST", &path).json(&json!({"expirePreviousIn": 30})).send().await;
    assert_eq!(rotated.status, 201);
    let newer = TestClient { secret: rotated.text("clientSecret"), ..client.clone() };
    assert_eq!(app.token(&newer, &[]).await.status, 200);
    assert_eq!(app.token(&client, &[]).await.status, 200);
    // The client as it was read for the newer secret knows when the older one ends.
    app.advance(30);
    assert_eq!(app.token(&client, &[]).await.status, 401);
    assert_eq!(app.token(&newer, &[]).await.status, 200);
}

#[tokio::test]
async fn a_deleted_secret_works_as_long_as_the_client_is_kept_and_no_longer() {
    let (app, _, client) = given().await;
    let path = format!("/admin/clients/{}/secrets", client.id);
    let rotated = app.admin("POST", &path).json(&json!({})).send().await;
    assert_eq!(rotated.status, 201);
    let shown = app.admin("GET", &format!("/admin/clients/{}", client.id)).send().await.json();
    // Both are of the same instant, so that their order says nothing.
    let ids =
        shown["secrets"].as_array().unwrap().iter().map(|secret| secret["id"].as_str().unwrap());
    let older = ids.filter(|id| *id != rotated.text("id")).collect::<String>();
    let deleted = app.admin("DELETE", &format!("{path}/{older}")).send().await;
    assert!((200..300).contains(&deleted.status), "{}", deleted.status);
    assert_eq!(app.token(&client, &[]).await.status, 200);
    app.advance(KEPT);
    assert_eq!(app.token(&client, &[]).await.status, 401);
}

#[tokio::test]
async fn a_wrong_secret_is_refused_at_once_costs_what_it_always_costs_and_changes_nothing() {
    let (app, fault, client) = given().await;
    let wrong = TestClient { secret: format!("{}x", client.secret), ..client.clone() };
    let before = app.hasher.work();
    assert_eq!(app.token(&wrong, &[]).await.status, 401);
    let of_kept = app.hasher.work() - before;
    let fresh = app.m2m_client(&["orders:read"]).await;
    let wrong = TestClient { secret: format!("{}x", fresh.secret), ..fresh };
    let before = app.hasher.work();
    assert_eq!(app.token(&wrong, &[]).await.status, 401);
    assert_eq!(of_kept, app.hasher.work() - before);
    // A stranger's guesses do not take away what the deployment wanted to save.
    fault.set(UNREADABLE);
    assert_eq!(app.token(&client, &[]).await.status, 200);
}

#[tokio::test]
async fn whoever_finds_that_a_client_was_disabled_finds_it_for_all() {
    let (app, _, client) = given().await;
    let path = format!("/admin/clients/{}/secrets", client.id);
    let newer = app.admin("POST", &path).json(&json!({})).send().await.text("clientSecret");
    let newer = TestClient { secret: newer, ..client.clone() };
    app.change(&client, json!({"isActive": false})).await;
    assert_eq!(app.token(&client, &[]).await.status, 200);
    // Nobody has shown this secret yet, so the client is read for it.
    assert_eq!(app.token(&newer, &[]).await.status, 401);
    assert_eq!(app.token(&client, &[]).await.status, 401);
}

#[tokio::test]
async fn after_a_backward_step_of_the_clock_the_client_is_read() {
    let (app, fault, client) = given().await;
    app.rewind(3600);
    fault.set(UNREADABLE);
    assert_eq!(app.token(&client, &[]).await.status, 503);
}

#[tokio::test]
async fn a_public_client_is_kept_too_but_grants_and_users_are_read() {
    let (app, fault) = app_that_keeps(60).await;
    let (client, user) = (app.public_client().await, app.user("a@example.com", PASSWORD).await);
    let mut browser = app.browser();
    let code = app.code(&mut browser, &client, &user, &[]).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    assert_eq!(tokens.status, 200);
    app.advance(1);
    fault.set(UNREADABLE);
    let refreshed = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.json());
    app.advance(1);
    fault.set((Verb::FindGrant, How::Unavailable));
    assert_eq!(app.refresh(&client, &refreshed.text("refresh_token"), &[]).await.status, 503);
}

#[rstest]
#[case("/oauth2/introspect")]
#[case("/oauth2/revoke")]
#[tokio::test]
async fn the_other_endpoints_of_the_back_channel_know_the_client_too(#[case] path: &str) {
    let (app, fault, client) = given().await;
    fault.set(UNREADABLE);
    let call = app.server.post(path).basic(&client.client_id, &client.secret);
    let answer = call.form(&[("token", "a token of nobody")]).send().await;
    assert_eq!(answer.status, 200);
}
