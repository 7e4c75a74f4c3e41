//! `/oauth2/authorize`: what the client hears, and what it never hears.

use std::net::TcpListener;

use identety_tests::app::TestApp;
use identety_tests::browser::{Form, html};
use identety_tests::call::Answer;
use identety_tests::sign_in::{CALLBACK, CHALLENGE, PASSWORD, authorize_path, request};
use rstest::rstest;
use serde_json::{Value, json};

use super::steps::{
    answer_to, check_form_post, check_no_cors, check_page, check_redirect, check_refused,
    consent_page, count, decide, delete, sign_in_page, silently, transaction,
};

#[tokio::test]
async fn without_a_known_client_there_is_a_page_and_no_redirect() {
    let app = TestApp::start().await;
    let (disabled, deleted) = (app.public_client().await, app.public_client().await);
    app.change(&disabled, json!({"isActive": false})).await;
    delete(&app, "clients", &deleted.id).await;
    let m2m = app.m2m_client(&["read"]).await;
    let own = app.public_client().await;
    let upper = own.client_id.to_uppercase();
    for id in [
        "",
        "public_AAAAAAAAAAAAAAAAAAAAAAAA",
        "no client",
        "é",
        &"a".repeat(5000),
        &upper,
        &disabled.client_id,
        &deleted.client_id,
        &m2m.client_id,
    ] {
        let page = app.browser().get(&request(&own, &[("client_id", id)])).await;
        check_page(&page, 400);
        assert!(!html(&page).contains("app.example.com"), "{id}");
    }
    assert_eq!(count(&app, "TRANSACTION#"), 0);
}

#[rstest]
#[case("client_id")]
#[case("redirect_uri")]
#[tokio::test]
async fn a_client_or_redirect_uri_given_twice_is_a_page_even_when_both_are_the_same(
    #[case] name: &str,
) {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let own = if name == "client_id" { client.client_id.as_str() } else { CALLBACK };
    for other in [own, "https://evil.example/cb", ""] {
        let path = format!("{}&{}", request(&client, &[]), &authorize_path(&[(name, other)])[18..]);
        check_page(&app.browser().get(&path).await, 400);
    }
    assert_eq!(count(&app, "TRANSACTION#"), 0);
}

#[rstest]
#[case("response_type", "code")]
#[case("scope", "openid")]
#[case("nonce", "x")]
#[case("code_challenge", CHALLENGE)]
#[case("code_challenge_method", "S256")]
#[case("response_mode", "query")]
#[case("prompt", "login")]
#[case("max_age", "5")]
#[case("login_hint", "a")]
#[case("id_token_hint", "a")]
#[case("acr_values", "1")]
#[case("display", "page")]
#[case("ui_locales", "en")]
#[case("claims", "{}")]
#[case("request", "a")]
#[case("unknown", "a")]
#[tokio::test]
async fn any_other_parameter_given_twice_is_invalid_request(
    #[case] name: &str,
    #[case] value: &str,
) {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let path = format!("{}&{name}={value}", request(&client, &[(name, value)]));
    check_refused(&app, &path, "invalid_request").await;
}

#[tokio::test]
async fn of_a_state_given_twice_neither_comes_back() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let landing = answer_to(&app, &format!("{}&state=other", request(&client, &[]))).await;
    assert_eq!(landing.get("error"), "invalid_request");
    assert!(!landing.parameters.contains_key("state"), "{}", landing.url);
}

#[rstest]
#[case(&[("response_type", "token")], "unsupported_response_type")]
#[case(&[("response_type", "id_token")], "unsupported_response_type")]
#[case(&[("response_type", "code token")], "unsupported_response_type")]
#[case(&[("response_type", "code id_token")], "unsupported_response_type")]
#[case(&[("response_type", "none")], "unsupported_response_type")]
#[case(&[("response_type", "CODE")], "unsupported_response_type")]
#[case(&[("response_type", "")], "invalid_request")]
#[case(&[("response_mode", "query.jwt")], "invalid_request")]
#[case(&[("response_mode", "web_message")], "invalid_request")]
#[case(&[("code_challenge", ""), ("code_challenge_method", "")], "invalid_request")]
#[case(&[("code_challenge", "")], "invalid_request")]
#[case(&[("code_challenge_method", "")], "invalid_request")]
#[case(&[("code_challenge_method", "plain")], "invalid_request")]
#[case(&[("code_challenge_method", "s256")], "invalid_request")]
#[case(&[("code_challenge_method", "S256 ")], "invalid_request")]
#[case(&[("code_challenge", "short")], "invalid_request")]
#[case(&[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c")], "invalid_request")]
#[case(&[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMM")], "invalid_request")]
#[case(&[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")], "invalid_request")]
#[case(&[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")], "invalid_request")]
#[case(&[("scope", "openid unknown")], "invalid_scope")]
#[case(&[("scope", " ")], "invalid_scope")]
#[case(&[("prompt", " none  login ")], "invalid_request")]
#[case(&[("scope", "openid clients:read")], "invalid_scope")]
#[case(&[("scope", "OPENID")], "invalid_scope")]
#[case(&[("scope", "openid \"profile\"")], "invalid_scope")]
#[case(&[("scope", "openid pro\\file")], "invalid_scope")]
#[case(&[("scope", "openid é")], "invalid_scope")]
#[case(&[("scope", "openid\nprofile")], "invalid_request")]
#[case(&[("scope", "openid\u{0}")], "invalid_request")]
#[case(&[("prompt", "none login")], "invalid_request")]
#[case(&[("prompt", "none consent")], "invalid_request")]
#[case(&[("prompt", "none select_account")], "invalid_request")]
#[case(&[("prompt", "create")], "invalid_request")]
#[case(&[("prompt", "NONE")], "invalid_request")]
#[case(&[("prompt", "none")], "login_required")]
#[case(&[("max_age", "-1")], "invalid_request")]
#[case(&[("max_age", "+1")], "invalid_request")]
#[case(&[("max_age", "1.5")], "invalid_request")]
#[case(&[("max_age", "soon")], "invalid_request")]
#[case(&[("max_age", "99999999999999999999")], "invalid_request")]
#[case(&[("request", "eyJhbGciOiJub25lIn0.e30.")], "request_not_supported")]
#[case(&[("resource", "https://evil.example")], "invalid_target")]
#[case(&[("nonce", "a\u{0}b")], "invalid_request")]
#[tokio::test]
async fn what_a_request_must_not_have_is_told_to_the_client(
    #[case] changes: &[(&str, &str)],
    #[case] error: &str,
) {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    check_refused(&app, &request(&client, changes), error).await;
}

#[tokio::test]
async fn a_broken_encoding_is_invalid_request_wherever_it_is() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    for pair in ["a=%", "a=%zz", "%=a", "a=%ff", "a=%c0%af", "a%00=b", "a=b%0d%0aSet-Cookie:x"] {
        let path = format!("{}&{pair}", request(&client, &[]));
        check_refused(&app, &path, "invalid_request").await;
    }
}

#[tokio::test]
async fn a_control_character_in_a_scope_is_invalid_request_as_in_any_parameter() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    for character in ["%00", "%09", "%0a", "%0d%0a", "%1f", "%7f", "%c2%80"] {
        for scope in [format!("openid{character}"), format!("openid{character}profile")] {
            let path = format!("{}&scope={scope}", request(&client, &[("scope", "")]));
            check_refused(&app, &path, "invalid_request").await;
        }
        let path = format!("{}&nonce=a{character}b", request(&client, &[("nonce", "")]));
        check_refused(&app, &path, "invalid_request").await;
    }
}

#[tokio::test]
async fn a_client_without_the_grant_is_unauthorized() {
    let app = TestApp::start().await;
    let client = app.users_client(json!({"type": "private", "grants": ["refresh_token"]})).await;
    check_refused(&app, &request(&client, &[]), "unauthorized_client").await;
}

#[rstest]
#[case("a%20b%2Bc", "a b+c")]
#[case("a+b", "a b")]
#[case(
    "a%26code%3Dstolen%26iss%3Dhttps%3A%2F%2Fevil.example",
    "a&code=stolen&iss=https://evil.example"
)]
#[case("a%23code%3Dstolen", "a#code=stolen")]
#[case("%25%30%30", "%00")]
#[case("%22%3E%3Cscript%3E", "\"><script>")]
#[case("%C3%A9%F0%9F%94%91%E2%80%A8", "é🔑\u{2028}")]
#[case("a%3Bb%2Fc%3Fd%5C", "a;b/c?d\\")]
#[tokio::test]
async fn a_state_comes_back_as_it_was(#[case] encoded: &str, #[case] state: &str) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let path = format!("{}&state={encoded}", request(&client, &[("state", "")]));
    let refused = answer_to(&app, &format!("{path}&prompt=none")).await;
    assert_eq!(refused.get("state"), state, "{}", refused.url);
    let allowed = app.authorize(&mut app.browser(), &path, &user).await;
    assert_eq!(allowed.get("state"), state, "{}", allowed.url);
    assert_eq!(allowed.get("iss"), app.issuer);
    assert_eq!(allowed.parameters.len(), 3, "{}", allowed.url);
}

#[rstest]
#[case("a%0D%0ALocation:%20https://evil.example")]
#[case("a%0Ab")]
#[case("a%00")]
#[case("a%09b")]
#[case("%C2%85")]
#[case("%ff")]
#[case("%c0%af")]
#[case("%ED%A0%80")]
#[case("%")]
#[tokio::test]
async fn a_state_that_is_no_text_is_invalid_request_and_does_not_come_back(#[case] encoded: &str) {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let path = format!("{}&state={encoded}", request(&client, &[("state", "")]));
    let landing = answer_to(&app, &path).await;
    assert_eq!(landing.get("error"), "invalid_request");
    assert!(!landing.parameters.contains_key("state"), "{}", landing.url);
    assert!(!landing.url.contains("evil"), "{}", landing.url);
}

#[tokio::test]
async fn every_answer_says_whose_it_is_and_the_metadata_announces_it() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let metadata = app.server.get("/.well-known/openid-configuration").send().await.json();
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert_eq!(metadata["issuer"], app.issuer);

    let mut browser = app.browser();
    let page = consent_page(&mut browser, &client, &user.email, &[]).await;
    let denied = decide(&mut browser, &page, "deny").await;
    check_redirect(&denied);
    let denied = browser.follow(denied).await.client();
    assert_eq!(
        (denied.get("error"), denied.get("iss")),
        ("access_denied".into(), app.issuer.into())
    );
    let allowed = app.authorize(&mut browser, &request(&client, &[]), &user).await;
    assert_eq!(allowed.get("iss"), app.issuer);
    let silent = silently(&mut browser, &client, &[]).await;
    assert_eq!((silent.get("iss"), silent.get("error")), (app.issuer.into(), String::new()));

    // The same in a form.
    for (changes, member) in [
        (vec![("response_mode", "form_post")], "code"),
        (vec![("response_mode", "form_post"), ("scope", "unknown")], "error"),
        (vec![("response_mode", "form_post"), ("max_age", "x")], "error"),
        (vec![("response_mode", "form_post"), ("prompt", "none login")], "error"),
    ] {
        let page = browser.open(&request(&client, &changes)).await.page();
        check_page(&page, 200);
        let form = Form::of(&page);
        assert_eq!(form.get("iss"), app.issuer);
        assert!(!form.get(member).is_empty(), "{}", html(&page));
    }
}

#[tokio::test]
async fn a_host_in_the_request_changes_neither_iss_nor_redirects() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    for (name, value) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "host=evil.example;proto=http"),
    ] {
        let call = app.server.get(request(&client, &[])).header(name, value);
        let answer = call.send().await;
        let page = format!("{}/signin?transaction=", app.issuer);
        assert!(answer.header("location").starts_with(&page), "{}", answer.header("location"));
        let call = app.server.get(request(&client, &[("prompt", "none")])).header(name, value);
        let location = call.send().await.header("location").to_owned();
        assert!(location.ends_with("iss=https%3A%2F%2Fid.example.com"), "{location}");
    }
}

#[tokio::test]
async fn a_request_uri_is_refused_and_never_fetched() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let own = format!("http://{}/request.jwt", listener.local_addr().unwrap());
    for uri in [own.as_str(), "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd"] {
        let path = request(&client, &[("request_uri", uri)]);
        check_refused(&app, &path, "request_uri_not_supported").await;
    }
    let nobody = listener.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_user_who_denies_is_access_denied_and_grants_nothing() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = consent_page(&mut browser, &client, &user.email, &[]).await;
    let answer = decide(&mut browser, &page, "deny").await;
    check_redirect(&answer);
    let landing = browser.follow(answer).await.client();
    assert_eq!(landing.get("error"), "access_denied");
    assert_eq!(landing.get("state"), "the state");
    assert_eq!(landing.get("iss"), app.issuer);
    assert_eq!(landing.get("code"), "");
    assert_eq!(count(&app, "GRANT#"), 0);
    assert_eq!(silently(&mut browser, &client, &[]).await.get("error"), "consent_required");
}

#[tokio::test]
async fn no_other_site_may_read_the_authorization_endpoint() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    for origin in ["https://app.example.com", "https://evil.example", "null"] {
        for path in [request(&client, &[]), request(&client, &[("prompt", "none")])] {
            check_no_cors(&app.server.get(path).header("origin", origin).send().await);
        }
        let preflight = app.server.call(http::Method::OPTIONS, "/oauth2/authorize");
        let preflight = preflight.header("origin", origin);
        let preflight = preflight.header("access-control-request-method", "GET").send().await;
        assert_eq!(preflight.status, 405);
        check_no_cors(&preflight);
    }
}

#[rstest]
#[case("/oauth2/authorize")]
#[case("/oauth2/logout")]
#[case("/signin")]
#[case("/consent")]
#[case("/register")]
#[case("/signout")]
#[tokio::test]
async fn methods_but_get_head_and_post_are_405(#[case] path: &str) {
    let app = TestApp::start().await;
    for method in
        [http::Method::PUT, http::Method::DELETE, http::Method::PATCH, http::Method::TRACE]
    {
        let answer = app.server.call(method.clone(), path).send().await;
        assert_eq!(answer.status, 405, "{method}");
        let allowed = answer.header("allow");
        let mut allowed: Vec<_> = allowed.split(',').map(str::trim).collect();
        allowed.sort_unstable();
        let no_head = path.starts_with("/oauth2/");
        assert_eq!(
            allowed,
            if no_head { vec!["GET", "POST"] } else { vec!["GET", "HEAD", "POST"] }
        );
    }
}

/// What looks ahead at a link, such as a mail scanner or a chat, must not use it up (RFC 9110 §9.2.1).
#[tokio::test]
async fn head_at_authorize_and_logout_is_405_and_changes_nothing() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let path = request(&client, &[]);
    let landing = browser.authorize(&path, &user.email, PASSWORD).await;
    let tokens = app.redeem(&client, &landing.get("code"), &[]).await;
    let logout = format!("/oauth2/logout?id_token_hint={}", tokens.text("id_token"));
    let before = stored(&app);
    let cookies = browser.cookies.clone();
    for path in [path.as_str(), &logout, "/oauth2/logout"] {
        let head = browser.send(app.server.call(http::Method::HEAD, path)).await;
        assert_eq!((head.status, head.body.len()), (405, 0), "{path}");
        assert_eq!(head.header("allow"), "GET,POST");
        assert_eq!(head.header("location"), "");
        assert_eq!(head.header("set-cookie"), "");
    }
    assert_eq!(browser.cookies, cookies);
    assert_eq!(stored(&app), before);
    // Still signed in: no page is shown.
    assert!(!browser.open(&path).await.client().get("code").is_empty());
}

#[tokio::test]
async fn head_elsewhere_is_answered_as_get_without_a_body_and_makes_no_code() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let id = transaction(&page);
    let head = browser.send(app.server.call(http::Method::HEAD, page_path("/signin", &id))).await;
    check_page(&head, 200);
    assert!(head.body.is_empty());
    assert_eq!(browser.send(app.server.call(http::Method::HEAD, "/signin")).await.status, 400);

    // Another request of the same client, allowed meanwhile: GET of these pages would answer the first one now.
    browser.authorize(&request(&client, &[]), &user.email, PASSWORD).await;
    let before = stored(&app);
    for path in ["/signin", "/consent", "/register"] {
        let path = page_path(path, &id);
        let head = browser.send(app.server.call(http::Method::HEAD, path.as_str())).await;
        check_page(&head, 200);
        assert!(head.body.is_empty(), "{path}");
    }
    check_page(&browser.send(app.server.call(http::Method::HEAD, "/signout")).await, 200);
    assert_eq!(stored(&app), before);
    assert!(!browser.open(&page_path("/consent", &id)).await.client().get("code").is_empty());
}

/// All items, whatever the order of their members.
fn stored(app: &TestApp) -> Vec<Value> {
    let dump = app.dump();
    let tables = serde_json::Deserializer::from_str(&dump).into_iter();
    tables.collect::<Result<_, _>>().unwrap()
}

fn page_path(path: &str, transaction: &str) -> String {
    format!("{path}?transaction={transaction}")
}

#[tokio::test]
async fn a_posted_request_goes_on_as_a_get_of_the_same_parameters() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let path =
        request(&client, &[("state", "a b&c#d+é\"<>"), ("resource", "https://api.example.com")]);
    let (_, query) = path.split_once('?').unwrap();
    let form = "application/x-www-form-urlencoded";
    let call = app.server.post("/oauth2/authorize").body(form, query.to_owned());
    let mut browser = app.browser();
    let answer = browser.send(call).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), format!("{}{path}", app.issuer));
    assert_eq!(count(&app, "TRANSACTION#"), 0, "the POST itself does nothing");
    let shown = browser.follow(answer).await;
    let landing = app.go_on(&mut browser, shown, &user).await;
    assert_eq!(landing.get("state"), "a b&c#d+é\"<>");
    assert_eq!(app.redeem(&client, &landing.get("code"), &[]).await.status, 200);

    // What is repeated or broken stays so, and is judged there.
    let call = app.server.post("/oauth2/authorize").body(form, format!("{query}&scope=openid&%zz"));
    let landing = browser.send(call).await;
    let landing = browser.follow(landing).await.client();
    assert_eq!(landing.get("error"), "invalid_request");
}

#[tokio::test]
async fn a_posted_request_that_is_no_form_or_too_long_is_a_page() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let post = || app.server.post("/oauth2/authorize");
    let (_, query) =
        request(&client, &[]).split_once('?').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    check_page(&post().body("application/json", query.clone()).send().await, 400);
    check_page(&post().body("text/plain", query.clone()).send().await, 400);
    check_page(&post().send().await, 400);
    let form = "application/x-www-form-urlencoded";
    let long = format!("{query}&x={}", "x".repeat(8000));
    check_page(&post().body(form, long).send().await, 413);
    check_page(&post().body(form, "x".repeat(70_000)).send().await, 413);
    // Raw bytes of a body never get into a header.
    let raw = format!("{query}&x=a\r\nset-cookie: a=b");
    let answer = post().body(form, raw).send().await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("set-cookie"), "");
    assert!(answer.header("location").contains("x=a%0D%0Aset-cookie:%20a=b"));
}

#[tokio::test]
async fn more_than_a_hundred_parameters_are_a_page() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let more = "&p=1".repeat(100);
    check_page(&app.browser().get(&format!("{}{more}", request(&client, &[]))).await, 400);
}

/// OpenID Connect Core 1.0 §3.1.2.1: `prompt=none` is what apps ask in a frame of their own page.
#[tokio::test]
async fn the_answer_to_a_silent_request_may_be_framed_by_its_own_client_and_no_other_page_may() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let form_post = ("response_mode", "form_post");
    let silent = [form_post, ("prompt", "none")];
    let check_framed = |page: &Answer| {
        check_form_post(page, true);
        Form::of(page)
    };
    let path = request(&client, &silent);
    assert_eq!(check_framed(&browser.get(&path).await).get("error"), "login_required");
    browser.authorize(&request(&client, &[]), &user.email, PASSWORD).await;
    assert!(!check_framed(&browser.get(&path).await).get("code").is_empty());
    let wrong = [form_post, ("prompt", "none"), ("scope", "unknown")];
    let page = browser.get(&request(&client, &wrong)).await;
    assert_eq!(check_framed(&page).get("error"), "invalid_scope");

    // The same answers where they were not asked for silently, and pages of other kinds.
    for (changes, status) in [
        (vec![form_post], 200),
        (vec![form_post, ("scope", "unknown")], 200),
        (vec![form_post, ("prompt", "none login")], 200),
        (vec![form_post, ("prompt", "none"), ("client_id", "unknown")], 400),
        (vec![form_post, ("prompt", "none"), ("redirect_uri", "https://evil.example/")], 400),
    ] {
        check_page(&browser.get(&request(&client, &changes)).await, status);
    }
}

#[tokio::test]
async fn the_form_of_form_post_carries_the_answer_and_nothing_breaks_out_of_it() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let state = "\"><script>alert(1)</script>'&amp;<img src=x onerror=alert(2)>";
    let changes = [("response_mode", "form_post"), ("state", state)];
    let mut browser = app.browser();
    let page = consent_page(&mut browser, &client, &user.email, &changes).await;
    let page = browser.submit(&page, &[("decision", "allow")]).await.page();
    check_page(&page, 200);
    let text = html(&page);
    assert!(!text.contains("<script>alert") && !text.contains("<img"), "{text}");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self';"), "{policy}");
    assert!(!policy.contains("form-action"), "{policy}");
    let form = Form::of(&page);
    assert_eq!(form.action, CALLBACK);
    assert!(text.contains("<form method=\"post\""));
    let names: Vec<_> = form.hidden.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    assert_eq!(form.get("iss"), app.issuer);
    // The helper's decoder is simple: what it makes of the state must hold every piece of it.
    assert!(form.get("state").starts_with("\"><script>alert(1)</script>'&"));
    assert_eq!(app.redeem(&client, &form.get("code"), &[]).await.status, 200);
    let script = app.server.get("/form_post.js").send().await;
    assert_eq!(
        (script.status, script.header("content-type")),
        (200, "text/javascript; charset=utf-8")
    );
}

#[tokio::test]
async fn without_redirect_uri_the_only_one_is_meant() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let path = request(&client, &[("redirect_uri", "")]);
    let landing = app.authorize(&mut app.browser(), &path, &user).await;
    assert!(landing.url.starts_with(&format!("{CALLBACK}?code=")));
    let two = json!({"type": "public", "redirectUris": [CALLBACK, "https://app.example.com/b"]});
    let two = app.users_client(two).await;
    check_page(&app.browser().get(&request(&two, &[("redirect_uri", "")])).await, 400);
    let none = app.users_client(json!({"type": "public", "redirectUris": []})).await;
    check_page(&app.browser().get(&request(&none, &[("redirect_uri", "")])).await, 400);
    check_page(&app.browser().get(&request(&none, &[])).await, 400);
}
