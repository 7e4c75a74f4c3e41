//! `GET /.well-known/…`: discovery and the public keys.

use identety_tests::app::{ISSUER, TestApp};
use rstest::rstest;
use serde_json::json;

const PATHS: [&str; 3] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
];

#[tokio::test]
async fn discovery_lists_only_what_works() {
    let app = TestApp::start().await;
    let answer = app.server.get(PATHS[0]).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "issuer": ISSUER,
            "token_endpoint": format!("{ISSUER}/oauth2/token"),
            "jwks_uri": format!("{ISSUER}/.well-known/jwks.json"),
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post"],
        })
    );
}

#[tokio::test]
async fn both_discovery_paths_have_the_same_content() {
    let app = TestApp::start().await;
    let (a, b) = (app.server.get(PATHS[0]).send().await, app.server.get(PATHS[1]).send().await);
    assert_eq!(a.body, b.body);
    assert_eq!(a.header("etag"), b.header("etag"));
}

#[rstest]
#[case(PATHS[0])]
#[case(PATHS[1])]
#[case(PATHS[2])]
#[tokio::test]
async fn a_public_document_may_be_kept_for_five_minutes_and_read_from_anywhere(#[case] path: &str) {
    let app = TestApp::start().await;
    let answer = app.server.get(path).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    assert_eq!(answer.header("access-control-allow-origin"), "*");

    let etag = answer.header("etag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 20);
    for known in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".into()] {
        let again = app.server.get(path).header("if-none-match", &known).send().await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
        assert_eq!(again.header("etag"), etag);
    }
    let other = app.server.get(path).header("if-none-match", "\"x\"").send().await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn the_key_set_has_current_and_next_keys_of_both_algorithms_and_nothing_private() {
    let app = TestApp::start().await;
    let answer = app.server.get(PATHS[2]).send().await;
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    let algs: Vec<_> = keys.iter().map(|key| key["alg"].as_str().unwrap()).collect();
    assert_eq!(algs, ["RS256", "RS256", "ES256", "ES256"]);
    let mut kids = std::collections::HashSet::new();
    for key in &keys {
        assert!(kids.insert(key["kid"].as_str().unwrap()));
        assert_eq!(key["use"], "sig");
        let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        let expected: &[&str] = match key["kty"].as_str().unwrap() {
            "RSA" => &["alg", "e", "kid", "kty", "n", "use"],
            _ => &["alg", "crv", "kid", "kty", "use", "x", "y"],
        };
        assert_eq!(members, expected);
    }
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let app = TestApp::start().await;
    for path in PATHS {
        let answer = app.server.call(http::Method::HEAD, path).send().await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        assert!(!answer.header("etag").is_empty());
    }
}

#[tokio::test]
async fn a_post_to_a_document_is_405() {
    let app = TestApp::start().await;
    for path in PATHS {
        let answer = app.server.post(path).form(&[]).send().await;
        assert_eq!(answer.status, 405);
        assert!(answer.header("allow").contains("GET"));
    }
}
