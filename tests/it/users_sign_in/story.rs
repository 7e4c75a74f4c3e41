//! The stories, from end to end.

use identety_tests::app::{ISSUER, TestApp, unverified};
use identety_tests::sign_in::{PASSWORD, request};

#[tokio::test]
async fn a_public_client_signs_its_user_in_refreshes_and_signs_out() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();

    // The app sends its user; the user signs in …
    let page = browser.open(&request(&client, &[])).await.page();
    assert_eq!(page.status, 200);
    let entered = [("email", user.email.as_str()), ("password", PASSWORD)];
    let page = browser.submit(&page, &entered).await.page();
    // … and consents.
    let landing = browser.submit(&page, &[("decision", "allow")]).await.client();
    assert!(landing.url.starts_with("https://app.example.com/callback?code="));
    assert_eq!((landing.get("state"), landing.get("iss")), ("the state".into(), ISSUER.into()));

    // The app gets its tokens …
    let tokens = app.redeem(&client, &landing.get("code"), &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json());
    assert_eq!(tokens.text("scope"), "openid profile email");
    let (_, claims) = unverified(&tokens.text("id_token"));
    assert_eq!(claims["sub"], user.id.as_str());
    assert_eq!(claims["nonce"], "the nonce");

    // … which let it know its user.
    let info = app.userinfo(&tokens.text("access_token")).await;
    assert_eq!(info.status, 200, "{}", info.json());
    assert_eq!(info.text("email"), user.email);
    assert_eq!(info.text("name"), "Alice Adams");

    // Refresh tokens give the next ones.
    let next = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(next.status, 200, "{}", next.json());
    assert_ne!(next.text("refresh_token"), tokens.text("refresh_token"));

    // The browser knows its user, and the user has consented: nothing is asked.
    let again = browser.open(&request(&client, &[("prompt", "none")])).await.client();
    assert!(!again.get("code").is_empty(), "{}", again.url);

    // The user signs out, and with that the grants end.
    let page = browser.open("/signout").await.page();
    browser.submit(&page, &[]).await.page();
    let silent = browser.open(&request(&client, &[("prompt", "none")])).await.client();
    assert_eq!(silent.get("error"), "login_required");
    let refused = app.refresh(&client, &next.text("refresh_token"), &[]).await;
    assert_eq!(refused.outcome(), (400, "invalid_grant".into()));
    assert_eq!(app.userinfo(&next.text("access_token")).await.status, 401);
}
