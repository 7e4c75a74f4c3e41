//! What an authorization request may look like, and how a refusal names what was wrong with it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identety_tests::app::TestApp;
use identety_tests::browser::Form;
use identety_tests::sign_in::{CALLBACK, CHALLENGE, request};
use rstest::rstest;
use serde_json::json;

use super::steps::{answer_to, check_page, check_redirect, count, kind, sign_in_page, silently};

#[rstest]
#[case("scope", "openid photos:admin", "the scope 'photos:admin' is not allowed for this client")]
#[case("scope", "openid clients:read", "the scope 'clients:read' is not allowed for this client")]
#[case("scope", "openid \"x\"", "the scope '%22x%22' is malformed: a scope is 1 to 128")]
#[case("scope", "password", "the scope 'password' is malformed: that is the name of a grant")]
#[case("resource", "https://evil.example/é", "'https://evil.example/%C3%A9' is not allowed")]
#[case("code_challenge", "short", "43 characters of A-Z, a-z, 0-9, - and _, and 'short' is not")]
#[case("code_challenge", "", "code_challenge must be the base64url of a SHA-256")]
#[case("code_challenge_method", "plain", "code_challenge_method must be S256, not 'plain'")]
#[case("code_challenge_method", "", "code_challenge_method is missing, which means plain")]
#[case("response_type", "token", "response_type must be code, not 'token'")]
#[case("response_mode", "web_message", "must be one of query, fragment, form_post, not 'web_mes")]
#[case("prompt", "create", "not 'create'")]
#[case("max_age", "soon", "max_age must be a number of seconds, not 'soon'")]
#[tokio::test]
async fn a_refusal_names_the_culprit(
    #[case] name: &str,
    #[case] value: &str,
    #[case] expected: &str,
) {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let landing = answer_to(&app, &request(&client, &[(name, value)])).await;
    let description = landing.get("error_description");
    assert!(description.contains(expected), "{description}");
}

#[tokio::test]
async fn a_parameter_that_is_repeated_or_no_text_is_named() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    for (more, expected) in [
        ("scope=openid", "the parameter 'scope' is repeated"),
        ("nonce2=%00", "the parameter 'nonce2' is malformed"),
        ("a%22b=1&a%22b=1", "the parameter 'a%22b' is repeated"),
    ] {
        let landing = answer_to(&app, &format!("{}&{more}", request(&client, &[]))).await;
        assert_eq!(landing.get("error"), "invalid_request");
        let description = landing.get("error_description");
        assert!(description.contains(expected), "{description}");
    }
}

/// The longest values that each parameter may have, and values that are a byte longer.
fn at_the_bounds() -> Vec<(&'static str, String, String)> {
    let bounds = [
        ("state", "x", 2048),
        ("state", "!", 2048 / 3),
        ("state", "é", 2048 / 6),
        ("nonce", "n", 1024),
        ("nonce", "%", 1024 / 3),
        ("login_hint", "a", 254),
        ("login_hint", "é", 127),
        ("ui_locales", "a", 4096),
        ("anything", "a", 4096),
    ];
    let of = |(name, text, most): (&'static str, &str, usize)| {
        (name, text.repeat(most), text.repeat(most + 1))
    };
    bounds.map(of).to_vec()
}

#[tokio::test]
async fn a_parameter_beyond_its_bound_is_invalid_request_and_nothing_is_written() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut signed_in = app.browser();
    app.code(&mut signed_in, &client, &user, &[]).await;
    // The order of what is stored means nothing.
    let stored = || app.dump().len();
    let before = stored();
    for (name, most, more) in at_the_bounds() {
        for prompt in ["", "none", "login"] {
            let changes = [(name, more.as_str()), ("prompt", prompt)];
            let landing = signed_in.open(&request(&client, &changes)).await.client();
            assert_eq!(landing.get("error"), "invalid_request", "{name}");
            let description = landing.get("error_description");
            assert!(description.contains(&format!("'{name}' must have at most")), "{description}");
            let state = if name == "state" { "" } else { "the state" };
            assert_eq!(landing.get("state"), state, "{name}");
        }
        assert_eq!(stored(), before, "{name}");
        // What is just short enough is not refused, and comes back where it has to.
        let landing = silently(&mut app.browser(), &client, &[(name, &most)]).await;
        assert_eq!(landing.get("error"), "login_required", "{name}");
        assert!(name != "state" || landing.get("state") == most);
    }
    assert_eq!(stored(), before);
}

#[tokio::test]
async fn no_location_is_longer_than_six_kilobytes() {
    let app = TestApp::start().await;
    let name = "é".repeat(100);
    let longest = format!("https://app.example.com/{}", "x".repeat(2024));
    let members = json!({"type": "public", "name": name, "redirectUris": [longest]});
    let (client, user) = (app.users_client(members).await, app.alice().await);
    let (state, scope, verifier) = ("!".repeat(682), "%".repeat(128), "é".repeat(2000));
    let plain = [("redirect_uri", longest.as_str()), ("state", &state)];
    for more in [
        vec![("prompt", "none")],
        vec![("scope", scope.as_str())],
        vec![("scope", &verifier)],
        vec![("code_challenge", &verifier)],
        vec![("resource", &verifier)],
        vec![("response_mode", &verifier)],
        vec![("request", "a"), ("response_mode", "fragment")],
    ] {
        let changes = [&plain[..], &more].concat();
        let answer = app.browser().get(&request(&client, &changes)).await;
        assert_eq!(answer.status, 303);
        let location = answer.header("location");
        assert!(location.starts_with(&longest) && location.len() <= 6000, "{}", location.len());
        assert!(location.contains(&format!("state={}", "%21".repeat(682))), "{location}");
    }
    let path = request(&client, &plain);
    let landing = app.authorize(&mut app.browser(), &path, &user).await;
    assert!(!landing.get("code").is_empty() && landing.url.len() <= 6000);
}

#[tokio::test]
async fn a_posted_request_is_bounded_as_it_is_once_encoded() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let path = request(&client, &[]);
    let (_, query) = path.split_once('?').unwrap();
    let form = "application/x-www-form-urlencoded";
    let body = format!("{query}&x={}", "\"".repeat(3000));
    check_page(&app.server.post("/oauth2/authorize").body(form, body).send().await, 413);
    let body = format!("{query}&x={}", "\"".repeat(2000));
    let answer = app.server.post("/oauth2/authorize").body(form, body).send().await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").len() <= 8100, "{}", answer.header("location").len());
}

/// A request object with these claims, unsigned.
fn object(claims: &serde_json::Value) -> String {
    format!("eyJhbGciOiJub25lIn0.{}.", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[tokio::test]
async fn a_refused_request_object_gives_state_and_response_mode_where_the_query_lacks_them() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    let claims = json!({
        "state": "of the object", "response_mode": "form_post", "client_id": "another",
        "redirect_uri": "https://evil.example/", "response_type": "code", "scope": "openid",
    });
    let object = object(&claims);
    let error = "request_not_supported";

    let path = request(&client, &[("request", &object), ("state", "")]);
    let page = browser.get(&path).await;
    check_page(&page, 200);
    let form = Form::of(&page);
    assert_eq!(form.action, CALLBACK);
    assert_eq!((form.get("error"), form.get("state")), (error.into(), "of the object".into()));
    assert_eq!(form.get("iss"), app.issuer);

    // The query wins.
    let landing =
        answer_to(&app, &request(&client, &[("request", &object), ("response_mode", "query")]))
            .await;
    assert_eq!((landing.get("error"), landing.get("state")), (error.into(), "the state".into()));
    let path = request(&client, &[("request", &object), ("redirect_uri", "https://evil.example/")]);
    check_page(&browser.get(&path).await, 400);
    let path = request(&client, &[("request", &object), ("client_id", "")]);
    check_page(&browser.get(&path).await, 400);
    // A query with a broken state does not lack one.
    let path = request(&client, &[("request", &object), ("response_mode", "query"), ("state", "")]);
    let landing = answer_to(&app, &format!("{path}&state=a&state=b")).await;
    assert_eq!(
        (landing.get("error"), landing.get("state")),
        ("invalid_request".into(), String::new())
    );
}

#[tokio::test]
async fn of_a_request_object_that_is_encrypted_too_long_or_hostile_nothing_is_taken() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let payload = |claims: serde_json::Value| URL_SAFE_NO_PAD.encode(claims.to_string());
    let own = payload(json!({"state": "s", "response_mode": "form_post"}));
    let long = json!({"state": "s", "response_mode": "form_post", "x": "x".repeat(6200)});
    for (object, error) in [
        (format!("h.{own}.iv.text.tag"), "request_not_supported"),
        (format!("h.{}.s", payload(long)), "request_not_supported"),
        (format!("h.{}.s", payload(json!({"state": "!".repeat(683)}))), "request_not_supported"),
        (format!("h.{}.s", payload(json!({"state": "a\r\nb"}))), "request_not_supported"),
        (
            format!("h.{}.s", payload(json!({"state": 1, "response_mode": "jwt"}))),
            "request_not_supported",
        ),
        ("no object".to_owned(), "request_not_supported"),
    ] {
        let landing =
            answer_to(&app, &request(&client, &[("request", &object), ("state", "")])).await;
        assert_eq!(landing.get("error"), error, "{object}");
        assert!(!landing.parameters.contains_key("state"), "{}", landing.url);
    }
}

#[tokio::test]
async fn an_answer_in_the_fragment_has_everything_there() {
    let app = TestApp::start().await;
    let uri = "https://app.example.com/callback?tenant=1";
    let client = app.users_client(json!({"type": "public", "redirectUris": [uri]})).await;
    let user = app.alice().await;
    let changes = [("redirect_uri", uri), ("response_mode", "fragment"), ("state", "a b&c#d")];
    let mut browser = app.browser();
    let landing = app.authorize(&mut browser, &request(&client, &changes), &user).await;
    assert!(landing.url.starts_with(&format!("{uri}#code=")), "{}", landing.url);
    assert_eq!((landing.get("state"), landing.get("iss")), ("a b&c#d".into(), app.issuer.into()));
    assert_eq!(landing.parameters.len(), 3, "{}", landing.url);
    let redeemed = app.redeem(&client, &landing.get("code"), &[("redirect_uri", uri)]).await;
    assert_eq!(redeemed.status, 200, "{}", redeemed.json());
    // A refusal travels the same way, and so does what the user decides.
    for (name, value, error) in
        [("scope", "unknown", "invalid_scope"), ("max_age", "x", "invalid_request")]
    {
        let answer =
            browser.get(&request(&client, &[&changes[..], &[(name, value)]].concat())).await;
        check_redirect(&answer);
        let landing = browser.follow(answer).await.client();
        assert!(landing.url.starts_with(&format!("{uri}#error=")), "{}", landing.url);
        assert_eq!(landing.get("error"), error);
    }
}

#[rstest]
#[case("scope", "  openid   profile email ")]
#[case("scope", "openid profile  email")]
#[case("prompt", " login  consent ")]
#[case("prompt", "   ")]
#[tokio::test]
async fn runs_of_spaces_count_as_one_and_those_at_the_ends_do_not_count(
    #[case] name: &str,
    #[case] value: &str,
) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[(name, value)]).await;
    assert_eq!(tokens.text("scope"), "openid profile email");
}

#[tokio::test]
async fn spaces_around_none_ask_for_silence() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let landing = answer_to(&app, &request(&client, &[("prompt", "  none ")])).await;
    assert_eq!(landing.get("error"), "login_required");
}

#[tokio::test]
async fn scopes_of_openid_outside_the_list_are_left_out_of_the_grant() {
    let app = TestApp::start().await;
    let scopes = ["openid", "photos:read"];
    let client = app.users_client(json!({"type": "public", "scopes": scopes})).await;
    let user = app.alice().await;
    let asked = [("scope", "openid photos:read profile offline_access")];
    let mut browser = app.browser();
    let code = app.code(&mut browser, &client, &user, &asked).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    assert_eq!(tokens.text("scope"), "openid photos:read");
    // The consent was for what remains, so nothing is asked again.
    assert_eq!(kind(&browser.open(&request(&client, &asked)).await), "code");
    // The SDKs ask for the same at each refresh.
    let next = app.refresh(&client, &tokens.text("refresh_token"), &asked).await;
    assert_eq!((next.status, next.text("scope")), (200, "openid photos:read".into()));

    for (scope, description) in [
        ("profile offline_access", "the scope 'profile offline_access' is not allowed"),
        ("openid offline_access photos:write", "the scope 'photos:write' is not allowed"),
        ("openid OFFLINE_ACCESS", "the scope 'OFFLINE_ACCESS' is not allowed"),
    ] {
        let landing = answer_to(&app, &request(&client, &[("scope", scope)])).await;
        assert_eq!(landing.get("error"), "invalid_scope", "{scope}");
        let found = landing.get("error_description");
        assert!(found.contains(description), "{found}");
    }
}

#[tokio::test]
async fn a_request_without_challenge_hears_what_one_looks_like_and_the_right_one_is_taken() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let bare = [("code_challenge", ""), ("code_challenge_method", "")];
    let landing = answer_to(&app, &request(&client, &bare)).await;
    let description = landing.get("error_description");
    assert!(description.contains("43 characters"), "{description}");
    assert_eq!(CHALLENGE.len(), 43);
    sign_in_page(&mut app.browser(), &client, &[]).await;
    assert_eq!(count(&app, "TRANSACTION#"), 1);
}
