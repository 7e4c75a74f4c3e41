//! What a request may ask of the user, and what is tolerated (OpenID Connect Core 1.0 §3.1.2.1).

use identety_tests::app::{TestApp, TestClient, TestUser, unverified};
use identety_tests::browser::{Browser, Form, html};
use identety_tests::sign_in::{PASSWORD, request};
use rstest::rstest;
use serde_json::Value;

use super::steps::{consent_page, count, is_sign_in, kind, sign_in_page, silently, transaction};

/// The claims of the ID token of a request.
async fn claims(
    app: &TestApp,
    browser: &mut Browser,
    client: &TestClient,
    user: &TestUser,
    changes: &[(&str, &str)],
) -> Value {
    let code = app.code(browser, client, user, changes).await;
    unverified(&app.redeem(client, &code, &[]).await.text("id_token")).1
}

#[rstest]
#[case("display", "page")]
#[case("display", "popup")]
#[case("display", "touch")]
#[case("display", "unknown")]
#[case("ui_locales", "de fr en")]
#[case("ui_locales", "!!")]
#[case("claims_locales", "de")]
#[case("acr_values", "1 2")]
#[case("acr_values", "urn:mace:incommon:iap:silver")]
#[case("claims", r#"{"userinfo":{"name":{"essential":true}},"id_token":{"auth_time":null}}"#)]
#[case("claims", r#"{"userinfo":{"of another server":7},"verified_claims":[]}"#)]
#[case("login_hint", "nobody at all")]
#[case("extra", "foobar")]
#[case("registration", "{}")]
#[case("dpop_jkt", "x")]
#[case("scope", "email openid profile")]
#[tokio::test]
async fn what_the_server_does_not_need_is_tolerated(#[case] name: &str, #[case] value: &str) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let claims = claims(&app, &mut app.browser(), &client, &user, &[(name, value)]).await;
    assert_eq!(claims["sub"], user.id.as_str());
    assert_eq!(claims["nonce"], "the nonce");
    assert_eq!(claims["acr"], "1");
}

#[tokio::test]
async fn the_order_of_parameters_does_not_matter() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let path = request(&client, &[]);
    let (path, query) = path.split_once('?').unwrap();
    let reversed = query.split('&').rev().collect::<Vec<_>>().join("&");
    let path = format!("{path}?{reversed}");
    let landing = app.authorize(&mut app.browser(), &path, &user).await;
    assert_eq!(app.redeem(&client, &landing.get("code"), &[]).await.status, 200);
}

#[rstest]
#[case("login")]
#[case("select_account")]
#[case("login consent")]
#[case("select_account login")]
#[tokio::test]
async fn whoever_is_asked_to_sign_in_again_does_and_auth_time_moves_forward(#[case] prompt: &str) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let first = claims(&app, &mut browser, &client, &user, &[]).await;
    app.advance(5);
    let page = sign_in_page(&mut browser, &client, &[("prompt", prompt)]).await;
    // Coming back to the page does not get past it, nor do the pages behind it.
    let id = Form::of(&page).get("transaction");
    for path in ["signin", "consent"] {
        let shown = browser.open(&format!("/{path}?transaction={id}")).await;
        assert_eq!(kind(&shown), "sign-in");
    }
    let shown = browser.submit(&page, &[("email", &user.email), ("password", PASSWORD)]).await;
    let landing = app.go_on(&mut browser, shown, &user).await;
    let tokens = app.redeem(&client, &landing.get("code"), &[]).await;
    let (_, second) = unverified(&tokens.text("id_token"));
    assert_eq!(second["sub"], first["sub"]);
    let auth_time = |claims: &Value| claims["auth_time"].as_u64().unwrap();
    assert_eq!(auth_time(&second), auth_time(&first) + 5);
    assert_eq!(auth_time(&second), app.now().seconds());
    // The sign-in counts for this request alone: the next one asks again.
    sign_in_page(&mut browser, &client, &[("prompt", prompt)]).await;
}

#[tokio::test]
async fn a_decision_does_not_stand_in_for_the_sign_in_that_was_asked_for() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    consent_page(&mut browser, &client, &user.email, &[]).await;
    // The same user is signed in, but has not signed in for this request.
    let page = sign_in_page(&mut browser, &client, &[("prompt", "login")]).await;
    let path = format!("/consent?transaction={}", transaction(&page));
    assert_eq!(kind(&browser.open(&path).await), "sign-in");
    let consent = consent_page(&mut browser, &client, &user.email, &[("prompt", "login")]).await;
    let session = Form::of(&consent).get("session");
    let (id, csrf) = (transaction(&page), Form::of(&page).get("csrf"));
    let fields = [
        ("transaction", id.as_str()),
        ("csrf", &csrf),
        ("session", &session),
        ("decision", "allow"),
    ];
    let answer = browser.post("/consent", &fields).await;
    assert_eq!(kind(&browser.follow(answer).await), "sign-in");
    assert_eq!(count(&app, "GRANT#"), 0);
}

#[tokio::test]
async fn without_a_session_prompt_none_is_login_required_and_shows_nothing() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let state = "s".repeat(128);
    let landing = silently(&mut app.browser(), &client, &[("state", &state)]).await;
    assert_eq!(landing.get("error"), "login_required");
    assert_eq!(landing.get("state"), state);
}

#[tokio::test]
async fn with_a_session_prompt_none_gets_a_code_of_the_same_sign_in() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let first = claims(&app, &mut browser, &client, &user, &[]).await;
    app.advance(30);
    let second = claims(&app, &mut browser, &client, &user, &[("prompt", "none")]).await;
    for claim in ["sub", "auth_time", "aud", "iss"] {
        assert_eq!(first[claim], second[claim], "{claim}");
    }
    assert!(second["iat"].as_u64() > first["iat"].as_u64());
}

#[tokio::test]
async fn a_sign_in_older_than_max_age_is_made_again() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let first = claims(&app, &mut browser, &client, &user, &[("max_age", "1")]).await;
    assert_eq!(first["auth_time"], app.now().seconds());
    app.advance(1);
    assert_ne!(silently(&mut browser, &client, &[("max_age", "1")]).await.get("code"), "");
    app.advance(1);
    let silent = silently(&mut browser, &client, &[("max_age", "1")]).await;
    assert_eq!(silent.get("error"), "login_required");
    assert_ne!(silently(&mut browser, &client, &[("max_age", "10000")]).await.get("code"), "");
    let again = claims(&app, &mut browser, &client, &user, &[("max_age", "1")]).await;
    assert_eq!(again["auth_time"], app.now().seconds());
}

#[tokio::test]
async fn max_age_0_always_asks() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    for _ in 0..2 {
        let page = sign_in_page(&mut browser, &client, &[("max_age", "0")]).await;
        let shown = browser.submit(&page, &[("email", &user.email), ("password", PASSWORD)]).await;
        assert_ne!(app.go_on(&mut browser, shown, &user).await.get("code"), "");
    }
    let silent = silently(&mut browser, &client, &[("max_age", "0")]).await;
    assert_eq!(silent.get("error"), "login_required");
}

#[tokio::test]
async fn a_login_hint_fills_the_field_and_is_no_markup() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let hint = [("login_hint", "\"><script>alert(1)</script>alice@example.com")];
    let page = sign_in_page(&mut app.browser(), &client, &hint).await;
    assert!(is_sign_in(&page));
    assert!(!html(&page).contains("<script>"), "{}", html(&page));
    assert!(html(&page).contains("alice@example.com\""), "{}", html(&page));
}

#[tokio::test]
async fn a_hint_for_the_user_who_has_signed_in_changes_nothing() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = consent_page(&mut browser, &client, &user.email, &[]).await;
    let landing = browser.submit(&page, &[("decision", "allow")]).await.client();
    let hint = app.redeem(&client, &landing.get("code"), &[]).await.text("id_token");
    let claims =
        claims(&app, &mut browser, &client, &user, &[("id_token_hint", &hint), ("prompt", "none")])
            .await;
    assert_eq!(claims["sub"], user.id.as_str());
}
