//! What it checks at the token endpoint, at userinfo, and of the metadata.

use std::collections::{BTreeMap, HashSet};

use identety_tests::app::{ISSUER, TestApp, TestClient, TestUser, unverified};
use identety_tests::call::Answer;
use identety_tests::sign_in::{CALLBACK, request};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use rstest::rstest;
use serde_json::{Value, json};

/// A private client as the suite registers it: everything else is the default.
async fn client(app: &TestApp) -> TestClient {
    client_with(app, "scope").await
}

/// The same with a rule of what its ID tokens say of the user.
async fn client_with(app: &TestApp, id_token_claims: &str) -> TestClient {
    app.register(json!({
        "name": "certification", "type": "private", "redirectUris": [CALLBACK],
        "scopes": ["openid", "profile", "email", "address", "phone", "offline_access"],
        "idTokenClaims": id_token_claims,
    }))
    .await
}

/// The suite sends no PKCE but where it says so.
const PLAIN: [(&str, &str); 3] =
    [("code_challenge", ""), ("code_challenge_method", ""), ("scope", "openid")];

async fn code(app: &TestApp, client: &TestClient, changes: &[(&str, &str)]) -> (String, TestUser) {
    let user = app.ada().await;
    let kept = PLAIN.iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    let all: Vec<_> = kept.chain(changes).copied().collect();
    (app.code(&mut app.browser(), client, &user, &all).await, user)
}

async fn redeem(app: &TestApp, client: &TestClient, code: &str) -> Answer {
    app.redeem(client, code, &[("code_verifier", "")]).await
}

async fn tokens(app: &TestApp, client: &TestClient, changes: &[(&str, &str)]) -> Answer {
    let (code, _) = code(app, client, changes).await;
    let answer = redeem(app, client, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer
}

/// The claims of an ID token, its signature verified by the published key that it names.
async fn verified(app: &TestApp, client: &TestClient, token: &str) -> Value {
    let jwks = app.server.get("/.well-known/jwks.json").send().await;
    let jwks: JwkSet = serde_json::from_slice(&jwks.body).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = jwks.find(header.kid.as_deref().unwrap()).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[&client.client_id]);
    validation.set_issuer(&[ISSUER]);
    decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims
}

#[tokio::test]
async fn oidcc_server() {
    let app = TestApp::start().await;
    let client = client(&app).await;
    let (code, user) = code(&app, &client, &[]).await;
    assert!(code.len() * 6 >= 256, "at least 128 bits long, 96 of them random");
    let answer = redeem(&app, &client, &code).await;
    assert_eq!((answer.status, answer.text("token_type")), (200, "Bearer".into()));
    assert!((1..=31_536_000).contains(&answer.json()["expires_in"].as_u64().unwrap()));
    let claims = verified(&app, &client, &answer.text("id_token")).await;
    let now = app.now().seconds();
    assert_eq!((&claims["sub"], &claims["nonce"]), (&json!(user.id), &json!("the nonce")));
    assert!(claims["iat"].as_u64().unwrap().abs_diff(now) < 300);
    assert!(claims["exp"].as_u64().unwrap() > now);
    let mut names: Vec<_> = claims.as_object().unwrap().keys().cloned().collect();
    names.sort_unstable();
    let asked_for =
        ["acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub"];
    assert_eq!(names, asked_for);
    assert_eq!(app.userinfo(&answer.text("access_token")).await.status, 200);
}

#[tokio::test]
async fn oidcc_idtoken_signature() {
    let app = TestApp::start().await;
    let client = client(&app).await;
    let answer = tokens(&app, &client, &[]).await;
    let (header, _) = unverified(&answer.text("id_token"));
    assert_eq!(header["alg"], "RS256");
    assert!(!header["kid"].as_str().unwrap().is_empty());
    verified(&app, &client, &answer.text("id_token")).await;
}

#[tokio::test]
async fn oidcc_userinfo_get_and_post_header_and_post_body() {
    let app = TestApp::start().await;
    let answer = tokens(&app, &client(&app).await, &[]).await;
    let (token, path) = (answer.text("access_token"), "/oauth2/userinfo");
    for call in [
        app.server.get(path).bearer(&token),
        app.server.post(path).bearer(&token),
        app.server.post(path).form(&[("access_token", &token)]),
    ] {
        let info = call.send().await;
        assert_eq!((info.status, info.header("content-type")), (200, "application/json"));
        assert_eq!(info.json()["sub"], unverified(&answer.text("id_token")).1["sub"]);
    }
}

#[tokio::test]
async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
    let app = TestApp::start().await;
    let client = client(&app).await;
    let answer = tokens(&app, &client, &[("nonce", "")]).await;
    assert!(verified(&app, &client, &answer.text("id_token")).await.get("nonce").is_none());
}

#[rstest]
#[case::profile("openid profile", &["profile"])]
#[case::email("openid email", &["email"])]
#[case::address("openid address", &["address"])]
#[case::phone("openid phone", &["phone"])]
#[case::all("openid profile email address phone", &["profile", "email", "address", "phone"])]
#[tokio::test]
async fn oidcc_scope(
    #[case] scope: &str,
    #[case] scopes: &[&str],
    #[values("scope", "none")] rule: &str,
) {
    let app = TestApp::start().await;
    let client = client_with(&app, rule).await;
    let answer = tokens(&app, &client, &[("scope", scope)]).await;
    let info = app.userinfo(&answer.text("access_token")).await.json();
    let by_scope = BTreeMap::from([
        (
            "profile",
            vec![
                "name",
                "family_name",
                "given_name",
                "middle_name",
                "nickname",
                "preferred_username",
                "profile",
                "picture",
                "website",
                "gender",
                "birthdate",
                "zoneinfo",
                "locale",
                "updated_at",
            ],
        ),
        ("email", vec!["email", "email_verified"]),
        ("address", vec!["address"]),
        ("phone", vec!["phone_number", "phone_number_verified"]),
    ]);
    let mut expected: HashSet<_> =
        scopes.iter().flat_map(|scope| by_scope[scope].clone()).collect();
    expected.insert("sub");
    let given: HashSet<_> = info.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(given, expected);
    for (name, value) in info.as_object().unwrap() {
        let has_its_type = match name.as_str() {
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "updated_at" => value.is_u64(),
            "address" => value.as_object().unwrap().values().all(Value::is_string),
            _ => value.is_string(),
        };
        assert!(has_its_type, "{name}: {value}");
    }
    // The suite warns of an `email` here that only the scope asked for; it looks for no other claim.
    let (_, claims) = unverified(&answer.text("id_token"));
    for (scope, name) in
        by_scope.iter().flat_map(|(scope, names)| names.iter().map(move |name| (scope, name)))
    {
        let is_expected =
            rule == "scope" && scopes.contains(scope) && ["profile", "email"].contains(scope);
        assert_eq!(claims.get(*name).is_some(), is_expected, "{name}");
    }
}

#[rstest]
#[case::oidcc_codereuse(0)]
#[case::oidcc_codereuse_30seconds(30)]
#[tokio::test]
async fn oidcc_codereuse(#[case] seconds: u64) {
    let app = TestApp::start().await;
    let client = client(&app).await;
    let (code, _) = code(&app, &client, &[]).await;
    let answer = redeem(&app, &client, &code).await;
    assert_eq!(app.userinfo(&answer.text("access_token")).await.status, 200);
    app.advance(seconds);
    let again = redeem(&app, &client, &code).await;
    assert_eq!(again.outcome(), (400, "invalid_grant".into()));
    assert_eq!(again.header("content-type"), "application/json");
    assert_eq!(app.userinfo(&answer.text("access_token")).await.status, 401);
}

#[tokio::test]
async fn oidcc_server_client_secret_post() {
    let app = TestApp::start().await;
    let more = json!({"type": "private", "tokenEndpointAuthMethod": "client_secret_post"});
    let client = app.users_client(more).await;
    let (code, _) = code(&app, &client, &[]).await;
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("client_id", client.client_id.as_str()),
        ("client_secret", client.secret.as_str()),
    ];
    let answer = app.server.post("/oauth2/token").form(&parameters).send().await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert_eq!(app.userinfo(&answer.text("access_token")).await.status, 200);
}

#[tokio::test]
async fn oidcc_refresh_token() {
    let app = TestApp::start().await;
    let (one, other) = (client(&app).await, client(&app).await);
    let answer = tokens(&app, &one, &[("scope", "openid offline_access")]).await;
    let refresh_token = answer.text("refresh_token");
    let random = refresh_token.rsplit('.').next().unwrap();
    assert!(random.len() * 6 >= 256, "at least 128 random bits");
    app.advance(2);
    let stolen = app.refresh(&other, &refresh_token, &[]).await;
    assert_eq!(stolen.outcome(), (400, "invalid_grant".into()));
    let next = app.refresh(&one, &refresh_token, &[]).await;
    assert_eq!((next.status, next.header("content-type")), (200, "application/json"));
    assert_eq!(next.header("cache-control"), "no-store");
    assert_eq!(next.text("token_type"), "Bearer");
    assert_ne!(next.text("access_token"), answer.text("access_token"));
    let before = verified(&app, &one, &answer.text("id_token")).await;
    let after = verified(&app, &one, &next.text("id_token")).await;
    for claim in ["iss", "sub", "aud", "azp", "auth_time"] {
        assert_eq!(before.get(claim), after.get(claim), "{claim}");
    }
    assert!(after["iat"].as_u64() > before["iat"].as_u64());
    assert_eq!(app.userinfo(&next.text("access_token")).await.status, 200);
}

#[tokio::test]
async fn oidcc_ensure_request_with_valid_pkce_succeeds() {
    let app = TestApp::start().await;
    let (client, user) = (client(&app).await, app.ada().await);
    let code = app.code(&mut app.browser(), &client, &user, &[("scope", "openid")]).await;
    assert_eq!(app.redeem(&client, &code, &[]).await.status, 200);
}

#[tokio::test]
async fn errors_have_only_the_characters_of_rfc_6749() {
    let app = TestApp::start().await;
    let client = client(&app).await;
    let (code, user) = code(&app, &client, &[]).await;
    let answer = redeem(&app, &client, &code).await;
    let (access, refresh) = (answer.text("access_token"), answer.text("refresh_token"));
    let without_openid = [("scope", "profile"), ("prompt", "consent")];
    let other = app.tokens(&client, &user, &without_openid).await;
    let m2m = app.m2m_client(&["read"]).await;
    let token = app.access_token(&m2m, &[]).await;
    let answers = [
        app.refresh(&client, &refresh, &[("scope", "\"\\")]).await,
        app.refresh(&client, &refresh, &[("scope", "photos:read")]).await,
        app.refresh(&client, &refresh, &[("resource", "\"\\")]).await,
        app.refresh(&client, "\"\\", &[]).await,
        app.refresh(&m2m, &refresh, &[]).await,
        app.redeem(&client, "\"\\", &[]).await,
        app.redeem(&client, "", &[]).await,
        app.redeem(&client, &code, &[("grant_type", "\"\\")]).await,
        app.redeem(&client, &code, &[("redirect_uri", "\"\\")]).await,
        redeem(&app, &client, &code).await,
        app.userinfo(&access).await,
        app.userinfo(&other.text("access_token")).await,
        app.userinfo("\"\\").await,
        app.server.get("/oauth2/userinfo").send().await,
        app.revoke(&client, "").await,
        app.revoke(&m2m, &token).await,
        app.introspect(&client, "").await,
        app.client_call("/oauth2/introspect", &m2m, &[("token", "a"), ("token", "b")]).send().await,
        app.server.post("/oauth2/introspect").basic("\"\\", "\"\\").form(&[]).send().await,
    ];
    for (number, answer) in answers.iter().enumerate() {
        assert!((400..500).contains(&answer.status), "{number}: {}", answer.status);
        assert_eq!(answer.header("content-type"), "application/json");
        for member in ["error", "error_description"] {
            let text = answer.text(member);
            let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
            assert!(!text.is_empty() && text.bytes().all(allowed), "{number}: {text}");
        }
    }
}

#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let app = TestApp::start().await;
    let answer = app.server.get("/.well-known/openid-configuration").send().await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let metadata = answer.json();
    assert_eq!(metadata["issuer"], ISSUER);
    let contains = |member: &str, value: &str| {
        metadata[member].as_array().unwrap().contains(&Value::from(value))
    };
    assert!(contains("response_types_supported", "code"));
    assert!(contains("subject_types_supported", "public"));
    assert!(contains("id_token_signing_alg_values_supported", "RS256"));
    assert!(contains("scopes_supported", "openid"));
    assert!(contains("code_challenge_methods_supported", "S256"));
    for member in ["claims_supported", "grant_types_supported"] {
        assert!(!metadata[member].as_array().unwrap().is_empty(), "{member}");
    }
    let endpoints = ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"];
    for endpoint in endpoints {
        assert!(metadata[endpoint].as_str().unwrap().starts_with("https://"), "{endpoint}");
    }
    let path = metadata["jwks_uri"].as_str().unwrap().strip_prefix(ISSUER).unwrap();
    let jwks: JwkSet = serde_json::from_slice(&app.server.get(path).send().await.body).unwrap();
    let kids: HashSet<_> = jwks.keys.iter().map(|key| key.common.key_id.clone().unwrap()).collect();
    assert_eq!(kids.len(), jwks.keys.len());
    for key in &jwks.keys {
        DecodingKey::from_jwk(key).unwrap();
        let alg: Algorithm = key.common.key_algorithm.unwrap().to_string().parse().unwrap();
        assert!(matches!(alg, Algorithm::RS256 | Algorithm::ES256));
    }
    // The request that the suite makes next.
    let asked = request(&client(&app).await, &PLAIN);
    assert_eq!(app.browser().open(&asked).await.page().status, 200);
}
