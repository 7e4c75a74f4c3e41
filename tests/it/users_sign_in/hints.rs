//! `id_token_hint`: believed when this server made it for this client, and never for more than it says.

use identety_tests::app::{Setup, TestApp, TestClient, TestUser, unverified};
use identety_tests::browser::Shown;
use identety_tests::sign_in::{PASSWORD, request};
use serde_json::json;

use super::steps::{answer_to, sign_in_page, silently};

/// An ID token of `client` for `user`, and the access token that came with it.
async fn tokens(app: &TestApp, client: &TestClient, user: &TestUser) -> (String, String) {
    let tokens = app.tokens(client, user, &[]).await;
    (tokens.text("id_token"), tokens.text("access_token"))
}

fn encoded(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

#[tokio::test]
async fn a_hint_that_is_no_id_token_of_this_client_is_invalid_request() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let (genuine, access_token) = tokens(&app, &client, &user).await;
    let other_client = app.public_client().await;
    let (of_another_client, _) = tokens(&app, &other_client, &user).await;

    let stores = app.stores.clone();
    let setup = Setup { issuer: "https://other.example.com", ..Setup::default() };
    let other_issuer = TestApp::start_as(setup, |_| stores).await;
    let of_another_issuer = tokens(&other_issuer, &client, &user).await.0;

    let [header, claims, signature] = genuine.split('.').collect::<Vec<_>>()[..] else {
        panic!("{genuine}")
    };
    let unsigned =
        |alg: &str| format!("{}.{claims}.", encoded(&format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#)));
    let changed = encoded(&format!(
        r#"{{"iss":"{}","sub":"{}","aud":"{}","exp":99999999999}}"#,
        app.issuer, user.id, client.client_id
    ));
    for hint in [
        access_token.clone(),
        of_another_client,
        of_another_issuer,
        unsigned("none"),
        unsigned("None"),
        format!("{}.{claims}.{signature}", encoded(r#"{"alg":"HS256","typ":"JWT"}"#)),
        format!("{header}.{changed}.{signature}"),
        format!("{header}.{claims}"),
        format!("{genuine}x"),
        format!("{genuine}.."),
        "garbage".into(),
        user.id.clone(),
        "x".repeat(6000),
    ] {
        for prompt in ["none", ""] {
            let path = request(&client, &[("id_token_hint", &hint), ("prompt", prompt)]);
            let landing = answer_to(&app, &path).await;
            assert_eq!(landing.get("error"), "invalid_request", "{hint}");
        }
    }
}

#[tokio::test]
async fn a_hint_whose_key_is_not_published_names_no_user() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let same = json!({"type": "public", "clientId": client.client_id});
    let stranger = TestApp::start_without_keys().await;
    let same_client = stranger.users_client(same.clone()).await;
    let hint = tokens(&stranger, &same_client, &stranger.alice().await).await.0;
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    // Perhaps it was genuine: without a page, the client hears that the user has to sign in.
    let silent = silently(&mut browser, &client, &[("id_token_hint", &hint)]).await;
    assert_eq!(silent.get("error"), "login_required");
    // With one, it is as if there were no hint.
    let shown = browser.open(&request(&client, &[("id_token_hint", &hint)])).await;
    assert!(!shown.client().get("code").is_empty());

    // What it says of another issuer or client is no question of keys.
    let [header, _, signature] = hint.split('.').collect::<Vec<_>>()[..] else { panic!("{hint}") };
    for (issuer, client_id) in
        [("https://other.example.com", &*client.client_id), (app.issuer, "x")]
    {
        let claims =
            json!({"iss": issuer, "sub": user.id, "aud": client_id, "exp": 99_999_999_999_u64});
        let other = format!("{header}.{}.{signature}", encoded(&claims.to_string()));
        let silent = silently(&mut browser, &client, &[("id_token_hint", &other)]).await;
        assert_eq!(silent.get("error"), "invalid_request", "{claims}");
    }
}

#[tokio::test]
async fn a_hint_that_has_expired_is_as_good_as_a_fresh_one() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let code = app.code(&mut browser, &client, &user, &[]).await;
    let hint = app.redeem(&client, &code, &[]).await.text("id_token");
    let silent = silently(&mut browser, &client, &[("id_token_hint", &hint)]).await;
    assert_eq!(silent.get("error"), "", "{}", silent.url);
    app.advance(3600);
    let silent = silently(&mut browser, &client, &[("id_token_hint", &hint)]).await;
    assert_eq!(silent.get("error"), "", "{}", silent.url);
    // It still names its user, and gives nothing to another.
    let bob = app.user("bob@example.com", PASSWORD).await;
    let mut other = app.browser();
    app.code(&mut other, &client, &bob, &[]).await;
    let silent = silently(&mut other, &client, &[("id_token_hint", &hint)]).await;
    assert_eq!(silent.get("error"), "login_required");
}

#[tokio::test]
async fn with_the_hint_of_another_user_nobody_else_gets_a_code() {
    let app = TestApp::start().await;
    let (client, alice) = (app.public_client().await, app.alice().await);
    let bob = app.user("bob@example.com", PASSWORD).await;
    let (hint, _) = tokens(&app, &client, &alice).await;
    let hint = [("id_token_hint", hint.as_str())];
    let mut browser = app.browser();
    app.code(&mut browser, &client, &bob, &[]).await;
    assert_eq!(silently(&mut browser, &client, &hint).await.get("error"), "login_required");

    // Bob is asked to sign in as Alice; when he does so as himself, the client hears it.
    let page = sign_in_page(&mut browser, &client, &hint).await;
    let landing = app.go_on(&mut browser, Shown::Page(page), &bob).await;
    assert_eq!(landing.get("error"), "login_required");
    assert_eq!(landing.get("code"), "");

    let page = sign_in_page(&mut browser, &client, &hint).await;
    let landing = app.go_on(&mut browser, Shown::Page(page), &alice).await;
    let tokens = app.redeem(&client, &landing.get("code"), &[]).await;
    let (_, claims) = unverified(&tokens.text("id_token"));
    assert_eq!(claims["sub"], alice.id.as_str());
}
