//! The steps that a user's browser takes, and what must hold of every page and every answer.

use identety_domain::limits::{Admission, SignInLimits};
use identety_tests::app::{TestApp, TestClient};
use identety_tests::browser::{Browser, Form, Landing, Shown, html};
use identety_tests::call::Answer;
use identety_tests::sign_in::{CALLBACK, PASSWORD, request};
use serde_json::{Value, json};

/// The cookie that names the session.
pub(crate) const SESSION: &str = "__Host-identety-session";
/// The cookie by which accounts know the browser.
pub(crate) const DEVICE: &str = "__Host-identety-device";
/// What the cookies of requests that wait begin with.
pub(crate) const REQUEST: &str = "__Host-identety-request-";

/// Headers of a form that comes from another site.
pub(crate) const FOREIGN: [(&str, &str); 5] = [
    ("origin", "https://evil.example"),
    ("origin", "null"),
    ("origin", "https://login.example.com.evil.example"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
];

/// The secrets of the requests that wait in a browser.
pub(crate) fn request_secrets(browser: &Browser) -> Vec<String> {
    let requests = browser.cookies.iter().filter(|(name, _)| name.starts_with(REQUEST));
    requests.map(|(_, value)| value.split('.').next().unwrap_or_default().to_owned()).collect()
}

/// The cookie of the request that a page is about.
pub(crate) fn request_cookie(page: &Answer) -> String {
    format!("{REQUEST}{}", transaction(page))
}

/// Checks that an answer is a page with this status, and everything that a page must say and not do.
#[track_caller]
pub(crate) fn check_page(page: &Answer, status: u16) {
    check_guarded(page, status, None);
}

/// The same of a form that carries an answer to the client. Asked for silently, that one may be framed by the
/// client's own origin.
#[track_caller]
pub(crate) fn check_form_post(page: &Answer, is_silent: bool) {
    check_guarded(page, 200, is_silent.then_some("https://app.example.com"));
    assert!(!page.header("content-security-policy").contains("form-action"));
}

#[track_caller]
fn check_guarded(page: &Answer, status: u16, framed_by: Option<&str>) {
    let text = html(page);
    assert_eq!(page.status, status, "{text}");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("location"), "");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert_eq!(page.header("x-frame-options"), if framed_by.is_some() { "" } else { "DENY" });
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    let policy = page.header("content-security-policy");
    let frames = format!("frame-ancestors {};", framed_by.unwrap_or("'none'"));
    for rule in ["default-src 'none'", &frames, "base-uri 'none'"] {
        assert!(policy.contains(rule), "{rule}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(!page.header("x-request-id").is_empty());
    check_no_cors(page);
    // Whatever a policy forbids, a page should not need.
    for inline in
        ["<style", " style=", "=\"javascript:", "<script>", " onclick", " onload", " onsubmit"]
    {
        assert!(!text.contains(inline), "{inline}: {text}");
    }
}

/// Waits for the start of a window of the limits on guessing, so that it does not end by chance.
pub(crate) fn align(app: &TestApp) {
    app.advance(900 - app.now().seconds() % 900);
}

/// Counts as many failures to sign in as a stranger could make elsewhere, without hashing. How many of them were let
/// through.
pub(crate) async fn count_failures(
    app: &TestApp,
    times: usize,
    who: impl Fn(usize) -> (String, String),
) -> usize {
    let limits = SignInLimits { attempts: app.stores.attempts.clone() };
    let mut admitted = 0;
    for n in 0..times {
        let (account, peer) = who(n);
        let admission = limits.admit(&mut app.context(&peer), &account).await.expect("a count");
        admitted += usize::from(matches!(admission, Admission::Admitted(_)));
    }
    admitted
}

/// A browser that `email` has signed in with before, on a sign-in page of `client`.
pub(crate) async fn known_browser(
    app: &TestApp,
    client: &TestClient,
    email: &str,
) -> (Browser, Answer) {
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, client, &[]).await;
    assert_eq!(enter(&mut browser, &page, email, PASSWORD).await.status, 303);
    assert!(browser.cookies.contains_key(DEVICE));
    let page = sign_in_page(&mut browser, client, &[("prompt", "login")]).await;
    (browser, page)
}

/// Checks that no other site may read an answer.
#[track_caller]
pub(crate) fn check_no_cors(answer: &Answer) {
    for name in answer.headers.keys() {
        assert!(!name.as_str().starts_with("access-control-"), "{name}");
    }
}

/// Checks a redirect to the client, and what it may carry.
#[track_caller]
pub(crate) fn check_redirect(answer: &Answer) {
    assert_eq!(answer.status, 303, "{}", html(answer));
    assert!(answer.header("location").starts_with(CALLBACK), "{}", answer.header("location"));
    assert!(answer.header("location").is_ascii());
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    assert!(answer.body.is_empty());
    check_no_cors(answer);
}

/// What the client hears of a request that needs no user.
pub(crate) async fn answer_to(app: &TestApp, path: &str) -> Landing {
    let mut browser = app.browser();
    let answer = browser.get(path).await;
    check_redirect(&answer);
    let landing = browser.follow(answer).await.client();
    check_answer(app, &landing);
    landing
}

/// Checks what holds of every answer to the client: whose it is (RFC 9207), and that it is either a code
/// or an error.
#[track_caller]
pub(crate) fn check_answer(app: &TestApp, landing: &Landing) {
    assert_eq!(landing.get("iss"), app.issuer, "{}", landing.url);
    assert!(!landing.url.contains('#'), "{}", landing.url);
    assert!(landing.get("code").is_empty() != landing.get("error").is_empty(), "{}", landing.url);
    let legal = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
    assert!(landing.get("error_description").chars().all(legal), "{}", landing.url);
}

/// Asserts that a request is answered by an error, and that the state comes back.
pub(crate) async fn check_refused(app: &TestApp, path: &str, error: &str) {
    let landing = answer_to(app, path).await;
    assert_eq!(landing.get("error"), error, "{path}");
    assert_eq!(landing.get("state"), "the state", "{path}");
    assert_eq!(count(app, "TRANSACTION#"), 0, "{path}");
}

/// The sign-in page of a plain request with these changes.
pub(crate) async fn sign_in_page(
    browser: &mut Browser,
    client: &TestClient,
    changes: &[(&str, &str)],
) -> Answer {
    let page = browser.open(&request(client, changes)).await.page();
    assert!(is_sign_in(&page), "{}", html(&page));
    page
}

/// The consent page of a plain request with these changes, for a user who has just signed in.
pub(crate) async fn consent_page(
    browser: &mut Browser,
    client: &TestClient,
    email: &str,
    changes: &[(&str, &str)],
) -> Answer {
    let page = sign_in_page(browser, client, changes).await;
    let entered = browser.submit(&page, &[("email", email), ("password", PASSWORD)]).await;
    let page = entered.page();
    assert!(is_consent(&page), "{}", html(&page));
    page
}

/// Enters an address and a password, without following.
pub(crate) async fn enter(
    browser: &mut Browser,
    page: &Answer,
    email: &str,
    password: &str,
) -> Answer {
    browser.submit_once(page, &[("email", email), ("password", password)]).await
}

/// Presses a button of the consent page, without following.
pub(crate) async fn decide(browser: &mut Browser, page: &Answer, decision: &str) -> Answer {
    browser.submit_once(page, &[("decision", decision)]).await
}

/// Whether a page asks for the password.
pub(crate) fn is_sign_in(page: &Answer) -> bool {
    page.status == 200 && html(page).contains("autocomplete=\"current-password\"")
}

/// Whether a page asks for consent.
pub(crate) fn is_consent(page: &Answer) -> bool {
    page.status == 200 && html(page).contains("id=\"allow\"")
}

/// The name of the transaction that a page is about.
pub(crate) fn transaction(page: &Answer) -> String {
    let id = Form::of(page).get("transaction");
    assert!(!id.is_empty(), "{}", html(page));
    id
}

/// Whether the browser is asked for nothing: `prompt=none` gets a code, or the error.
pub(crate) async fn silently(
    browser: &mut Browser,
    client: &TestClient,
    changes: &[(&str, &str)],
) -> Landing {
    let changes = [&[("prompt", "none")], changes].concat();
    browser.open(&request(client, &changes)).await.client()
}

/// What a shown page or landing is, in one word.
pub(crate) fn kind(shown: &Shown) -> &'static str {
    match shown {
        Shown::Client(landing) if landing.get("error").is_empty() => "code",
        Shown::Client(_) => "error",
        Shown::Page(page) if is_sign_in(page) => "sign-in",
        Shown::Page(page) if is_consent(page) => "consent",
        Shown::Page(_) => "page",
    }
}

/// How many items of a kind the grants table has; sessions that are over do not count.
pub(crate) fn count(app: &TestApp, prefix: &str) -> usize {
    let request = serde_json::from_value(json!({"TableName": "test-grants"})).expect("a request");
    let response = app.embedded.database().scan(request).expect("a scan");
    let response = serde_json::to_value(&response).expect("JSON");
    let items = response["Items"].as_array().expect("items");
    let is_over = |item: &&Value| prefix == "SESSION#" && item.get("endedAt").is_some();
    let kinds = items.iter().filter(|item| !is_over(item));
    let kinds = kinds.filter_map(|item| item["pk"]["S"].as_str());
    kinds.filter(|pk| pk.starts_with(prefix)).count()
}

/// Deletes what the grants table may have forgotten by now, as DynamoDB does by itself.
pub(crate) fn forget_expired(app: &TestApp) {
    let database = app.embedded.database();
    let request = json!({
        "TableName": "test-grants", "FilterExpression": "#ttl < :now",
        "ExpressionAttributeNames": {"#ttl": "ttl"},
        "ExpressionAttributeValues": {":now": {"N": app.now().seconds().to_string()}},
    });
    let request = serde_json::from_value(request).expect("a request");
    let expired = database.scan(request).expect("a scan");
    let expired = serde_json::to_value(&expired).expect("JSON");
    for item in expired["Items"].as_array().expect("items") {
        let request = json!({"TableName": "test-grants", "Key": {"pk": item["pk"]}});
        let request = serde_json::from_value(request).expect("a request");
        database.delete_item(request).expect("a deletion");
    }
}

/// Changes a user by the administration API.
pub(crate) async fn change_user(app: &TestApp, id: &str, members: Value) {
    let path = format!("/admin/users/{id}");
    let answer = app.admin("PATCH", &path).json(&members).send().await;
    assert_eq!(answer.status, 200, "{}", answer.json());
}

/// Sets a user's password by the administration API.
pub(crate) async fn set_password(app: &TestApp, id: &str, password: &str) {
    let path = format!("/admin/users/{id}/password");
    let answer = app.admin("PUT", &path).json(&json!({"password": password})).send().await;
    assert_eq!(answer.status, 204, "{}", answer.json());
}

/// Deletes a client or a user.
pub(crate) async fn delete(app: &TestApp, kind: &str, id: &str) {
    let answer = app.admin("DELETE", &format!("/admin/{kind}/{id}")).send().await;
    assert_eq!(answer.status, 200, "{}", answer.json());
}
