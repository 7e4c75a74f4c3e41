//! `POST /oauth2/introspect`: RFC 7662.

use identety_tests::app::{ISSUER, TestApp, TestClient, unverified};
use rstest::rstest;
use serde_json::{Value, json};

const PATH: &str = "/oauth2/introspect";

async fn introspected(app: &TestApp, caller: &TestClient, token: &str) -> Value {
    let answer = app.introspect(caller, token).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

fn inactive() -> Value {
    json!({"active": false})
}

#[tokio::test]
async fn a_client_hears_everything_of_its_own_access_token() {
    let app = TestApp::start().await;
    let (client, user) = (app.private_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[("scope", "openid photos:read")]).await;
    let token = tokens.text("access_token");
    let (_, claims) = unverified(&token);
    let now = app.now().seconds();
    assert_eq!(
        introspected(&app, &client, &token).await,
        json!({
            "active": true, "scope": "openid photos:read", "client_id": client.client_id,
            "username": user.email, "token_type": "Bearer", "exp": now + 3600, "iat": now,
            "nbf": now, "sub": user.id, "aud": "https://api.example.com", "iss": ISSUER,
            "jti": claims["jti"],
        })
    );
}

#[tokio::test]
async fn a_client_hears_of_its_live_refresh_token_until_when_it_lives() {
    let app = TestApp::start().await;
    let (client, user) = (app.private_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[("scope", "openid photos:read")]).await;
    let now = app.now().seconds();
    assert_eq!(
        introspected(&app, &client, &tokens.text("refresh_token")).await,
        json!({
            "active": true, "scope": "openid photos:read", "client_id": client.client_id,
            "username": user.email, "exp": now + 1_209_600, "iat": now, "sub": user.id,
            "iss": ISSUER,
        })
    );
    app.advance(60);
    let next = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(introspected(&app, &client, &tokens.text("refresh_token")).await, inactive());
    let newer = introspected(&app, &client, &next.text("refresh_token")).await;
    assert_eq!(newer["exp"], now + 60 + 1_209_600);
    app.advance(1_209_600);
    assert_eq!(introspected(&app, &client, &next.text("refresh_token")).await, inactive());
}

#[tokio::test]
async fn a_token_of_an_m2m_client_has_no_user() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let token = app.access_token(&client, &[]).await;
    let answer = introspected(&app, &client, &token).await;
    assert_eq!(answer["active"], true);
    assert_eq!(answer["sub"], client.client_id.as_str());
    assert!(answer.get("username").is_none());
}

#[tokio::test]
async fn a_scope_that_was_taken_from_a_client_is_in_none_of_its_tokens_any_more() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read", "write"]).await;
    let api = app.m2m_client(&["tokens:introspect"]).await;
    let token = app.access_token(&client, &[]).await;
    let scope = async || introspected(&app, &api, &token).await.get("scope").cloned();
    assert_eq!(scope().await, Some(json!("read write")));
    app.change(&client, json!({"scopes": ["write", "more"]})).await;
    assert_eq!(scope().await, Some(json!("write")));
    app.change(&client, json!({"scopes": ["more"]})).await;
    assert_eq!(scope().await, None);
    assert_eq!(introspected(&app, &api, &token).await["active"], true, "its client is there");
    app.change(&client, json!({"scopes": ["read", "write"]})).await;
    assert_eq!(scope().await, Some(json!("read write")));

    let (client, user) = (app.private_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[("scope", "openid photos:read")]).await;
    app.change(&client, json!({"scopes": ["openid", "photos:write"]})).await;
    for token in ["access_token", "refresh_token"] {
        let answer = introspected(&app, &client, &tokens.text(token)).await;
        assert_eq!(answer["scope"], "openid", "{token}");
    }
}

#[tokio::test]
async fn of_other_clients_tokens_only_a_resource_server_hears() {
    let app = TestApp::start().await;
    let (own, other) = (app.private_client().await, app.private_client().await);
    let api = app.m2m_client(&["tokens:introspect"]).await;
    let tokens = app.tokens(&own, &app.alice().await, &[]).await;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    assert_eq!(introspected(&app, &other, &access).await, inactive());
    assert_eq!(introspected(&app, &other, &refresh).await, inactive());
    assert_eq!(introspected(&app, &api, &access).await["active"], true);
    // A refresh token is between its client and this server.
    assert_eq!(introspected(&app, &api, &refresh).await, inactive());
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_the_answer_is_that_it_is_not_active() {
    let app = TestApp::start().await;
    let (client, user) = (app.private_client().await, app.alice().await);
    let code = app.code(&mut app.browser(), &client, &user, &[]).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    let access = tokens.text("access_token");
    for token in ["garbage", &code, &tokens.text("id_token"), &access[1..], &"A".repeat(10_000)] {
        assert_eq!(introspected(&app, &client, token).await, inactive(), "{token}");
    }
    app.advance(3599);
    assert_eq!(introspected(&app, &client, &access).await["active"], true);
    app.advance(1);
    assert_eq!(introspected(&app, &client, &access).await, inactive());
}

#[rstest]
#[case("access_token")]
#[case("refresh_token")]
#[case("something_else")]
#[tokio::test]
async fn a_hint_changes_nothing(#[case] hint: &str) {
    let app = TestApp::start().await;
    let (client, user) = (app.private_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[]).await;
    for kind in ["access_token", "refresh_token"] {
        let token = tokens.text(kind);
        let parameters = [("token", token.as_str()), ("token_type_hint", hint)];
        let answer = app.client_call(PATH, &client, &parameters).send().await;
        assert_eq!((answer.status, &answer.json()["active"]), (200, &json!(true)));
    }
}

#[tokio::test]
async fn who_does_not_authenticate_is_401_whatever_the_token() {
    let app = TestApp::start().await;
    let (client, public) = (app.private_client().await, app.public_client().await);
    let tokens = app.tokens(&public, &app.alice().await, &[]).await;
    let token = tokens.text("access_token");
    let form = [("token", token.as_str())];
    let id = ("client_id", client.client_id.as_str());
    for call in [
        app.server.post(PATH).form(&form),
        app.server.post(PATH).form(&[form[0], id]),
        app.server.post(PATH).basic(&client.client_id, "wrong").form(&form),
        app.server.post(PATH).bearer(&token).form(&form),
        // A public client can be anybody.
        app.client_call(PATH, &public, &form),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.outcome(), (401, "invalid_client".into()));
        assert!(answer.header("www-authenticate").starts_with("Basic"));
    }
}

#[tokio::test]
async fn a_request_without_token_is_invalid_request() {
    let app = TestApp::start().await;
    let client = app.private_client().await;
    for parameters in [&[][..], &[("token", "")]] {
        let answer = app.client_call(PATH, &client, parameters).send().await;
        assert_eq!(answer.outcome(), (400, "invalid_request".into()));
    }
    let twice = [("token", "a"), ("token", "b")];
    let answer = app.client_call(PATH, &client, &twice).send().await;
    assert_eq!(answer.outcome(), (400, "invalid_request".into()));
    assert_eq!(app.server.get(PATH).send().await.status, 405);
}
