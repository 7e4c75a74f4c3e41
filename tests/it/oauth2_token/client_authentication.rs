//! Who may ask: RFC 6749 §2.3.

use identety_tests::app::{TestApp, TestClient};
use identety_tests::call::Answer;
use identety_tests::faults::{Fault, Which};
use identety_tests::sign_in::{CALLBACK, VERIFIER};
use rstest::rstest;
use serde_json::json;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// What every 401 of the token endpoint says.
const CHALLENGE: &str = r#"Basic realm="oauth2", error="invalid_client""#;

async fn basic(app: &TestApp, id: &str, secret: &str) -> Answer {
    app.server.post("/oauth2/token").basic(id, secret).form(&[GRANT]).send().await
}

async fn posted(app: &TestApp, id: &str, secret: &str) -> Answer {
    let parameters = [GRANT, ("client_id", id), ("client_secret", secret)];
    app.server.post("/oauth2/token").form(&parameters).send().await
}

async fn with_header(app: &TestApp, header: &str) -> Answer {
    app.server.post("/oauth2/token").header("authorization", header).form(&[GRANT]).send().await
}

/// A client with an identifier and a secret that somebody chose.
async fn imported(app: &TestApp, id: &str, secret: &str) -> TestClient {
    app.register(json!({
        "name": "Imported", "type": "m2m", "scopes": ["read"],
        "clientId": id, "clientSecret": secret, "accessTokenSigningAlg": "ES256",
    }))
    .await
}

/// Everything of an answer but what differs by design from request to request.
fn comparable(answer: &Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "x-request-id");
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}")));
    (answer.status, headers.collect(), answer.body.to_vec())
}

#[tokio::test]
async fn the_right_secret_passes_in_the_header_and_in_the_form() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    assert_eq!(basic(&app, &client.client_id, &client.secret).await.status, 200);
    assert_eq!(posted(&app, &client.client_id, &client.secret).await.status, 200);
}

#[tokio::test]
async fn a_wrong_secret_in_the_header_is_401_with_a_basic_challenge() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let answer = basic(&app, &client.client_id, "m2m_secret_wrong").await;
    assert_eq!(answer.outcome(), (401, "invalid_client".into()));
    assert_eq!(answer.header("www-authenticate"), CHALLENGE);
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_wrong_secret_in_the_form_is_401() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let answer = posted(&app, &client.client_id, "m2m_secret_wrong").await;
    assert_eq!(answer.outcome(), (401, "invalid_client".into()));
    assert_eq!(answer.header("www-authenticate"), CHALLENGE);
}

#[tokio::test]
async fn every_way_to_fail_looks_the_same_to_the_byte() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let disabled = app.m2m_client(&["read"]).await;
    app.change(&disabled, json!({"isActive": false})).await;
    let deleted = app.m2m_client(&["read"]).await;
    let path = format!("/admin/clients/{}", deleted.id);
    assert_eq!(app.admin("DELETE", &path).send().await.status, 200);
    let public = app.register(json!({"name": "App", "type": "public"})).await;

    let wrong = comparable(&basic(&app, &client.client_id, "wrong").await);
    assert_eq!(wrong.0, 401);
    for (case, id, secret) in [
        ("unknown", "m2m_AAAAAAAAAAAAAAAAAAAAAAAA", "wrong"),
        ("unknown, of another form", "somebody", "wrong"),
        ("disabled, with the right secret", &disabled.client_id, &disabled.secret),
        ("deleted, with the right secret", &deleted.client_id, &deleted.secret),
        ("public, with a secret", &public.client_id, "any"),
        ("longer than any identifier", &"x".repeat(300), "wrong"),
    ] {
        assert_eq!(comparable(&basic(&app, id, secret).await), wrong, "{case}");
        assert_eq!(comparable(&posted(&app, id, secret).await), wrong, "{case}, in the form");
    }
}

#[tokio::test]
async fn a_public_client_that_shows_a_secret_is_refused_wherever_it_is_and_burns_nothing() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let code = app.code(&mut app.browser(), &client, &app.alice().await, &[]).await;
    let redemption = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let id = ("client_id", client.client_id.as_str());
    let in_the_form = [&redemption[..], &[id, ("client_secret", "any")]].concat();
    for call in [
        app.server.post("/oauth2/token").form(&in_the_form),
        app.server.post("/oauth2/token").basic(&client.client_id, "any").form(&redemption),
        app.server
            .post("/oauth2/token")
            .basic(&client.client_id, "any")
            .form(&[&redemption[..], &[id]].concat()),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.outcome(), (401, "invalid_client".into()));
        assert_eq!(answer.header("www-authenticate"), CHALLENGE);
    }
    // One without a value counts as left out.
    let empty = [&redemption[..], &[id, ("client_secret", "")]].concat();
    let answer = app.server.post("/oauth2/token").form(&empty).send().await;
    assert_eq!(answer.status, 200, "{}", answer.json());
}

#[tokio::test]
async fn no_credentials_at_all_are_401() {
    let app = TestApp::start().await;
    let answer = app.server.post("/oauth2/token").form(&[GRANT]).send().await;
    assert_eq!(answer.outcome(), (401, "invalid_client".into()));
    assert_eq!(answer.header("www-authenticate"), CHALLENGE);
}

#[tokio::test]
async fn a_confidential_client_that_sends_only_its_client_id_is_401() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let parameters = [GRANT, ("client_id", client.client_id.as_str())];
    let answer = app.server.post("/oauth2/token").form(&parameters).send().await;
    assert_eq!(answer.outcome(), (401, "invalid_client".into()));
}

#[rstest]
#[case(&[("client_secret", "x")])]
#[case(&[("client_assertion", "x")])]
#[case(&[("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")])]
#[tokio::test]
async fn two_mechanisms_at_once_are_400(#[case] second: &[(&str, &str)]) {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let call = app.server.post("/oauth2/token").basic(&client.client_id, &client.secret);
    let answer = call.form(&[&[GRANT], second].concat()).send().await;
    assert_eq!(answer.outcome(), (400, "invalid_request".into()));
}

#[tokio::test]
async fn a_client_id_in_the_form_that_differs_from_the_header_is_400() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let call = app.server.post("/oauth2/token").basic(&client.client_id, &client.secret);
    let answer = call.form(&[GRANT, ("client_id", "other")]).send().await;
    assert_eq!(answer.outcome(), (400, "invalid_request".into()));
}

#[rstest]
#[case("Basic")]
#[case("Basic !!!!")]
#[case("Basic aWQ=")]
#[case("Basic Og==")]
#[case("Basic OnNlY3JldA==")]
#[case("Basic aWQ6JXp6")]
#[case("Bearer abc")]
#[case("Digest username=x")]
#[tokio::test]
async fn an_authorization_header_that_cannot_be_read_is_401(#[case] header: &str) {
    let app = TestApp::start().await;
    assert_eq!(with_header(&app, header).await.outcome(), (401, "invalid_client".into()));
}

#[tokio::test]
async fn two_authorization_headers_are_400() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let call = app.server.post("/oauth2/token");
    let call = call.basic(&client.client_id, &client.secret).basic(&client.client_id, "other");
    assert_eq!(call.form(&[GRANT]).send().await.outcome(), (400, "invalid_request".into()));
}

#[tokio::test]
async fn the_scheme_basic_is_taken_in_any_case() {
    let app = TestApp::start().await;
    imported(&app, "orders", "a-secret-of-24-characters").await;
    // orders:a-secret-of-24-characters
    let answer = with_header(&app, "bASIC b3JkZXJzOmEtc2VjcmV0LW9mLTI0LWNoYXJhY3RlcnM=").await;
    assert_eq!(answer.status, 200, "{}", answer.json());
}

#[tokio::test]
async fn identifier_and_secret_are_form_decoded_before_they_are_compared() {
    let app = TestApp::start().await;
    let secret = "100%+ of:it & more=~";
    imported(&app, "a&b:c%d+e", secret).await;
    assert_eq!(basic(&app, "a&b:c%d+e", secret).await.status, 200);
    assert_eq!(posted(&app, "a&b:c%d+e", secret).await.status, 200);
    assert_eq!(basic(&app, "a&b:c%d+e", "100%25+ of:it & more=~").await.status, 401);
}

#[tokio::test]
async fn a_secret_with_something_appended_is_401() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    for tail in [" ", "x", "%"] {
        let secret = format!("{}{tail}", client.secret);
        assert_eq!(basic(&app, &client.client_id, &secret).await.status, 401, "{tail:?}");
    }
    // A control character never reaches the comparison.
    for tail in ["\0", "\n"] {
        let secret = format!("{}{tail}", client.secret);
        assert_eq!(basic(&app, &client.client_id, &secret).await.status, 401, "{tail:?}");
        assert_eq!(posted(&app, &client.client_id, &secret).await.status, 400, "{tail:?}");
    }
}

#[tokio::test]
async fn a_secret_of_a_megabyte_is_413() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let answer = posted(&app, &client.client_id, &"x".repeat(1 << 20)).await;
    assert_eq!(answer.outcome(), (413, "invalid_request".into()));
}

#[tokio::test]
async fn a_secret_in_the_query_is_ignored() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let query = format!("client_id={}&client_secret={}", client.client_id, client.secret);
    let call = app.server.post(format!("/oauth2/token?grant_type=client_credentials&{query}"));
    assert_eq!(call.form(&[GRANT]).send().await.outcome(), (401, "invalid_client".into()));
}

#[tokio::test]
async fn credentials_in_a_get_are_405_and_post_is_named() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let answer =
        app.server.get("/oauth2/token").basic(&client.client_id, &client.secret).send().await;
    assert_eq!(answer.status, 405);
    assert!(answer.header("allow").contains("POST"));
}

#[tokio::test]
async fn each_of_the_two_ways_to_show_a_secret_serves_clients_of_the_other() {
    let app = TestApp::start().await;
    for method in ["client_secret_basic", "client_secret_post"] {
        let client = app
            .register(json!({
                "name": "Orders", "type": "m2m", "scopes": ["read"],
                "tokenEndpointAuthMethod": method, "accessTokenSigningAlg": "ES256",
            }))
            .await;
        assert_eq!(basic(&app, &client.client_id, &client.secret).await.status, 200, "{method}");
        assert_eq!(posted(&app, &client.client_id, &client.secret).await.status, 200, "{method}");
    }
}

#[tokio::test]
async fn disabling_a_client_bites_at_the_next_request_and_enabling_heals_it() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    assert_eq!(app.token(&client, &[]).await.status, 200);
    app.change(&client, json!({"isActive": false})).await;
    assert_eq!(app.token(&client, &[]).await.outcome(), (401, "invalid_client".into()));
    app.change(&client, json!({"isActive": true})).await;
    assert_eq!(app.token(&client, &[]).await.status, 200);
}

#[tokio::test]
async fn the_use_of_a_secret_is_written_down_to_the_hour_without_a_new_version() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let path = format!("/admin/clients/{}", client.id);
    let last_used = async || {
        let shown = app.admin("GET", &path).send().await.json();
        assert_eq!(shown["version"], 1);
        shown["secrets"][0]["lastUsedAt"].clone()
    };
    assert!(last_used().await.is_null());
    let first = app.now().to_string();
    for _ in 0..2 {
        assert_eq!(app.token(&client, &[]).await.status, 200);
        assert_eq!(last_used().await, first.as_str());
        app.advance(1800);
    }
    assert_eq!(app.token(&client, &[]).await.status, 200);
    assert_eq!(last_used().await, app.now().to_string().as_str());
}

#[tokio::test]
async fn a_hash_of_another_cost_is_replaced_at_the_next_success() {
    use identety_domain::Secret;
    use identety_domain::client::ClientId;
    use identety_domain::hashing::HashCost;
    use identety_domain::store::Rehashed;

    let app = TestApp::start().await;
    let secret = "a-secret-of-24-characters";
    let client = imported(&app, "orders", secret).await;
    let id = ClientId::parse("orders").unwrap();
    let stored = async || app.stores.clients.find(&id).await.unwrap().unwrap().secrets.remove(0);

    // As if the cost of chosen secrets had been lower when this one was imported.
    let before = stored().await;
    let mut rng = identety_http::ambient::rng().unwrap();
    let cheap = app.hasher.hash(&Secret::from(secret), HashCost::Generated, &mut rng).unwrap();
    let rehashed = Rehashed { from: &before.phc, to: &cheap };
    app.stores.clients.record_secret_use(&id, before.id, app.now(), Some(rehashed)).await.unwrap();
    assert_eq!(stored().await.phc, cheap);

    assert_eq!(basic(&app, "orders", "a-wrong-secret-of-some-length").await.status, 401);
    assert_eq!(stored().await.phc, cheap, "only a success may replace the hash");
    assert_eq!(app.token(&client, &[]).await.status, 200);
    assert!(stored().await.phc.as_str().contains("m=19456,t=2,p=1"));
    assert_eq!(app.token(&client, &[]).await.status, 200);
}

#[rstest]
#[case(Fault::CutBefore)]
#[case(Fault::Throttled)]
#[case(Fault::Refused("AccessDeniedException"))]
#[tokio::test]
async fn a_right_secret_counts_whether_or_not_its_use_can_be_written_down(#[case] fault: Fault) {
    let (app, faults) = TestApp::start_faulty().await;
    let client = app.m2m_client(&["read"]).await;
    faults.set(Which::writes().of("CLIENT#"), fault);
    assert_eq!(app.token(&client, &[]).await.status, 200);
    assert_eq!(basic(&app, &client.client_id, "wrong").await.status, 401);
    faults.clear();
    // The next request tries again.
    let used = async || {
        let path = format!("/admin/clients/{}", client.id);
        app.admin("GET", &path).send().await.json()["secrets"][0]["lastUsedAt"].clone()
    };
    assert!(used().await.is_null());
    assert_eq!(app.token(&client, &[]).await.status, 200);
    assert_eq!(used().await, app.now().to_string().as_str());
}

#[tokio::test]
async fn an_expired_secret_is_401_from_that_second_on() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let path = format!("/admin/clients/{}/secrets", client.id);
    let answer = app.admin("POST", &path).json(&json!({"expirePreviousIn": 60})).send().await;
    assert_eq!(answer.status, 201);
    app.advance(59);
    assert_eq!(app.token(&client, &[]).await.status, 200);
    app.advance(1);
    assert_eq!(app.token(&client, &[]).await.outcome(), (401, "invalid_client".into()));
    let next = TestClient { secret: answer.text("clientSecret"), ..client };
    assert_eq!(app.token(&next, &[]).await.status, 200);
}

/// What an argon2 computation costs, in KiB of memory times passes: of a secret that the server makes, and of
/// one that somebody chose.
const GENERATED: u64 = 512;
const CHOSEN: u64 = 19 * 1024 * 2;

#[tokio::test]
async fn a_failure_costs_two_hashes_whoever_the_client_is_and_a_remembered_success_none() {
    let app = TestApp::start().await;
    let register = async |members: serde_json::Value| {
        let mut all = json!({"name": "Orders", "type": "m2m", "scopes": ["read"]});
        all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        app.register(all).await
    };
    let rotate = async |client: &TestClient| {
        let path = format!("/admin/clients/{}/secrets", client.id);
        assert_eq!(app.admin("POST", &path).send().await.status, 201);
    };
    let disable = async |client: &TestClient| app.change(client, json!({"isActive": false})).await;
    let secret = "a-secret-of-24-characters";

    let (one, two) = (app.m2m_client(&["read"]).await, app.m2m_client(&["read"]).await);
    rotate(&two).await;
    let public = app.register(json!({"name": "App", "type": "public"})).await;
    let disabled = app.m2m_client(&["read"]).await;
    disable(&disabled).await;
    // Clients whose identifier somebody chose: their secrets cost the same, whoever chose those.
    let imported = register(json!({"clientId": "imported", "clientSecret": secret})).await;
    let rotated = register(json!({"clientId": "rotated", "clientSecret": secret})).await;
    rotate(&rotated).await;
    let named = register(json!({"clientId": "named"})).await;
    let public_named = register(json!({"type": "public", "clientId": "app", "scopes": []})).await;
    let disabled_named = register(json!({"clientId": "off", "clientSecret": secret})).await;
    disable(&disabled_named).await;

    for (case, id, cost) in [
        ("one secret", one.client_id.as_str(), GENERATED),
        ("two secrets", two.client_id.as_str(), GENERATED),
        ("no secret", public.client_id.as_str(), GENERATED),
        ("disabled", disabled.client_id.as_str(), GENERATED),
        ("unknown", "m2m_AAAAAAAAAAAAAAAAAAAAAAAA", GENERATED),
        ("an imported secret", imported.client_id.as_str(), CHOSEN),
        ("an imported secret and a newer one", rotated.client_id.as_str(), CHOSEN),
        ("a chosen identifier alone", named.client_id.as_str(), CHOSEN),
        ("a chosen identifier and no secret", public_named.client_id.as_str(), CHOSEN),
        ("disabled, with a chosen identifier", disabled_named.client_id.as_str(), CHOSEN),
        ("unknown, of another form", "somebody", CHOSEN),
        ("no identifier at all", "umlaut-ü", CHOSEN),
    ] {
        let (before, worked) = (app.hasher.computations(), app.hasher.work());
        assert_eq!(basic(&app, id, "wrong").await.status, 401, "{case}");
        assert_eq!(app.hasher.computations() - before, 2, "{case}");
        assert_eq!(app.hasher.work() - worked, 2 * cost, "{case}");
    }
    // The right secret is compared once, at the cost of its kind.
    for (client, cost) in [(&one, GENERATED), (&imported, CHOSEN), (&named, CHOSEN)] {
        for work in [cost, 0] {
            let before = app.hasher.work();
            assert_eq!(app.token(client, &[]).await.status, 200);
            assert_eq!(app.hasher.work() - before, work, "{}", client.client_id);
        }
    }
}

#[tokio::test]
async fn an_imported_secret_under_an_identifier_that_the_server_made_costs_what_it_must() {
    let app = TestApp::start().await;
    let client = app
        .register(
            json!({"name": "Orders", "type": "m2m", "clientSecret": "a-secret-of-24-characters"}),
        )
        .await;
    let before = app.hasher.work();
    assert_eq!(basic(&app, &client.client_id, "wrong").await.status, 401);
    // More than an unknown client's, which only who knows those 144 random bits could find out.
    assert_eq!(app.hasher.work() - before, 2 * CHOSEN);
}
