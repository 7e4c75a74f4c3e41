//! `POST /admin/clients`.

use identety_tests::app::{ISSUER, TestApp};
use identety_tests::call::Answer;
use rstest::rstest;
use serde_json::{Value, json};

async fn create(app: &TestApp, members: &Value) -> Answer {
    app.admin("POST", "/admin/clients").json(members).send().await
}

/// Takes a member out, after a look at its shape.
fn take(body: &mut Value, pointer: &str, shape: impl Fn(&str) -> bool) -> String {
    let value = body.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")).take();
    let text = value.as_str().unwrap_or_else(|| panic!("{pointer}: {value}")).to_owned();
    assert!(shape(&text), "{pointer}: {text}");
    text
}

fn is_uuid_v7(text: &str) -> bool {
    uuid::Uuid::parse_str(text).is_ok_and(|id| id.get_version_num() == 7)
}

fn is_random(prefix: &'static str, length: usize) -> impl Fn(&str) -> bool {
    move |text| {
        text.strip_prefix(prefix).is_some_and(|random| {
            random.len() == length
                && random.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
    }
}

#[tokio::test]
async fn the_answer_is_the_whole_client_with_its_secret_this_once() {
    let app = TestApp::start().await;
    let members = json!({"name": "Orders", "type": "m2m", "scopes": ["orders:read"]});
    let answer = create(&app, &members).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("etag"), "\"1\"");
    let mut body = answer.json();
    let id = take(&mut body, "/id", is_uuid_v7);
    assert_eq!(answer.header("location"), format!("{ISSUER}/admin/clients/{id}"));
    take(&mut body, "/clientId", is_random("m2m_", 24));
    let secret = take(&mut body, "/clientSecret", is_random("m2m_secret_", 43));
    take(&mut body, "/secrets/0/id", is_uuid_v7);
    take(&mut body, "/secrets/0/hint", |hint| secret.ends_with(hint) && hint.len() == 4);
    let now = app.now().to_string();
    for pointer in ["/createdAt", "/updatedAt", "/secrets/0/createdAt"] {
        take(&mut body, pointer, |at| at == now);
    }
    insta::assert_json_snapshot!(body, @r#"
    {
      "accessTokenLifetime": 3600,
      "accessTokenSigningAlg": "RS256",
      "allowedCorsOrigins": [],
      "allowedGrants": [
        "client_credentials"
      ],
      "allowedScopes": [
        "orders:read"
      ],
      "audiences": [],
      "clientId": null,
      "clientSecret": null,
      "clientUri": null,
      "contacts": [],
      "createdAt": null,
      "grants": [
        "client_credentials"
      ],
      "id": null,
      "idTokenClaims": null,
      "idTokenSigningAlg": "RS256",
      "isActive": true,
      "logoUri": null,
      "metadata": {},
      "name": "Orders",
      "policyUri": null,
      "postLogoutRedirectUris": [],
      "redirectUris": [],
      "refreshTokenAbsoluteLifetime": 7776000,
      "refreshTokenLifetime": 1209600,
      "requirePkce": false,
      "scopes": [
        "orders:read"
      ],
      "secrets": [
        {
          "createdAt": null,
          "expiresAt": null,
          "hint": null,
          "id": null,
          "lastUsedAt": null
        }
      ],
      "settings": {
        "accessTokenTTL": 3600,
        "allowedCorsOrigins": [],
        "refreshTokenTTL": 1209600,
        "tokenEndpointAuthMethod": "client_secret_basic"
      },
      "skipConsent": false,
      "tokenEndpointAuthMethod": "client_secret_basic",
      "tosUri": null,
      "type": "m2m",
      "updatedAt": null,
      "version": 1
    }
    "#);
}

#[rstest]
#[case("private", "private_", "private_secret_")]
#[case("m2m", "m2m_", "m2m_secret_")]
#[tokio::test]
async fn confidential_clients_get_an_identifier_and_a_secret_of_their_type(
    #[case] kind: &str,
    #[case] id: &'static str,
    #[case] secret: &'static str,
) {
    let app = TestApp::start().await;
    let body = create(&app, &json!({"name": "x", "type": kind})).await;
    assert!(is_random(id, 24)(&body.text("clientId")));
    assert!(is_random(secret, 43)(&body.text("clientSecret")));
}

#[tokio::test]
async fn a_public_client_gets_no_secret_and_must_use_pkce() {
    let app = TestApp::start().await;
    let uris = ["https://app.example.com/cb", "com.example.app:/cb"];
    let members = json!({"name": "App", "type": "public", "redirectUris": uris});
    let body = create(&app, &members).await.json();
    assert!(is_random("public_", 24)(body["clientId"].as_str().unwrap()));
    assert!(body.get("clientSecret").is_none());
    assert_eq!(body["secrets"], json!([]));
    assert_eq!(body["requirePkce"], true);
    assert_eq!(body["tokenEndpointAuthMethod"], "none");
    assert_eq!(body["grants"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(body["redirectUris"], json!(uris));
}

#[tokio::test]
async fn a_secret_is_shown_once_and_kept_only_as_a_hash() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let shown = [
        format!("/admin/clients/{}", client.id),
        "/admin/clients".to_owned(),
        "/admin/clients?columns=clientSecret,client_secret,secrets".to_owned(),
    ];
    for path in shown {
        let answer = app.admin("GET", &path).send().await;
        assert_eq!(answer.status, 200);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!text.contains("clientSecret") && !text.contains(&client.secret), "{text}");
        assert!(!text.contains("argon2id"), "{text}");
    }
    let everything = app.dump();
    assert!(everything.contains("$argon2id$"));
    assert!(!everything.contains(&client.secret) && !everything.contains(&app.api_key));
    assert!(everything.contains(&client.client_id));
}

#[tokio::test]
async fn the_private_keys_are_kept_sealed() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;

    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    app.access_token(&client, &[]).await;
    let everything = app.dump();
    // What every PKCS #8 key begins with: SEQUENCE, INTEGER 0, SEQUENCE, OBJECT IDENTIFIER.
    for start in [&[0x02, 0x01, 0x00, 0x30, 0x0d, 0x06][..], &[0x02, 0x01, 0x00, 0x30, 0x13, 0x06]]
    {
        for shift in 0..3 {
            let text = STANDARD_NO_PAD.encode([&[0; 3][..shift], start].concat());
            assert!(!everything.contains(&text[shift + 1..text.len() - 1]));
        }
    }
    assert!(everything.contains("sealed"));
}

#[tokio::test]
async fn an_import_brings_its_own_identifier_and_secret() {
    let app = TestApp::start().await;
    let members = json!({
        "name": "Imported", "type": "m2m", "scopes": ["read"],
        "clientId": "orders-service", "clientSecret": "sixteen-or-more!",
    });
    let answer = create(&app, &members).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.text("clientId"), "orders-service");
    assert_eq!(answer.text("clientSecret"), "sixteen-or-more!");
    let call = app.server.post("/oauth2/token").basic("orders-service", "sixteen-or-more!");
    assert_eq!(call.form(&[("grant_type", "client_credentials")]).send().await.status, 200);
}

#[rstest]
#[case("clientSecret", json!("fifteen-chars!!"))]
#[case("clientSecret", json!("x".repeat(1025)))]
#[case("clientSecret", json!("control\u{7}character"))]
#[case("clientSecret", json!(1_234_567_890_123_456_u64))]
#[case("clientId", json!(""))]
#[case("clientId", json!("01890000-0000-7000-8000-000000000000"))]
#[case("clientId", json!("0189000000007000800000000000000A"))]
#[case("clientId", json!("x".repeat(256)))]
#[case("clientId", json!("umlaut-ü"))]
#[case("clientId", json!("api-key"))]
#[case("clientId", json!("API-Key"))]
#[case("type", json!("confidential"))]
#[case("type", json!(null))]
#[case("name", json!(7))]
#[case("name", json!(""))]
#[case("name", json!("x".repeat(10_000)))]
#[case("name", json!("bell\u{7}"))]
#[case("redirectUris", json!("https://app.example.com"))]
#[case("redirectUris", json!(["https://app.example.com"]))]
#[case("scopes", json!("read write"))]
#[case("scopes", json!([1]))]
#[case("scopes[0]", json!(null))]
#[case("accessTokenLifetime", json!("3600"))]
#[case("accessTokenLifetime", json!(3600.5))]
#[case("accessTokenLifetime", json!(-1))]
#[case("accessTokenLifetime", json!(3_600_000))]
#[case("isActive", json!("true"))]
#[case("metadata", json!({"nested": {}}))]
#[case("metadata", json!([]))]
#[case("settings", json!([]))]
#[case("id", json!("01890000-0000-7000-8000-000000000000"))]
#[case("version", json!(5))]
#[case("secrets", json!([]))]
#[case("createdAt", json!("2020-01-01T00:00:00.000Z"))]
#[case("unknownMember", json!(1))]
#[case("__proto__", json!({"isAdmin": true}))]
#[case("constructor", json!({}))]
#[tokio::test]
async fn a_member_that_breaks_a_rule_is_400_and_named(#[case] field: &str, #[case] value: Value) {
    let app = TestApp::start().await;
    let mut members = json!({"name": "x", "type": "m2m"});
    if field == "scopes[0]" {
        members["scopes"] = json!(["client_credentials"]);
    } else {
        members[field] = value;
    }
    let answer = create(&app, &members).await;
    assert_eq!(answer.status, 400, "{}", answer.json());
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.fields(), [field]);
    assert_eq!(app.admin("GET", "/admin/clients").send().await.json()["meta"]["total"], 0);
}

#[tokio::test]
async fn a_problem_says_all_that_is_wrong_at_once() {
    let app = TestApp::start().await;
    let members = json!({
        "name": "", "type": "public", "scopes": ["a b"], "grants": ["password"],
        "redirectUris": ["https://ok.example.com/", "https://x.example.com/*", "about:blank"],
        "clientUri": "javascript:alert(1)",
    });
    insta::assert_json_snapshot!(create(&app, &members).await.json(), @r#"
    {
      "detail": "not valid: name, redirectUris[1], redirectUris[2], scopes[0], grants[0], clientUri",
      "errors": [
        {
          "field": "name",
          "message": "must be 1 to 100 printable characters"
        },
        {
          "field": "redirectUris[1]",
          "message": "must not have a wildcard (*): redirect URIs match exactly"
        },
        {
          "field": "redirectUris[2]",
          "message": "must not use this scheme: it names pages of the browser itself or of its extensions"
        },
        {
          "field": "scopes[0]",
          "message": "a scope is 1 to 128 printable ASCII characters without space, quotation mark or backslash"
        },
        {
          "field": "grants[0]",
          "message": "password does not exist in OAuth 2.1"
        },
        {
          "field": "clientUri",
          "message": "must be an https URI of at most 512 characters"
        }
      ],
      "status": 400,
      "title": "Bad Request",
      "type": "about:blank"
    }
    "#);
}

#[rstest]
#[case("https://app.example.com/#fragment")]
#[case("https://*.example.com/cb")]
#[case("http://app.example.com/cb")]
#[case("javascript:alert(1)")]
#[case("data:text/html,x")]
#[case("file:///etc/passwd")]
#[case("web+app:/cb")]
#[case("view-source:https://app.example.com/")]
#[case("localhost:3000/cb")]
#[case("https://user@app.example.com/cb")]
#[tokio::test]
async fn a_dangerous_redirect_uri_is_400(#[case] uri: &str) {
    let app = TestApp::start().await;
    let members = json!({"name": "x", "type": "public", "redirectUris": [uri]});
    let answer = create(&app, &members).await;
    assert_eq!((answer.status, answer.fields()), (400, vec!["redirectUris[0]".into()]));
}

#[tokio::test]
async fn a_scheme_of_its_own_is_for_public_clients() {
    let app = TestApp::start().await;
    for uri in ["cursor://callback", "vscode://x.y/callback", "com.example.app:/callback"] {
        for (kind, status) in [("public", 201), ("private", 400)] {
            for member in ["redirectUris", "postLogoutRedirectUris"] {
                let answer = create(&app, &json!({"name": "x", "type": kind, member: [uri]})).await;
                assert_eq!(answer.status, status, "{uri} {}", answer.json());
            }
        }
    }
}

#[rstest]
#[case(b"")]
#[case(b"[]")]
#[case(b"null")]
#[case(b"{")]
#[case(b"{\"name\": \"x\", \"type\": \"m2m\"} trailing")]
#[case(b"{\"name\": \"x\", \"name\": \"y\", \"type\": \"m2m\"}")]
#[case(b"{\"name\": \"x\", \"type\": \"m2m\", \"metadata\": {\"a\": \"1\", \"a\": \"2\"}}")]
#[case(b"{\"name\": NaN, \"type\": \"m2m\"}")]
#[case(b"{\"name\": \"x\", \"type\": \"m2m\", \"accessTokenLifetime\": 1e999}")]
#[case(b"{\"name\": \"\xff\", \"type\": \"m2m\"}")]
#[tokio::test]
async fn a_body_that_is_no_strict_json_object_is_400(#[case] body: &'static [u8]) {
    let app = TestApp::start().await;
    let call = app.admin("POST", "/admin/clients").body("application/json", body);
    let answer = call.send().await;
    assert_eq!(answer.status, 400, "{}", answer.json());
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn a_body_nested_ten_thousand_deep_is_400_and_one_over_64_kb_is_413() {
    let app = TestApp::start().await;
    let deep = format!("{{\"name\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let call = app.admin("POST", "/admin/clients").body("application/json", deep);
    assert_eq!(call.send().await.status, 400);
    let large = json!({"name": "x", "type": "m2m", "contacts": ["y".repeat(70_000)]});
    assert_eq!(create(&app, &large).await.status, 413);
}

#[tokio::test]
async fn a_body_of_another_type_is_400() {
    let app = TestApp::start().await;
    let body = json!({"name": "x", "type": "m2m"}).to_string();
    for media_type in
        ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"]
    {
        let call = app.admin("POST", "/admin/clients").body(media_type, body.clone());
        assert_eq!(call.send().await.status, 400, "{media_type}");
    }
}

#[tokio::test]
async fn a_client_id_that_is_taken_is_409_and_changes_nothing() {
    let app = TestApp::start().await;
    let members = json!({"name": "First", "type": "m2m", "clientId": "orders"});
    assert_eq!(create(&app, &members).await.status, 201);
    let members = json!({"name": "Second", "type": "public", "clientId": "orders"});
    let answer = create(&app, &members).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text("detail").contains("clientId"));
    let list = app.admin("GET", "/admin/clients").send().await.json();
    assert_eq!(list["meta"]["total"], 1);
    assert_eq!(list["nodes"][0]["name"], "First");
}

#[tokio::test]
async fn of_fifty_concurrent_creations_of_one_client_id_one_wins() {
    let app = TestApp::start().await;
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let name = format!("Contender {n}");
            let members = json!({"name": name, "type": "public", "clientId": "contended"});
            tokio::spawn(app.admin("POST", "/admin/clients").json(&members).send())
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap().status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 49);
    assert_eq!(app.admin("GET", "/admin/clients").send().await.json()["meta"]["total"], 1);
}

#[tokio::test]
async fn identetys_names_are_understood_and_answered_beside_the_canonical_ones() {
    let app = TestApp::start().await;
    let members = json!({
        "name": "Web", "type": "private", "redirectUris": ["https://app.example.com/cb"],
        "allowedScopes": ["openid", "orders:read"], "allowedGrants": ["authorization_code"],
        "settings": {
            "accessTokenTTL": 900, "refreshTokenTTL": 86400,
            "tokenEndpointAuthMethod": "client_secret_post",
            "allowedCorsOrigins": ["https://app.example.com"],
        },
    });
    let body = create(&app, &members).await.json();
    assert_eq!(body["scopes"], members["allowedScopes"]);
    assert_eq!(body["grants"], members["allowedGrants"]);
    assert_eq!(body["accessTokenLifetime"], 900);
    assert_eq!(body["refreshTokenLifetime"], 86400);
    assert_eq!(body["tokenEndpointAuthMethod"], "client_secret_post");
    assert_eq!(body["allowedCorsOrigins"], members["settings"]["allowedCorsOrigins"]);
    for member in ["allowedScopes", "allowedGrants", "settings"] {
        assert_eq!(body[member], members[member]);
    }
}

#[tokio::test]
async fn two_names_of_one_member_may_not_contradict_each_other() {
    let app = TestApp::start().await;
    let members = json!({"name": "x", "type": "m2m", "scopes": ["a"], "allowedScopes": ["b"]});
    let answer = create(&app, &members).await;
    assert_eq!((answer.status, answer.fields()), (400, vec!["scopes".into()]));
    let members = json!({"name": "x", "type": "m2m", "scopes": ["a"], "allowedScopes": ["a"]});
    assert_eq!(create(&app, &members).await.status, 201);
    let members = json!({"name": "x", "type": "m2m", "settings": {"unknown": 1}});
    assert_eq!(create(&app, &members).await.fields(), ["settings.unknown"]);
}

#[tokio::test]
async fn an_error_names_the_member_as_the_caller_did() {
    let app = TestApp::start().await;
    let members = json!({
        "name": "x", "type": "m2m", "allowedScopes": ["fine", "a b"],
        "settings": {"accessTokenTTL": 1},
    });
    let mut fields = create(&app, &members).await.fields();
    fields.sort();
    assert_eq!(fields, ["allowedScopes[1]", "settings.accessTokenTTL"]);
}

#[tokio::test]
async fn a_repeated_creation_makes_a_second_client_for_there_is_no_idempotency_key() {
    let app = TestApp::start().await;
    let members = json!({"name": "Twin", "type": "m2m"});
    for _ in 0..2 {
        let call = app.admin("POST", "/admin/clients").header("idempotency-key", "same");
        assert_eq!(call.json(&members).send().await.status, 201);
    }
    assert_eq!(app.admin("GET", "/admin/clients").send().await.json()["meta"]["total"], 2);
}
