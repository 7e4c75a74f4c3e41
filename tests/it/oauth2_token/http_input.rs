//! What is no form, or not quite.

use identety_tests::app::{TestApp, TestClient};
use identety_tests::call::Answer;
use rstest::rstest;

const FORM: &str = "application/x-www-form-urlencoded";

async fn send(app: &TestApp, client: &TestClient, media_type: &str, body: &[u8]) -> Answer {
    let call = app.server.post("/oauth2/token").basic(&client.client_id, &client.secret);
    call.body(media_type, body.to_vec()).send().await
}

#[rstest]
#[case("application/json", br#"{"grant_type": "client_credentials"}"#)]
#[case("text", b"grant_type=client_credentials")]
#[case("text/[html]", b"grant_type=client_credentials")]
#[case("", b"grant_type=client_credentials")]
#[case("multipart/form-data; boundary=x", b"--x--")]
#[case("application/x-www-form-urlencoded; charset=utf-16", b"grant_type=client_credentials")]
#[tokio::test]
async fn a_body_of_another_type_is_invalid_request(#[case] media_type: &str, #[case] body: &[u8]) {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let answer = send(&app, &client, media_type, body).await;
    assert_eq!(answer.outcome(), (400, "invalid_request".into()));
}

#[tokio::test]
async fn a_body_without_a_type_is_invalid_request() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let call = app.server.post("/oauth2/token").basic(&client.client_id, &client.secret);
    assert_eq!(call.send().await.outcome(), (400, "invalid_request".into()));
}

#[rstest]
#[case("application/x-www-form-urlencoded; charset=UTF-8")]
#[case("APPLICATION/X-WWW-FORM-URLENCODED")]
#[tokio::test]
async fn the_type_is_taken_in_any_case_and_with_utf_8(#[case] media_type: &str) {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let answer = send(&app, &client, media_type, b"grant_type=client_credentials").await;
    assert_eq!(answer.status, 200);
}

#[rstest]
#[case(b"grant_type=client_credentials&grant_type=client_credentials")]
#[case(b"grant_type=client_credentials&scope=read&scope=read")]
#[case(b"grant_type=client_credentials&extra=1&extra=2")]
#[case(b"grant_type=client_credentials&scope=%ff")]
#[case(b"grant_type=client_credentials&scope=%c0%af")]
#[case(b"grant_type=client_credentials&scope=read%00")]
#[case(b"grant_type=client_credentials&scope=read%0d%0aX:y")]
#[case(b"grant_type=client_credentials&extra=%")]
#[case(b"grant_type=client_credentials&\xff=1")]
#[tokio::test]
async fn a_malformed_form_is_invalid_request(#[case] body: &[u8]) {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let answer = send(&app, &client, FORM, body).await;
    assert_eq!(answer.outcome(), (400, "invalid_request".into()));
}

#[tokio::test]
async fn a_body_over_64_kb_is_413_and_one_of_64_kb_is_read() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let body = |size: usize| {
        let start = "grant_type=client_credentials&x=";
        format!("{start}{}", "y".repeat(size - start.len()))
    };
    assert_eq!(send(&app, &client, FORM, body(65_536).as_bytes()).await.status, 200);
    let answer = send(&app, &client, FORM, body(65_537).as_bytes()).await;
    assert_eq!(answer.outcome(), (413, "invalid_request".into()));
}

#[tokio::test]
async fn ten_thousand_parameters_are_invalid_request() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let body: Vec<_> = (0..10_000).map(|n| format!("p{n}=")).collect();
    let answer = send(&app, &client, FORM, body.join("&").as_bytes()).await;
    assert_eq!(answer.outcome(), (413, "invalid_request".into()), "88 kB");
    let body: Vec<_> = (0..200).map(|n| format!("p{n}=")).collect();
    let answer = send(&app, &client, FORM, body.join("&").as_bytes()).await;
    assert_eq!(answer.outcome(), (400, "invalid_request".into()));
}

#[tokio::test]
async fn parameters_in_the_query_are_ignored() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let call = app.server.post("/oauth2/token?grant_type=client_credentials&scope=unknown");
    let call = call.basic(&client.client_id, &client.secret);
    let answer = call.form(&[("grant_type", "client_credentials")]).send().await;
    assert_eq!(answer.text("scope"), "read");
    let call = app.server.post("/oauth2/token?grant_type=client_credentials");
    let answer = call.basic(&client.client_id, &client.secret).form(&[]).send().await;
    assert_eq!(answer.outcome(), (400, "invalid_request".into()));
}

#[rstest]
#[case("PUT")]
#[case("DELETE")]
#[case("PATCH")]
#[case("HEAD")]
#[case("TRACE")]
#[tokio::test]
async fn any_other_method_is_405_with_allow(#[case] method: &str) {
    let app = TestApp::start().await;
    let answer = app.server.call(method.parse().unwrap(), "/oauth2/token").send().await;
    assert_eq!(answer.status, 405);
    assert!(answer.header("allow").contains("POST"), "{:?}", answer.headers);
}

#[rstest]
#[case("/oauth2/token/")]
#[case("/oauth2//token")]
#[case("//oauth2/token")]
#[case("/oauth2%2ftoken")]
#[case("/OAUTH2/TOKEN")]
#[case("/prod/oauth2/token")]
#[tokio::test]
async fn another_spelling_of_the_path_is_404(#[case] path: &str) {
    let app = TestApp::start().await;
    let answer = app.server.post(path).form(&[]).send().await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn spoofed_host_headers_change_neither_issuer_nor_token() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let spoofed = |call: identety_tests::call::Call| {
        call.header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("forwarded", "host=evil.example;proto=http")
            .header("x-forwarded-proto", "http")
    };
    let call = app.server.post("/oauth2/token").basic(&client.client_id, &client.secret);
    let answer = spoofed(call).form(&[("grant_type", "client_credentials")]).send().await;
    let (_, claims) = identety_tests::app::unverified(&answer.text("access_token"));
    assert_eq!(claims["iss"], identety_tests::app::ISSUER);
    let call = app.server.get("/.well-known/openid-configuration");
    let discovery = spoofed(call).send().await;
    assert!(!String::from_utf8_lossy(&discovery.body).contains("evil"));
    let call = spoofed(app.admin("POST", "/admin/clients"));
    let created = call.json(&serde_json::json!({"name": "x", "type": "m2m"})).send().await;
    assert!(created.header("location").starts_with(identety_tests::app::ISSUER));
}

#[tokio::test]
async fn every_description_keeps_to_the_characters_of_rfc_6749() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let bodies: [&[u8]; 6] = [
        b"",
        b"grant_type=%22quoted%22",
        b"grant_type=client_credentials&scope=%22",
        b"grant_type=client_credentials&resource=%5C",
        b"grant_type=client_credentials&x=%ff",
        b"a=1&a=2",
    ];
    for body in bodies {
        let answer = send(&app, &client, FORM, body).await;
        let description = answer.text("error_description");
        let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        assert!(!description.is_empty() && description.bytes().all(allowed), "{description}");
    }
}
