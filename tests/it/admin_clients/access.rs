//! Who may administrate.

use identety_tests::app::{ISSUER, TestApp, TestClient, unverified};
use rstest::rstest;
use serde_json::json;

const EVERYWHERE: [(&str, &str); 13] = [
    ("GET", "/admin/clients"),
    ("POST", "/admin/clients"),
    ("PUT", "/admin/clients"),
    ("DELETE", "/admin/clients"),
    ("OPTIONS", "/admin/clients"),
    ("GET", "/admin/clients/01890000-0000-7000-8000-000000000000"),
    ("PATCH", "/admin/clients/01890000-0000-7000-8000-000000000000"),
    ("DELETE", "/admin/clients/01890000-0000-7000-8000-000000000000"),
    ("POST", "/admin/clients/01890000-0000-7000-8000-000000000000/secrets"),
    ("DELETE", "/admin/clients/01890000-0000-7000-8000-000000000000/secrets/x"),
    ("GET", "/admin"),
    ("GET", "/admin/nothing"),
    ("POST", "/admin/users"),
];

#[rstest]
#[case(&[])]
#[case(&[("x-api-key", "")])]
#[case(&[("x-api-key", "wrong")])]
#[case(&[("x-api-key", "wrong"), ("x-api-key", "again")])]
#[case(&[("authorization", "Bearer wrong")])]
#[case(&[("authorization", "Bearer ")])]
#[case(&[("authorization", "Basic eDp5")])]
#[tokio::test]
async fn without_valid_credentials_every_method_at_every_path_is_401(
    #[case] headers: &[(&str, &str)],
) {
    let app = TestApp::start().await;
    for (method, path) in EVERYWHERE {
        let mut call = app.server.call(method.parse().unwrap(), path);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        let answer = call.json(&json!({})).send().await;
        assert_eq!(answer.status, 401, "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{method} {path}");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn the_api_key_twice_is_401_even_when_it_is_right() {
    let app = TestApp::start().await;
    let call = app.admin("GET", "/admin/clients").header("x-api-key", &app.api_key);
    assert_eq!(call.send().await.status, 401);
    let joined = format!("{0},{0}", app.api_key);
    let call = app.server.get("/admin/clients").header("x-api-key", &joined);
    assert_eq!(call.send().await.status, 401);
}

#[tokio::test]
async fn the_api_key_in_the_query_is_ignored() {
    let app = TestApp::start().await;
    let path = format!("/admin/clients?x-api-key={}", app.api_key);
    assert_eq!(app.server.get(path).send().await.status, 401);
}

#[tokio::test]
async fn an_api_key_with_something_appended_or_cut_off_is_401() {
    let app = TestApp::start().await;
    let key = app.api_key.clone();
    for wrong in [format!("{key}x"), key[..key.len() - 1].to_owned(), key.to_uppercase()] {
        let call = app.server.get("/admin/clients").header("x-api-key", &wrong);
        assert_eq!(call.send().await.status, 401);
    }
}

#[tokio::test]
async fn api_key_and_bearer_token_together_are_400() {
    let app = TestApp::start().await;
    assert_eq!(app.admin("GET", "/admin/clients").bearer("x").send().await.status, 400);
}

#[tokio::test]
async fn the_101st_wrong_api_key_from_one_address_in_a_minute_is_429_and_the_right_one_passes() {
    let app = TestApp::start().await;
    app.advance(60 - app.now().seconds() % 60);
    let attempt =
        async |key: &str| app.server.get("/admin/clients").header("x-api-key", key).send().await;
    for _ in 0..100 {
        assert_eq!(attempt("wrong").await.status, 401);
    }
    let answer = attempt("wrong").await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), "60");
    assert_eq!(attempt(&app.api_key).await.status, 200);
}

async fn status_with(app: &TestApp, method: &str, token: &str) -> (u16, String) {
    let call = app.server.call(method.parse().unwrap(), "/admin/clients").bearer(token);
    let answer = call.json(&json!({"name": "x", "type": "m2m"})).send().await;
    (answer.status, answer.header("www-authenticate").to_owned())
}

#[tokio::test]
async fn a_token_with_the_scope_opens_reading_or_writing() {
    let app = TestApp::start().await;
    let reader = app.m2m_client(&["clients:read"]).await;
    let token = app.access_token(&reader, &[]).await;
    assert_eq!(unverified(&token).1["aud"], format!("{ISSUER}/admin"));
    assert_eq!(status_with(&app, "GET", &token).await.0, 200);
    let (status, challenge) = status_with(&app, "POST", &token).await;
    assert_eq!(status, 403);
    assert_eq!(challenge, "Bearer error=\"insufficient_scope\", scope=\"clients:write\"");

    let writer = app.m2m_client(&["clients:write"]).await;
    let token = app.access_token(&writer, &[]).await;
    assert_eq!(status_with(&app, "POST", &token).await.0, 201);
    let (status, challenge) = status_with(&app, "GET", &token).await;
    assert_eq!(status, 403);
    assert_eq!(challenge, "Bearer error=\"insufficient_scope\", scope=\"clients:read\"");
}

#[tokio::test]
async fn a_token_for_another_audience_is_401() {
    let app = TestApp::start().await;
    let client = app
        .register(json!({
            "name": "Both", "type": "m2m", "scopes": ["clients:read"],
            "audiences": ["https://api.example.com", format!("{ISSUER}/admin")],
        }))
        .await;
    let elsewhere = app.access_token(&client, &[]).await;
    let (status, challenge) = status_with(&app, "GET", &elsewhere).await;
    assert_eq!(status, 401);
    assert_eq!(challenge, "Bearer error=\"invalid_token\"");
    let admin = format!("{ISSUER}/admin");
    let here = app.access_token(&client, &[("resource", &admin)]).await;
    assert_eq!(status_with(&app, "GET", &here).await.0, 200);
    let both = [("resource", admin.as_str()), ("resource", "https://api.example.com")];
    let both = app.access_token(&client, &both).await;
    assert_eq!(status_with(&app, "GET", &both).await.0, 200, "one audience of several");
}

#[tokio::test]
async fn a_token_ends_at_its_second_without_leeway() {
    let app = TestApp::start().await;
    let reader = app.m2m_client(&["clients:read"]).await;
    app.change(&reader, json!({"accessTokenLifetime": 60})).await;
    let token = app.access_token(&reader, &[]).await;
    app.advance(59);
    assert_eq!(status_with(&app, "GET", &token).await.0, 200);
    app.advance(1);
    assert_eq!(status_with(&app, "GET", &token).await.0, 401);
}

#[tokio::test]
async fn the_token_of_a_disabled_or_deleted_administrator_is_401_at_once() {
    let app = TestApp::start().await;
    let reader = app.m2m_client(&["clients:read"]).await;
    let token = app.access_token(&reader, &[]).await;
    app.change(&reader, json!({"isActive": false})).await;
    assert_eq!(status_with(&app, "GET", &token).await.0, 401);
    app.change(&reader, json!({"isActive": true})).await;
    assert_eq!(status_with(&app, "GET", &token).await.0, 200);
    let path = format!("/admin/clients/{}", reader.id);
    assert_eq!(app.admin("DELETE", &path).send().await.status, 200);
    assert_eq!(status_with(&app, "GET", &token).await.0, 401);
}

#[tokio::test]
async fn a_token_that_was_tampered_with_is_401() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let app = TestApp::start().await;
    let reader = app.m2m_client(&["clients:read"]).await;
    let token = app.access_token(&reader, &[]).await;
    let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    let (header, claims) = unverified(&token);
    let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let with_header = |members: serde_json::Value| {
        let mut changed = header.clone();
        for (name, value) in members.as_object().unwrap() {
            changed[name] = value.clone();
        }
        format!("{}.{}.{}", encode(&changed), parts[1], parts[2])
    };
    let mut wider = claims.clone();
    wider["scope"] = "clients:read clients:write".into();
    let repeated =
        format!(r#"{{"typ":"at+jwt","alg":"ES256","alg":"none","kid":{}}}"#, header["kid"]);
    for (case, tampered) in [
        ("claims changed", format!("{}.{}.{}", parts[0], encode(&wider), parts[2])),
        ("alg none", with_header(json!({"alg": "none"}))),
        ("alg none without signature", {
            let unsigned = with_header(json!({"alg": "none"}));
            format!("{}.", unsigned.rsplit_once('.').unwrap().0)
        }),
        ("alg HS256", with_header(json!({"alg": "HS256"}))),
        ("alg of another key", with_header(json!({"alg": "RS256"}))),
        ("alg null", with_header(json!({"alg": null}))),
        ("typ of an ID token", with_header(json!({"typ": "JWT"}))),
        ("typ missing", with_header(json!({"typ": null}))),
        ("kid unknown", with_header(json!({"kid": "unknown"}))),
        ("kid a path", with_header(json!({"kid": "../../etc/passwd"}))),
        ("kid a URL", with_header(json!({"kid": "http://127.0.0.1/"}))),
        ("crit unknown", with_header(json!({"crit": ["x"]}))),
        ("jwk in the header", with_header(json!({"jwk": {"kty": "oct", "k": "AA"}}))),
        ("jku in the header", with_header(json!({"jku": "http://127.0.0.1/"}))),
        ("x5u in the header", with_header(json!({"x5u": "http://127.0.0.1/"}))),
        ("alg twice", format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(repeated), parts[1], parts[2])),
        ("signature cut", token[..token.len() - 4].to_owned()),
        ("signature missing", format!("{}.{}", parts[0], parts[1])),
        ("five parts", format!("{token}.x.y")),
        ("four parts", format!("{token}.x")),
        ("trailing data", format!("{token} x")),
        ("header not JSON", format!("AAAA.{}.{}", parts[1], parts[2])),
        ("empty parts", "..".to_owned()),
        ("too long", format!("{token}{}", "A".repeat(10_000))),
        (
            "nested deep",
            format!("{}.{}.{}", URL_SAFE_NO_PAD.encode("[".repeat(5000)), parts[1], parts[2]),
        ),
    ] {
        let (status, challenge) = status_with(&app, "GET", &tampered).await;
        assert_eq!(status, 401, "{case}");
        assert_eq!(challenge, "Bearer error=\"invalid_token\"", "{case}");
    }
    assert_eq!(status_with(&app, "GET", &token).await.0, 200);
}

#[tokio::test]
async fn the_token_of_another_issuer_with_the_same_keys_is_401() {
    // Two deployments never share keys; a token still says whose it is.
    let app = TestApp::start().await;
    let reader = app.m2m_client(&["clients:read"]).await;
    let token = app.access_token(&reader, &[]).await;
    let mut foreign = unverified(&token).1;
    foreign["iss"] = "https://other.example.com".into();
    let mut rng = identety_http::ambient::rng().unwrap();
    let sealing = identety_keys::Sealing::Local(zeroize::Zeroizing::new([7; 32]));
    let vault = identety_keys::KeyVault::new(app.stores.keys.clone(), sealing);
    let keys = vault.opened(app.now(), &mut rng).await.unwrap();
    let sign = |claims: &serde_json::Value, typ| {
        use identety_domain::keys::Signer as _;
        let alg = identety_domain::client::SigningAlg::Es256;
        keys.sign(alg, typ, claims.to_string().as_bytes()).unwrap()
    };
    assert_eq!(status_with(&app, "GET", &sign(&foreign, "at+jwt")).await.0, 401);

    // The same hand shows that the rest of these claims would have done.
    foreign["iss"] = ISSUER.into();
    assert_eq!(status_with(&app, "GET", &sign(&foreign, "at+jwt")).await.0, 200);
    assert_eq!(status_with(&app, "GET", &sign(&foreign, "application/at+jwt")).await.0, 200);
    assert_eq!(status_with(&app, "GET", &sign(&foreign, "JWT")).await.0, 401);
    foreign["nbf"] = (app.now().seconds() + 10).into();
    assert_eq!(status_with(&app, "GET", &sign(&foreign, "at+jwt")).await.0, 200);
    foreign["nbf"] = (app.now().seconds() + 11).into();
    assert_eq!(status_with(&app, "GET", &sign(&foreign, "at+jwt")).await.0, 401);
    foreign["nbf"] = app.now().seconds().into();
    foreign["iat"] = (app.now().seconds() + 11).into();
    assert_eq!(status_with(&app, "GET", &sign(&foreign, "at+jwt")).await.0, 401);
    foreign["iat"] = app.now().seconds().into();

    // Claims that are missing, of another type, or there twice, though rightly signed.
    for member in ["iss", "sub", "aud", "client_id", "iat", "nbf", "exp", "jti"] {
        let mut missing = foreign.clone();
        missing.as_object_mut().unwrap().remove(member);
        assert_eq!(status_with(&app, "GET", &sign(&missing, "at+jwt")).await.0, 401, "{member}");
        let mut null = foreign.clone();
        null[member] = serde_json::Value::Null;
        assert_eq!(status_with(&app, "GET", &sign(&null, "at+jwt")).await.0, 401, "{member}");
    }
    let sign_raw = |claims: &[u8]| {
        use identety_domain::keys::Signer as _;
        let alg = identety_domain::client::SigningAlg::Es256;
        keys.sign(alg, "at+jwt", claims).unwrap()
    };
    let text = foreign.to_string();
    assert_eq!(status_with(&app, "GET", &sign_raw(text.as_bytes())).await.0, 200);
    let twice = text.replacen('{', r#"{"scope":"clients:write","#, 1);
    let not_utf8 = [text.as_bytes(), b"\xff"].concat();
    let trailing = format!("{text}{{}}");
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(3000), "]".repeat(3000));
    // The values alone, in the order of the members, and bytes that are no text where nobody reads.
    let order = ["iss", "sub", "aud", "client_id", "scope", "iat", "nbf", "exp", "jti", "grant_id"];
    let list = json!(order.map(|member| &foreign[member])).to_string();
    let unread = [b"{\"x\":\"\xff\",", &text.as_bytes()[1..]].concat();
    for claims in [
        twice.as_bytes(),
        &not_utf8,
        trailing.as_bytes(),
        deep.as_bytes(),
        list.as_bytes(),
        &unread,
        b"",
        b"[]",
    ] {
        assert_eq!(status_with(&app, "GET", &sign_raw(claims)).await.0, 401);
    }
}

async fn administrator(app: &TestApp, scopes: &[&str]) -> (TestClient, String) {
    let client = app.m2m_client(scopes).await;
    let token = app.access_token(&client, &[]).await;
    (client, token)
}

#[tokio::test]
async fn an_administrator_grants_only_the_reserved_scopes_that_its_own_token_carries() {
    let app = TestApp::start().await;
    let (own, token) = administrator(&app, &["clients:read", "clients:write"]).await;
    let create = async |scopes: &[&str]| {
        let members = json!({"name": "x", "type": "m2m", "scopes": scopes});
        app.server.post("/admin/clients").bearer(&token).json(&members).send().await
    };
    assert_eq!(create(&["orders:read", "clients:read"]).await.status, 201);
    let refused = create(&["orders:read", "users:write", "tokens:introspect"]).await;
    assert_eq!(
        (refused.status, refused.fields()),
        (400, vec!["scopes[1]".into(), "scopes[2]".into()])
    );

    // Nor to itself.
    let call = app.server.call(http::Method::PATCH, format!("/admin/clients/{}", own.id));
    let members = json!({"scopes": ["clients:read", "clients:write", "users:write"]});
    let refused = call.bearer(&token).json(&members).send().await;
    assert_eq!((refused.status, refused.fields()), (400, vec!["scopes[2]".into()]));
}

#[tokio::test]
async fn a_scope_that_an_administrator_has_lost_does_not_count_from_the_next_request_on() {
    let app = TestApp::start().await;
    let (own, token) = administrator(&app, &["clients:read", "clients:write", "users:write"]).await;
    app.change(&own, json!({"scopes": ["clients:write"]})).await;
    let (status, challenge) = status_with(&app, "GET", &token).await;
    assert_eq!(status, 403);
    assert_eq!(challenge, "Bearer error=\"insufficient_scope\", scope=\"clients:read\"");
    assert_eq!(status_with(&app, "POST", &token).await.0, 201);
    // Nor can it be handed out any more, to whoever it may be.
    let members = json!({"name": "x", "type": "m2m", "scopes": ["users:write"]});
    let refused = app.server.post("/admin/clients").bearer(&token).json(&members).send().await;
    assert_eq!((refused.status, refused.fields()), (400, vec!["scopes[0]".into()]));
    app.change(&own, json!({"scopes": ["clients:read"]})).await;
    assert_eq!(status_with(&app, "GET", &token).await.0, 200, "for as long as it was taken");
    assert_eq!(status_with(&app, "POST", &token).await.0, 403);
    // What was added comes with the next token.
    app.change(&own, json!({"scopes": ["clients:read", "users:read"]})).await;
    assert_eq!(app.server.get("/admin/users").bearer(&token).send().await.status, 403);
}

#[tokio::test]
async fn an_administrator_does_not_touch_a_client_with_more_authority() {
    let app = TestApp::start().await;
    let (_, token) = administrator(&app, &["clients:read", "clients:write"]).await;
    let mighty = app.m2m_client(&["users:write"]).await;
    let path = format!("/admin/clients/{}", mighty.id);
    for (method, path) in [
        ("PATCH", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/secrets")),
        ("DELETE", format!("{path}/secrets/{}", mighty.id)),
    ] {
        let call = app.server.call(method.parse().unwrap(), path).bearer(&token);
        assert_eq!(call.json(&json!({})).send().await.status, 403, "{method}");
    }
    assert_eq!(app.token(&mighty, &[]).await.status, 200);
    assert_eq!(app.server.get(path).bearer(&token).send().await.status, 200);
}

#[tokio::test]
async fn a_tenant_header_changes_nothing() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let path = format!("/admin/clients/{}", client.id);
    let plain = app.admin("GET", &path).send().await;
    let spoofed = app.admin("GET", &path).header("x-tenant-id", "other").send().await;
    assert_eq!(spoofed.body, plain.body);
}

#[tokio::test]
async fn made_up_kids_make_the_store_be_read_at_most_every_five_seconds() {
    let (app, faults) = TestApp::start_faulty().await;
    let client = app.m2m_client(&["clients:read"]).await;
    let token = app.access_token(&client, &[]).await;
    let list = |token: String| app.server.get("/admin/clients").bearer(&token).send();
    assert_eq!(list(token.clone()).await.status, 200);
    let (_, rest) = token.split_once('.').unwrap();
    let made_up = |number: u32| {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": format!("made-up-{number}")});
        format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
    };
    app.advance(5);
    for round in 0..3 {
        faults.take_requests();
        for number in 0..20 {
            assert_eq!(list(made_up(20 * round + number)).await.status, 401);
        }
        // Nothing else is read for them.
        let reads: Vec<_> = faults.take_requests();
        assert_eq!(reads.len(), 1, "{reads:?}");
        assert_eq!(reads[0].operation, "Query");
        app.advance(5);
    }
    assert_eq!(list(token).await.status, 200);
}
