//! The client credentials grant: RFC 6749 §4.4, RFC 8707, RFC 9068.

use identety_tests::app::{ISSUER, TestApp, unverified};
use rstest::rstest;
use serde_json::json;

#[tokio::test]
async fn the_answer_is_a_bearer_token_and_nobody_may_keep_it() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["orders:read", "orders:write"]).await;
    let answer = app.token(&client, &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");
    let mut body = answer.json();
    assert!(body["access_token"].take().is_string());
    // RFC 6749 §4.4.3: no refresh token.
    assert_eq!(
        body,
        json!({
            "access_token": null, "token_type": "Bearer", "expires_in": 3600,
            "scope": "orders:read orders:write",
        })
    );
}

#[rstest]
#[case("RS256")]
#[case("ES256")]
#[tokio::test]
async fn the_token_has_the_header_and_claims_of_rfc_9068(#[case] alg: &str) {
    let app = TestApp::start().await;
    let client = app
        .register(json!({
            "name": "Orders", "type": "m2m", "scopes": ["orders:read"],
            "accessTokenSigningAlg": alg, "accessTokenLifetime": 300,
        }))
        .await;
    let (header, mut claims) = unverified(&app.access_token(&client, &[]).await);
    let jwks = app.server.get("/.well-known/jwks.json").send().await.json();
    let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]);
    assert_eq!(key.unwrap()["alg"], alg);
    assert_eq!(header, json!({"typ": "at+jwt", "alg": alg, "kid": header["kid"]}));
    assert_eq!(claims["jti"].take().as_str().unwrap().len(), 36);
    let now = app.now().seconds();
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "sub": client.client_id, "aud": "https://api.example.com",
            "client_id": client.client_id, "scope": "orders:read",
            "iat": now, "nbf": now, "exp": now + 300, "jti": null,
        })
    );
}

#[tokio::test]
async fn no_two_tokens_have_the_same_jti() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..50 {
        let (_, claims) = unverified(&app.access_token(&client, &[]).await);
        assert!(seen.insert(claims["jti"].clone()));
    }
}

#[tokio::test]
async fn a_change_of_algorithm_bites_at_the_next_token_and_older_tokens_still_verify() {
    let app = TestApp::start().await;
    let admin = app.m2m_client(&["clients:read"]).await;
    let older = app.access_token(&admin, &[]).await;
    app.change(&admin, json!({"accessTokenSigningAlg": "RS256"})).await;
    let newer = app.access_token(&admin, &[]).await;
    assert_eq!(unverified(&older).0["alg"], "ES256");
    assert_eq!(unverified(&newer).0["alg"], "RS256");
    for token in [older, newer] {
        let answer = app.server.get("/admin/clients").bearer(&token).send().await;
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn a_public_client_may_not_use_the_grant() {
    let app = TestApp::start().await;
    let client = app.register(json!({"name": "App", "type": "public", "scopes": ["read"]})).await;
    let parameters = [("grant_type", "client_credentials"), ("client_id", &client.client_id)];
    let answer = app.server.post("/oauth2/token").form(&parameters).send().await;
    assert_eq!(answer.outcome(), (400, "unauthorized_client".into()));
}

#[tokio::test]
async fn a_private_client_may_not_use_the_grant() {
    let app = TestApp::start().await;
    let client = app.register(json!({"name": "Web", "type": "private", "scopes": ["read"]})).await;
    assert_eq!(app.token(&client, &[]).await.outcome(), (400, "unauthorized_client".into()));
}

#[tokio::test]
async fn an_m2m_client_without_the_grant_may_not_use_it() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    app.change(&client, json!({"grants": []})).await;
    assert_eq!(app.token(&client, &[]).await.outcome(), (400, "unauthorized_client".into()));
}

#[rstest]
#[case("openid")]
#[case("unknown")]
#[case("orders:read unknown")]
#[case("orders:write")]
#[case("ORDERS:READ")]
#[case("openid orders:write")]
#[case("openid offline_access")]
#[case(" ")]
#[case("\"")]
#[tokio::test]
async fn a_scope_outside_the_allow_list_is_invalid_scope_and_never_a_subset(#[case] scope: &str) {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["orders:read"]).await;
    let answer = app.token(&client, &[("scope", scope)]).await;
    assert_eq!(answer.outcome(), (400, "invalid_scope".into()));
}

#[rstest]
#[case("orders:read offline_access")]
#[case("  openid   orders:read ")]
#[tokio::test]
async fn scopes_of_openid_and_spaces_too_many_are_left_out(#[case] scope: &str) {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["orders:read"]).await;
    let answer = app.token(&client, &[("scope", scope)]).await;
    assert_eq!((answer.status, answer.text("scope")), (200, "orders:read".into()));
    assert_eq!(unverified(&answer.text("access_token")).1["scope"], "orders:read");
}

#[tokio::test]
async fn a_refusal_names_the_scope_and_the_resource() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["orders:read"]).await;
    for (name, value, expected) in [
        ("scope", "orders:read x:y", "the scope 'x:y' is not allowed for this client"),
        ("scope", "orders:read \"", "the scope '%22' is malformed"),
        ("scope", "  ", "the scope parameter has nothing but spaces"),
        (
            "resource",
            "https://b.example/é",
            "the resource 'https://b.example/%C3%A9' is not allowed",
        ),
    ] {
        let answer = app.token(&client, &[(name, value)]).await;
        let description = answer.text("error_description");
        assert!(description.contains(expected), "{description}");
    }
}

#[tokio::test]
async fn a_narrower_scope_is_granted_as_asked() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["a", "b", "c"]).await;
    let answer = app.token(&client, &[("scope", "c a")]).await;
    assert_eq!(answer.text("scope"), "c a");
    let (_, claims) = unverified(&answer.text("access_token"));
    assert_eq!(claims["scope"], "c a");
}

#[tokio::test]
async fn a_client_without_scopes_gets_a_token_without_scope() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&[]).await;
    let answer = app.token(&client, &[]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.json().get("scope").is_none());
    assert!(unverified(&answer.text("access_token")).1.get("scope").is_none());
}

#[tokio::test]
async fn the_audience_is_the_resource_asked_for_or_the_first_of_the_client() {
    let app = TestApp::start().await;
    let client = app
        .register(json!({
            "name": "Orders", "type": "m2m", "accessTokenSigningAlg": "ES256",
            "audiences": ["https://a.example.com", "https://b.example.com"],
        }))
        .await;
    let audience = async |resources: &[(&str, &str)]| {
        unverified(&app.access_token(&client, resources).await).1["aud"].clone()
    };
    let (a, b) = ("https://a.example.com", "https://b.example.com");
    assert_eq!(audience(&[]).await, a);
    assert_eq!(audience(&[("resource", b)]).await, b);
    assert_eq!(audience(&[("resource", b), ("resource", a)]).await, json!([b, a]));
    assert_eq!(audience(&[("resource", b), ("resource", b)]).await, b);
}

#[rstest]
#[case("https://other.example.com")]
#[case("https://a.example.com/")]
#[case("https://id.example.com/admin")]
#[case("not a uri")]
#[tokio::test]
async fn a_resource_that_the_client_does_not_have_is_invalid_target(#[case] resource: &str) {
    let app = TestApp::start().await;
    let client = app
        .register(json!({"name": "Orders", "type": "m2m", "audiences": ["https://a.example.com"]}))
        .await;
    for parameters in [
        &[("resource", resource)][..],
        &[("resource", "https://a.example.com"), ("resource", resource)],
    ] {
        let answer = app.token(&client, parameters).await;
        assert_eq!(answer.outcome(), (400, "invalid_target".into()));
    }
}

#[tokio::test]
async fn the_subject_is_the_client_and_no_users_identifier() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let (_, claims) = unverified(&app.access_token(&client, &[]).await);
    assert_eq!(claims["sub"], client.client_id.as_str());
    assert!(uuid::Uuid::parse_str(claims["sub"].as_str().unwrap()).is_err());
}

#[rstest]
#[case("password")]
#[case("implicit")]
#[case("urn:ietf:params:oauth:grant-type:token-exchange")]
#[case("urn:ietf:params:oauth:grant-type:device_code")]
#[case("CLIENT_CREDENTIALS")]
#[tokio::test]
async fn a_grant_that_is_not_here_is_unsupported(#[case] grant: &str) {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let call = app.server.post("/oauth2/token").basic(&client.client_id, &client.secret);
    let answer = call.form(&[("grant_type", grant)]).send().await;
    assert_eq!(answer.outcome(), (400, "unsupported_grant_type".into()));
}

#[rstest]
#[case("authorization_code")]
#[case("refresh_token")]
#[tokio::test]
async fn an_m2m_client_may_not_use_the_grants_of_users(#[case] grant: &str) {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let call = app.server.post("/oauth2/token").basic(&client.client_id, &client.secret);
    let answer = call.form(&[("grant_type", grant)]).send().await;
    assert_eq!(answer.outcome(), (400, "unauthorized_client".into()));
}

#[tokio::test]
async fn a_missing_or_empty_grant_type_is_invalid_request() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    for parameters in [&[][..], &[("grant_type", "")]] {
        let call = app.server.post("/oauth2/token").basic(&client.client_id, &client.secret);
        let answer = call.form(parameters).send().await;
        assert_eq!(answer.outcome(), (400, "invalid_request".into()));
    }
}

#[tokio::test]
async fn an_empty_parameter_counts_as_left_out_and_an_unknown_one_is_ignored() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let parameters = [("scope", ""), ("resource", ""), ("audience", "x"), ("extra", "foobar")];
    let answer = app.token(&client, &parameters).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text("scope"), "read");
}

#[tokio::test]
async fn scripts_of_listed_origins_may_read_the_answer_and_no_others() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    app.change(&client, json!({"allowedCorsOrigins": ["https://app.example.com"]})).await;
    let allowed_for = async |origin: &str| {
        let call = app.server.post("/oauth2/token").basic(&client.client_id, &client.secret);
        let answer = call
            .header("origin", origin)
            .form(&[("grant_type", "client_credentials")])
            .send()
            .await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("vary"), "Origin");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        answer.header("access-control-allow-origin").to_owned()
    };
    assert_eq!(allowed_for("https://app.example.com").await, "https://app.example.com");
    assert_eq!(allowed_for("https://evil.example.com").await, "");
    assert_eq!(allowed_for("null").await, "");
}

#[tokio::test]
async fn a_preflight_is_answered_for_any_origin_without_credentials() {
    let app = TestApp::start().await;
    let call = app.server.call(http::Method::OPTIONS, "/oauth2/token");
    let call = call.header("origin", "https://any.example.com");
    let answer = call.header("access-control-request-method", "POST").send().await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-methods"), "POST");
    assert_eq!(answer.header("access-control-allow-headers"), "authorization, content-type");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}
