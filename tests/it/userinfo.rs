//! `GET` and `POST /oauth2/userinfo`: OpenID Connect Core 1.0 §5.3, RFC 6750.

use http::Method;
use identety_tests::app::{TestApp, TestClient, TestUser, unverified};
use identety_tests::call::Answer;
use rstest::rstest;
use serde_json::json;

const PATH: &str = "/oauth2/userinfo";

async fn signed_in() -> (TestApp, TestClient, TestUser, Answer) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[]).await;
    (app, client, user, tokens)
}

#[tokio::test]
async fn the_token_may_come_in_the_header_of_a_get_or_a_post_or_in_a_form() {
    let (app, _, user, tokens) = signed_in().await;
    let token = tokens.text("access_token");
    let form = [("access_token", token.as_str())];
    for call in [
        app.server.get(PATH).bearer(&token),
        app.server.get(PATH).header("authorization", &format!("bearer {token}")),
        app.server.get(PATH).header("authorization", &format!("BEARER  {token}")),
        app.server.post(PATH).bearer(&token),
        app.server.post(PATH).bearer(&token).form(&[]),
        app.server.post(PATH).form(&form),
        app.server.post(PATH).body(
            "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
            format!("access_token={token}"),
        ),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(
            answer.json(),
            json!({
                "sub": user.id, "name": "Alice Adams", "updated_at": app.now().seconds(),
                "email": user.email, "email_verified": true,
            })
        );
    }
}

#[tokio::test]
async fn the_subject_is_that_of_the_id_token() {
    let (app, _, _, tokens) = signed_in().await;
    let info = app.userinfo(&tokens.text("access_token")).await;
    assert_eq!(info.json()["sub"], unverified(&tokens.text("id_token")).1["sub"]);
}

#[tokio::test]
async fn without_a_token_the_challenge_is_bare() {
    let (app, _, _, tokens) = signed_in().await;
    let token = tokens.text("access_token");
    for call in [
        app.server.get(PATH),
        app.server.post(PATH),
        app.server.post(PATH).form(&[]),
        app.server.post(PATH).form(&[("access_token", "")]),
        // RFC 6750 §3.1: who tries another scheme has shown no token.
        app.server.get(PATH).basic("client", "secret"),
        // One in the query would be in every log on the way.
        app.server.get(format!("{PATH}?access_token={token}")),
        app.server.post(format!("{PATH}?access_token={token}")),
        // RFC 6750 §2.2: not with GET.
        app.server.get(PATH).form(&[("access_token", &token)]),
        app.server.post(PATH).json(&json!({"access_token": token})),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.status, 401, "{}", answer.json());
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert!(!answer.json().to_string().contains(&token));
    }
}

#[tokio::test]
async fn two_tokens_are_invalid_request() {
    let (app, _, _, tokens) = signed_in().await;
    let token = tokens.text("access_token");
    let form = [("access_token", token.as_str())];
    for call in [
        app.server.post(PATH).bearer(&token).form(&form),
        app.server.get(PATH).bearer(&token).bearer(&token),
        app.server.post(PATH).form(&[form, form].concat()),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.outcome(), (400, "invalid_request".into()));
    }
}

#[tokio::test]
async fn what_is_no_access_token_of_this_server_is_invalid_token() {
    let (app, client, _, tokens) = signed_in().await;
    let access = tokens.text("access_token");
    let parts: Vec<_> = access.split('.').collect();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
    for token in [
        "garbage".to_owned(),
        tokens.text("id_token"),
        tokens.text("refresh_token"),
        app.code(
            &mut app.browser(),
            &client,
            &app.user("b@example.com", "a good password").await,
            &[],
        )
        .await,
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], "A".repeat(86)),
        format!("{access}A"),
        format!("{access}."),
        format!("{access}.{access}"),
        "A".repeat(10_000),
    ] {
        let answer = app.userinfo(&token).await;
        assert_eq!(answer.outcome(), (401, "invalid_token".into()), "{token}");
        assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn an_access_token_expires_at_its_second() {
    let (app, _, _, tokens) = signed_in().await;
    let token = tokens.text("access_token");
    app.advance(3599);
    assert_eq!(app.userinfo(&token).await.status, 200);
    app.advance(1);
    let answer = app.userinfo(&token).await;
    assert_eq!(answer.outcome(), (401, "invalid_token".into()));
    assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
}

#[tokio::test]
async fn a_token_without_openid_or_without_a_user_is_403() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[("scope", "profile email")]).await;
    let m2m = app.m2m_client(&["read"]).await;
    for token in [tokens.text("access_token"), app.access_token(&m2m, &[]).await] {
        let answer = app.userinfo(&token).await;
        assert_eq!(answer.outcome(), (403, "insufficient_scope".into()));
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer error=\"insufficient_scope\", scope=\"openid\""
        );
    }
}

#[rstest]
#[case("openid", &["sub"])]
#[case("openid profile", &["sub", "name", "updated_at"])]
#[case("openid email", &["sub", "email", "email_verified"])]
#[case("openid address phone", &["sub"])]
#[tokio::test]
async fn a_scope_gives_its_claims_and_no_others(#[case] scope: &str, #[case] claims: &[&str]) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[("scope", scope)]).await;
    let info = app.userinfo(&tokens.text("access_token")).await.json();
    let mut names: Vec<_> = info.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = claims.to_vec();
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_scope_that_was_taken_from_the_client_gives_no_claims_any_more() {
    let (app, client, user, tokens) = signed_in().await;
    let token = tokens.text("access_token");
    app.change(&client, json!({"scopes": ["openid"]})).await;
    assert_eq!(app.userinfo(&token).await.json(), json!({"sub": user.id}));
    app.change(&client, json!({"scopes": ["email"]})).await;
    assert_eq!(app.userinfo(&token).await.outcome(), (403, "insufficient_scope".into()));
    app.change(&client, json!({"scopes": ["openid", "email"]})).await;
    assert_eq!(app.userinfo(&token).await.json()["email"], user.email.as_str());
}

#[tokio::test]
async fn a_user_who_changes_is_shown_as_they_are_now() {
    let (app, _, user, tokens) = signed_in().await;
    let path = format!("/admin/users/{}", user.id);
    let change = json!({"name": "Alice Brown", "email": "brown@example.com"});
    let changed = app.admin("PATCH", &path).json(&change).send().await;
    assert_eq!(changed.status, 200, "{}", changed.json());
    let info = app.userinfo(&tokens.text("access_token")).await;
    assert_eq!(info.text("name"), "Alice Brown");
    assert_eq!(info.text("email"), "brown@example.com");
    assert_eq!(info.text("sub"), user.id);
}

#[rstest]
#[case(Method::PUT)]
#[case(Method::DELETE)]
#[case(Method::PATCH)]
#[tokio::test]
async fn another_method_is_405(#[case] method: Method) {
    let app = TestApp::start().await;
    let answer = app.server.call(method, PATH).send().await;
    assert_eq!(answer.status, 405);
    for allowed in ["GET", "POST"] {
        assert!(answer.header("allow").contains(allowed));
    }
}
