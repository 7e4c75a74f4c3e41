//! What holds of every page, wherever it is shown.

use identety_tests::app::TestApp;
use identety_tests::browser::{Browser, html};
use identety_tests::sign_in::{PASSWORD, request};
use serde_json::json;

use super::steps::{check_page, consent_page, decide, enter, sign_in_page, transaction};
use crate::faults::verbs::faulty_app;

#[tokio::test]
async fn no_page_can_be_framed_kept_or_told_to_other_sites() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();

    let sign_in = sign_in_page(&mut browser, &client, &[]).await;
    check_page(&sign_in, 200);
    check_page(&enter(&mut browser, &sign_in, &user.email, "wrong password").await, 400);
    let path = format!("/register?transaction={}", transaction(&sign_in));
    let register = browser.get(&path).await;
    check_page(&register, 200);
    check_page(&browser.submit_once(&register, &[("email", "x")]).await, 400);
    let consent = consent_page(&mut browser, &client, &user.email, &[]).await;
    check_page(&consent, 200);
    check_page(&decide(&mut browser, &consent, "perhaps").await, 400);
    let answer = decide(&mut browser, &consent, "allow").await;
    assert_eq!(answer.status, 303);
    let form_post = request(&client, &[("response_mode", "form_post")]);
    check_page(&browser.get(&form_post).await, 200);
    let sign_out = browser.open("/signout").await.page();
    check_page(&sign_out, 200);
    let foreign = app.server.post("/signout").form(&[]).header("origin", "https://evil.example");
    check_page(&browser.send(foreign).await, 403);
    let signed_out = browser.submit(&sign_out, &[]).await.page();
    check_page(&signed_out, 200);
    check_page(&browser.get("/oauth2/authorize").await, 400);
    check_page(&browser.get("/oauth2/logout?client_id=%zz").await, 400);

    // The pages on which a decision is made lead to the client, and the browser goes wherever that leads.
    for page in [&sign_in, &register, &consent] {
        let policy = page.header("content-security-policy");
        assert!(!policy.contains("form-action") && !policy.contains("script-src"), "{policy}");
    }
    for (page, target) in [(&sign_out, "'self'"), (&signed_out, "'none'")] {
        let policy = page.header("content-security-policy");
        assert!(policy.contains(&format!("form-action {target};")), "{policy}");
    }
}

#[tokio::test]
async fn a_page_shows_what_the_client_says_of_itself_as_text() {
    let app = TestApp::start().await;
    let hostile = "</title><script>alert(1)</script>\"'&";
    let client = app
        .users_client(json!({
            "type": "public", "name": hostile, "logoUri": "https://cdn.example.com/logo.png",
            "policyUri": "https://app.example.com/privacy", "tosUri": "https://app.example.com/terms",
        }))
        .await;
    let page = sign_in_page(&mut app.browser(), &client, &[]).await;
    check_page(&page, 200);
    let text = html(&page);
    assert!(!text.contains("<script>alert") && !text.contains("</title><script"), "{text}");
    assert!(text.contains("https://app.example.com/privacy"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("img-src 'self' https://cdn.example.com;"), "{policy}");
}

#[tokio::test]
async fn what_was_typed_comes_back_as_text_and_the_password_never() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let typed = "\"><script>alert(1)</script>";
    let again = enter(&mut browser, &page, typed, "a wrong secret word").await;
    check_page(&again, 400);
    assert!(!html(&again).contains("<script>"), "{}", html(&again));
    assert!(!html(&again).contains("a wrong secret word"));
    assert!(html(&again).contains("id=\"error\""));
    let path = format!("/register?transaction={}", transaction(&page));
    let register = browser.get(&path).await;
    let fields = [("email", typed), ("name", typed), ("password", "short 7")];
    let again = browser.submit_once(&register, &fields).await;
    check_page(&again, 400);
    assert!(!html(&again).contains("<script>"), "{}", html(&again));
    assert!(!html(&again).contains("short 7"));
}

#[tokio::test]
async fn the_style_and_the_script_are_files_of_our_own() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let page = sign_in_page(&mut app.browser(), &client, &[]).await;
    assert!(html(&page).contains(&format!("href=\"{}/style.css\"", app.issuer)));
    for (path, kind) in [
        ("/style.css", "text/css; charset=utf-8"),
        ("/form_post.js", "text/javascript; charset=utf-8"),
    ] {
        let file = app.server.get(path).send().await;
        assert_eq!((file.status, file.header("content-type")), (200, kind));
        assert_eq!(file.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn a_form_of_another_type_is_a_page() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    sign_in_page(&mut browser, &client, &[]).await;
    for path in ["/signin", "/consent", "/register", "/signout", "/oauth2/logout"] {
        for media_type in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
            let body = format!("{{\"email\":\"a@b.c\",\"password\":\"{PASSWORD}\"}}");
            let answer = browser.send(app.server.post(path).body(media_type, body)).await;
            check_page(&answer, 400);
            assert_eq!(answer.header("set-cookie"), "");
        }
        let huge = "x".repeat(70_000);
        let call = app.server.post(path).body("application/x-www-form-urlencoded", huge);
        check_page(&browser.send(call).await, 413);
    }
}

#[tokio::test]
async fn a_page_reads_each_item_once() {
    let (app, way) = faulty_app().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let sign_in = sign_in_page(&mut browser, &client, &[]).await;
    let id = transaction(&sign_in);
    let reads = async |browser: &mut Browser, path: &str| {
        way.0.take_requests();
        check_page(&browser.get(path).await, 200);
        let reads = way.0.take_requests().into_iter().filter(|request| !request.is_write);
        let kind = |key: String| key.split_once('#').unwrap().0.to_owned();
        let mut kinds: Vec<_> = reads.flat_map(|request| request.partitions).map(kind).collect();
        kinds.sort_unstable();
        kinds
    };
    let path = format!("/signin?transaction={id}");
    assert_eq!(reads(&mut browser, &path).await, ["CLIENT", "TRANSACTION"]);
    enter(&mut browser, &sign_in, &user.email, PASSWORD).await;
    let path = format!("/consent?transaction={id}");
    let once = ["CLIENT", "CONSENT", "SESSION", "TRANSACTION", "USER"];
    assert_eq!(reads(&mut browser, &path).await, once);
    assert_eq!(reads(&mut browser, "/signout").await, ["SESSION", "USER"]);
}
