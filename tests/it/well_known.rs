//! `GET /.well-known/…`: discovery and the public keys.

use identety_tests::app::{ISSUER, TestApp, unverified};
use identety_tests::browser::{Form, html};
use identety_tests::sign_in::request;
use rstest::rstest;
use serde_json::{Value, json};

const PATHS: [&str; 3] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
];

async fn metadata(app: &TestApp) -> Value {
    let answer = app.server.get(PATHS[0]).send().await;
    assert_eq!(answer.status, 200);
    answer.json()
}

/// A member of the metadata that is a list of texts.
async fn listed(app: &TestApp, member: &str) -> Vec<String> {
    let metadata = metadata(app).await;
    let values = metadata[member].as_array().unwrap().iter();
    values.map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn discovery_says_all_this_and_no_more() {
    let app = TestApp::start().await;
    let at = |path: &str| format!("{ISSUER}{path}");
    let any = ["client_secret_basic", "client_secret_post", "none"];
    assert_eq!(
        metadata(&app).await,
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": at("/oauth2/authorize"),
            "token_endpoint": at("/oauth2/token"),
            "userinfo_endpoint": at("/oauth2/userinfo"),
            "jwks_uri": at("/.well-known/jwks.json"),
            "revocation_endpoint": at("/oauth2/revoke"),
            "introspection_endpoint": at("/oauth2/introspect"),
            "end_session_endpoint": at("/oauth2/logout"),
            "scopes_supported":
                ["openid", "profile", "email", "address", "phone", "offline_access"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "grant_types_supported":
                ["authorization_code", "refresh_token", "client_credentials"],
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "acr_values_supported": ["1"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "token_endpoint_auth_methods_supported": any,
            "revocation_endpoint_auth_methods_supported": any,
            "introspection_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post"],
            "claim_types_supported": ["normal"],
            "claims_supported": [
                "iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "at_hash", "sid",
                "email", "email_verified", "name", "preferred_username", "family_name",
                "given_name", "middle_name", "nickname", "profile", "picture", "website", "gender",
                "birthdate", "zoneinfo", "locale", "updated_at", "address", "phone_number",
                "phone_number_verified",
            ],
            "ui_locales_supported": ["en"],
            "code_challenge_methods_supported": ["S256"],
            "claims_parameter_supported": true,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
            "authorization_response_iss_parameter_supported": true,
        })
    );
}

#[tokio::test]
async fn every_endpoint_that_is_listed_answers() {
    let app = TestApp::start().await;
    let metadata = metadata(&app).await;
    let urls = metadata
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.ends_with("_endpoint") || name.ends_with("_uri"));
    let urls: Vec<_> = urls.map(|(_, url)| url.as_str().unwrap().to_owned()).collect();
    assert_eq!(urls.len(), 7);
    for url in urls {
        let path = url.strip_prefix(ISSUER).unwrap();
        let answers = [app.server.get(path).send().await, app.server.post(path).send().await];
        assert!(answers.iter().all(|answer| ![404, 500].contains(&answer.status)), "{path}");
        assert!(answers.iter().any(|answer| answer.status != 405), "{path}");
    }
}

#[rstest]
#[case("token")]
#[case("revocation")]
#[case("introspection")]
#[tokio::test]
async fn every_way_to_authenticate_that_is_listed_works(#[case] endpoint: &str) {
    let app = TestApp::start().await;
    let (private, public) = (app.private_client().await, app.public_client().await);
    let user = app.alice().await;
    let url = metadata(&app).await[format!("{endpoint}_endpoint")].clone();
    let path = url.as_str().unwrap().strip_prefix(ISSUER).unwrap().to_owned();
    for method in listed(&app, &format!("{endpoint}_endpoint_auth_methods_supported")).await {
        let client = if method == "none" { &public } else { &private };
        let token = app.tokens(client, &user, &[]).await.text("refresh_token");
        let name = if endpoint == "token" { "refresh_token" } else { "token" };
        let form = [("grant_type", "refresh_token"), (name, token.as_str())];
        let id = ("client_id", client.client_id.as_str());
        let secret = ("client_secret", client.secret.as_str());
        let call = app.server.post(path.clone());
        let call = match method.as_str() {
            "client_secret_basic" => call.basic(&client.client_id, &client.secret).form(&form),
            "client_secret_post" => call.form(&[form[0], form[1], id, secret]),
            "none" => call.form(&[form[0], form[1], id]),
            other => panic!("{other} is not tested"),
        };
        assert_eq!(call.send().await.status, 200, "{method}");
    }
}

#[tokio::test]
async fn every_grant_type_and_scope_that_is_listed_works() {
    let app = TestApp::start().await;
    let (client, user, m2m) =
        (app.public_client().await, app.alice().await, app.m2m_client(&["read"]).await);
    let scope = listed(&app, "scopes_supported").await.join(" ");
    let code = app.code(&mut app.browser(), &client, &user, &[("scope", &scope)]).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    assert_eq!((tokens.status, tokens.text("scope")), (200, scope));
    for grant_type in listed(&app, "grant_types_supported").await {
        let status = match grant_type.as_str() {
            "authorization_code" => tokens.status,
            "refresh_token" => {
                app.refresh(&client, &tokens.text("refresh_token"), &[]).await.status
            }
            "client_credentials" => app.token(&m2m, &[]).await.status,
            other => panic!("{other} is not tested"),
        };
        assert_eq!(status, 200, "{grant_type}");
    }
}

#[tokio::test]
async fn every_algorithm_claim_and_acr_that_is_listed_is_given() {
    let app = TestApp::start().await;
    let (user, scope) = (app.ada().await, listed(&app, "scopes_supported").await.join(" "));
    for alg in listed(&app, "id_token_signing_alg_values_supported").await {
        let more = json!({"type": "public", "idTokenSigningAlg": alg});
        let client = app.users_client(more).await;
        let tokens = app.tokens(&client, &user, &[("scope", &scope)]).await;
        let (header, claims) = unverified(&tokens.text("id_token"));
        assert_eq!(header["alg"], alg.as_str());
        let info = app.userinfo(&tokens.text("access_token")).await.json();
        let mut given: Vec<_> = [&claims, &info]
            .into_iter()
            .flat_map(|claims| claims.as_object().unwrap().keys().cloned())
            .collect();
        let mut promised = listed(&app, "claims_supported").await;
        given.sort_unstable();
        given.dedup();
        promised.sort_unstable();
        assert_eq!(given, promised);
        let acr = listed(&app, "acr_values_supported").await;
        assert_eq!(acr, [claims["acr"].as_str().unwrap()]);
    }
}

#[tokio::test]
async fn every_parameter_of_authorization_is_as_it_is_listed() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    for mode in listed(&app, "response_modes_supported").await {
        let shown = browser.open(&request(&client, &[("response_mode", &mode)])).await;
        match mode.as_str() {
            "query" | "fragment" => {
                let landing = shown.client();
                assert!(!landing.get("code").is_empty());
                assert_eq!(landing.url.contains('#'), mode == "fragment", "{}", landing.url);
            }
            "form_post" => assert!(!Form::of(&shown.page()).get("code").is_empty()),
            other => panic!("{other} is not tested"),
        }
    }
    for prompt in listed(&app, "prompt_values_supported").await {
        let shown = browser.open(&request(&client, &[("prompt", &prompt)])).await;
        match prompt.as_str() {
            "none" => assert!(!shown.client().get("code").is_empty()),
            "consent" => assert!(html(&shown.page()).contains("id=\"allow\"")),
            _ => assert!(html(&shown.page()).contains("id=\"password\""), "{prompt}"),
        }
    }
    for (parameter, error) in
        [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")]
    {
        assert_eq!(metadata(&app).await[format!("{parameter}_parameter_supported")], false);
        let landing = browser.open(&request(&client, &[(parameter, "x")])).await.client();
        assert_eq!((landing.get("error"), landing.get("iss")), (error.into(), ISSUER.into()));
    }
    let claims = [("claims", "{\"userinfo\":{\"name\":{\"essential\":true}}}")];
    let landing = browser.open(&request(&client, &claims)).await.client();
    assert_eq!((landing.get("code").len(), landing.get("iss")), (43, ISSUER.into()));
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
