//! `POST /oauth2/revoke`: RFC 7009.

use identety_tests::app::TestApp;
use rstest::rstest;

const PATH: &str = "/oauth2/revoke";

#[rstest]
#[case("public", "access_token")]
#[case("public", "refresh_token")]
#[case("private", "access_token")]
#[case("private", "refresh_token")]
#[tokio::test]
async fn any_live_token_of_a_grant_ends_all_of_them(#[case] kind: &str, #[case] which: &str) {
    let app = TestApp::start().await;
    let client = app.users_client(serde_json::json!({"type": kind})).await;
    let user = app.alice().await;
    let (tokens, other) =
        (app.tokens(&client, &user, &[]).await, app.tokens(&client, &user, &[]).await);
    let next = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    app.assert_alive(&client, &next).await;
    let answer = app.revoke(&client, &next.text(which)).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    app.assert_dead(&client, &[&tokens, &next]).await;
    app.assert_alive(&client, &other).await;
}

#[tokio::test]
async fn a_rotated_refresh_token_ends_its_family_too_however_old_it_is() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let first = app.tokens(&client, &user, &[]).await;
    let second = app.refresh(&client, &first.text("refresh_token"), &[]).await;
    let third = app.refresh(&client, &second.text("refresh_token"), &[]).await;
    app.advance(60);
    app.assert_alive(&client, &third).await;
    assert_eq!(app.revoke(&client, &first.text("refresh_token")).await.status, 200);
    app.assert_dead(&client, &[&first, &second, &third]).await;
}

#[rstest]
#[case("access_token")]
#[case("refresh_token")]
#[case("urn:example:something")]
#[tokio::test]
async fn a_hint_that_is_wrong_or_unknown_changes_nothing(#[case] hint: &str) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    for kind in ["access_token", "refresh_token"] {
        let tokens = app.tokens(&client, &user, &[]).await;
        let token = tokens.text(kind);
        let parameters = [("token", token.as_str()), ("token_type_hint", hint)];
        assert_eq!(app.client_call(PATH, &client, &parameters).send().await.status, 200);
        app.assert_dead(&client, &[&tokens]).await;
    }
}

#[tokio::test]
async fn another_clients_token_is_not_revoked_and_nothing_is_said_of_it() {
    let app = TestApp::start().await;
    let (own, other) = (app.private_client().await, app.private_client().await);
    let tokens = app.tokens(&own, &app.alice().await, &[]).await;
    for kind in ["access_token", "refresh_token"] {
        let answer = app.revoke(&other, &tokens.text(kind)).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
    }
    app.assert_alive(&own, &tokens).await;
}

#[tokio::test]
async fn a_token_that_is_unknown_expired_or_revoked_already_is_200() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let code = app.code(&mut browser, &client, &user, &[]).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    for token in ["garbage", &code, &tokens.text("id_token"), &"A".repeat(10_000)] {
        let answer = app.revoke(&client, token).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{token}");
    }
    app.assert_alive(&client, &tokens).await;
    app.advance(3600);
    assert_eq!(app.revoke(&client, &tokens.text("access_token")).await.status, 200);
    let next = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(next.status, 200, "an expired token stands for nothing any more");
    for _ in 0..2 {
        assert_eq!(app.revoke(&client, &next.text("refresh_token")).await.status, 200);
    }
    app.assert_dead(&client, &[&tokens, &next]).await;
}

#[tokio::test]
async fn an_access_token_without_a_user_is_unsupported_token_type_and_lives_on() {
    let app = TestApp::start().await;
    let (client, other) = (app.m2m_client(&["read"]).await, app.m2m_client(&["read"]).await);
    let token = app.access_token(&client, &[]).await;
    let refused = app.revoke(&client, &token).await;
    assert_eq!(refused.outcome(), (400, "unsupported_token_type".into()));
    assert!(app.is_active(&token).await);
    assert_eq!(app.revoke(&other, &token).await.status, 200, "nothing is said to others");
}

#[tokio::test]
async fn who_does_not_authenticate_is_401_and_revokes_nothing() {
    let app = TestApp::start().await;
    let (client, public) = (app.private_client().await, app.public_client().await);
    let tokens = app.tokens(&client, &app.alice().await, &[]).await;
    let token = tokens.text("refresh_token");
    let form = [("token", token.as_str())];
    let own = ("client_id", client.client_id.as_str());
    for call in [
        app.server.post(PATH).form(&form),
        app.server.post(PATH).form(&[form[0], own]),
        app.server.post(PATH).basic(&client.client_id, "wrong").form(&form),
        app.server.post(PATH).bearer(&tokens.text("access_token")).form(&form),
    ] {
        assert_eq!(call.send().await.outcome(), (401, "invalid_client".into()));
    }
    assert_eq!(app.revoke(&public, &token).await.status, 200);
    app.assert_alive(&client, &tokens).await;
}

#[tokio::test]
async fn a_request_without_token_is_invalid_request() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    for parameters in [&[][..], &[("token", "")], &[("token", "a"), ("token", "b")]] {
        let answer = app.client_call(PATH, &client, parameters).send().await;
        assert_eq!(answer.outcome(), (400, "invalid_request".into()));
    }
    let answer = app.server.get(format!("{PATH}?token=a")).send().await;
    assert_eq!((answer.status, answer.header("allow").contains("POST")), (405, true));
}
