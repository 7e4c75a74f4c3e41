//! Which scripts may read an answer (Fetch §3.3): those of origins that the client lists, and no others.

use http::Method;
use identety_tests::app::{TestApp, TestClient};
use identety_tests::call::{Answer, Call};
use rstest::rstest;
use serde_json::json;

const LISTED: &str = "https://app.example.com";

async fn client(app: &TestApp) -> TestClient {
    app.users_client(json!({"type": "public", "allowedCorsOrigins": [LISTED]})).await
}

/// What a script of `origin` can read of the answer: `Access-Control-Allow-Origin`.
fn readable(answer: &Answer) -> &str {
    assert_eq!(answer.header("vary"), "Origin", "{}", answer.json());
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    answer.header("access-control-allow-origin")
}

/// Calls that succeed and calls that fail after the client is known, of every endpoint for scripts.
async fn calls(app: &TestApp, client: &TestClient) -> Vec<(u16, Call)> {
    let user = app.alice().await;
    let tokens = app.tokens(client, &user, &[]).await;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    let narrow = app.refresh(client, &refresh, &[("scope", "email")]).await;
    let refreshing = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let unknown = [("grant_type", "refresh_token"), ("refresh_token", "unknown")];
    vec![
        (200, app.token_call(client, &refreshing)),
        (400, app.token_call(client, &unknown)),
        (400, app.token_call(client, &[("grant_type", "password")])),
        (400, app.token_call(client, &[])),
        (200, app.server.get("/oauth2/userinfo").bearer(&access)),
        (403, app.server.get("/oauth2/userinfo").bearer(&narrow.text("access_token"))),
        (200, app.client_call("/oauth2/revoke", client, &[("token", "unknown")])),
        (400, app.client_call("/oauth2/revoke", client, &[])),
    ]
}

#[tokio::test]
async fn a_listed_origin_may_read_answers_and_errors() {
    let app = TestApp::start().await;
    let client = client(&app).await;
    for (status, call) in calls(&app, &client).await {
        let answer = call.header("origin", LISTED).send().await;
        assert_eq!(answer.status, status, "{}", answer.json());
        assert_eq!(readable(&answer), LISTED, "{}", answer.json());
        assert_eq!(
            answer.header("access-control-expose-headers"),
            "retry-after, www-authenticate, x-request-id"
        );
    }
}

#[tokio::test]
async fn a_listed_origin_may_read_that_its_access_token_does_not_count_any_more() {
    let app = TestApp::start().await;
    let (client, user) = (client(&app).await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[]).await;
    let token = tokens.text("access_token");
    let ask = async |origin: &str| {
        let call = app.server.get("/oauth2/userinfo").bearer(&token).header("origin", origin);
        let answer = call.send().await;
        assert_eq!(answer.outcome(), (401, "invalid_token".into()));
        readable(&answer).to_owned()
    };
    app.advance(3600);
    assert_eq!(ask(LISTED).await, LISTED, "it has expired");
    assert_eq!(ask("https://evil.example.com").await, "");
    app.rewind(3600);
    app.revoke(&client, &token).await;
    assert_eq!(ask(LISTED).await, LISTED, "it was revoked");
    assert_eq!(ask("https://evil.example.com").await, "");
    app.change(&client, json!({"isActive": false})).await;
    assert_eq!(ask(LISTED).await, "", "the client is no client any more");
}

#[rstest]
#[case("https://evil.example.com")]
#[case("null")]
#[case("http://app.example.com")]
#[case("https://app.example.com:8443")]
#[case("https://app.example.com.evil.example.com")]
#[case("https://APP.example.com")]
#[case("https://sub.app.example.com")]
#[case("")]
#[tokio::test]
async fn no_other_origin_may_read_anything(#[case] origin: &str) {
    let app = TestApp::start().await;
    let client = client(&app).await;
    for (status, call) in calls(&app, &client).await {
        let answer = call.header("origin", origin).send().await;
        assert_eq!(answer.status, status);
        assert_eq!(readable(&answer), "");
    }
}

#[tokio::test]
async fn a_public_client_that_says_nothing_shares_with_the_origin_of_its_redirect_uri() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    for (status, call) in calls(&app, &client).await {
        let answer = call.header("origin", LISTED).send().await;
        assert_eq!(answer.status, status, "{}", answer.json());
        assert_eq!(readable(&answer), LISTED);
    }
    let answer = app.client_call("/oauth2/revoke", &client, &[("token", "unknown")]);
    let answer = answer.header("origin", "https://app.example.com:8443").send().await;
    assert_eq!(readable(&answer), "");
}

#[tokio::test]
async fn a_client_that_lists_nothing_shares_nothing() {
    let app = TestApp::start().await;
    let client = app.users_client(json!({"type": "public", "allowedCorsOrigins": []})).await;
    for (status, call) in calls(&app, &client).await {
        let answer = call.header("origin", LISTED).send().await;
        assert_eq!(answer.status, status);
        assert_eq!(readable(&answer), "");
    }
}

#[rstest]
#[case("/oauth2/token", "POST")]
#[case("/oauth2/revoke", "POST")]
#[case("/oauth2/userinfo", "GET, POST")]
#[tokio::test]
async fn a_preflight_is_answered_for_any_origin_without_credentials(
    #[case] path: &str,
    #[case] methods: &str,
) {
    let app = TestApp::start().await;
    let call = app.server.call(Method::OPTIONS, path);
    let call = call.header("origin", "https://any.example.com");
    let call = call.header("access-control-request-method", "POST");
    let answer = call.header("access-control-request-headers", "authorization").send().await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-methods"), methods);
    assert_eq!(answer.header("access-control-allow-headers"), "authorization, content-type");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}

#[tokio::test]
async fn introspection_is_not_for_scripts() {
    let app = TestApp::start().await;
    let more = json!({"type": "private", "allowedCorsOrigins": [LISTED]});
    let client = app.users_client(more).await;
    let path = "/oauth2/introspect";
    let call = app.client_call(path, &client, &[("token", "unknown")]).header("origin", LISTED);
    let answer = call.send().await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, ""));
    let preflight = app.server.call(Method::OPTIONS, path).header("origin", LISTED).send().await;
    assert_eq!(preflight.status, 405);
    assert_eq!(preflight.header("access-control-allow-origin"), "");
}
