//! Browsers that an account knows: what makes one known, what it may do, and what ends that.

use identety_domain::session::{DeviceSecret, DeviceSecrets};
use identety_domain::user::User;
use identety_tests::app::{TestApp, TestClient};
use identety_tests::browser::{Browser, html};
use identety_tests::call::Answer;
use identety_tests::sign_in::PASSWORD;
use rstest::rstest;

use super::steps::{
    DEVICE, SESSION, align, check_page, count_failures, enter, known_browser, set_password,
    sign_in_page, transaction,
};

const ALICE: &str = "alice@example.com";
const DAY: u64 = 86_400;

/// An app with Alice, whom strangers have locked out of unknown browsers, and the browser that she has used before.
async fn locked_out() -> (TestApp, TestClient, Browser, Answer) {
    let app = TestApp::start().await;
    align(&app);
    let client = app.public_client().await;
    app.alice().await;
    let (browser, page) = known_browser(&app, &client, ALICE).await;
    lock(&app).await;
    (app, client, browser, page)
}

async fn lock(app: &TestApp) {
    count_failures(app, 100, |n| (ALICE.into(), format!("198.51.100.{n}"))).await;
}

async fn alice(app: &TestApp) -> User {
    let address = identety_domain::user::EmailAddress::parse(ALICE).unwrap();
    app.stores.users.find_by_email(&address).await.unwrap().unwrap()
}

/// Whether Alice's right password, entered in `browser` while strangers have locked her out, signs her in.
async fn gets_in(browser: &mut Browser, client: &TestClient) -> bool {
    let page = sign_in_page(browser, client, &[("prompt", "login")]).await;
    let answer = enter(browser, &page, ALICE, PASSWORD).await;
    assert!(matches!(answer.status, 303 | 429), "{}", html(&answer));
    answer.status == 303
}

#[tokio::test]
async fn a_browser_is_known_after_a_sign_in_and_no_other_browser_is() {
    let (app, client, mut browser, page) = locked_out().await;
    let before = browser.cookies[DEVICE].clone();
    assert_eq!(before.len(), 43, "256 bits");
    assert!(!gets_in(&mut app.browser(), &client).await);
    let answer = enter(&mut browser, &page, ALICE, PASSWORD).await;
    assert_eq!(answer.status, 303);
    assert_eq!(browser.cookies[DEVICE], before, "the browser keeps its secret");
    let cookies = answer.headers.get_all("set-cookie").iter();
    let cookie = cookies.map(|it| it.to_str().unwrap()).find(|it| it.starts_with(DEVICE)).unwrap();
    let attributes = "HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=15552000";
    assert_eq!(cookie, format!("{DEVICE}={before}; {attributes}"));
    assert!(!app.dump().contains(&before), "at rest is a hash");
}

#[tokio::test]
async fn a_browser_is_known_after_a_registration() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let page = browser.get(&format!("/register?transaction={}", transaction(&page))).await;
    let fields = [("email", ALICE), ("name", "Alice"), ("password", PASSWORD)];
    assert_eq!(browser.submit_once(&page, &fields).await.status, 303);
    lock(&app).await;
    assert!(gets_in(&mut browser, &client).await);
}

#[tokio::test]
async fn a_failed_sign_in_makes_no_browser_known() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    app.alice().await;
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    check_page(&enter(&mut browser, &page, ALICE, "wrong password").await, 400);
    assert!(!browser.cookies.contains_key(DEVICE));
    assert_eq!(alice(&app).await.browsers.count(), 0);
}

#[tokio::test]
async fn a_sign_out_leaves_a_browser_known() {
    let (_, client, mut browser, _) = locked_out().await;
    let page = browser.open("/signout").await.page();
    browser.submit(&page, &[]).await.page();
    assert!(!browser.cookies.contains_key(SESSION));
    assert!(gets_in(&mut browser, &client).await);
}

#[tokio::test]
async fn another_password_forgets_all_known_browsers() {
    let (app, client, mut browser, _) = locked_out().await;
    app.advance(1);
    let before = alice(&app).await;
    set_password(&app, &before.id.to_string(), PASSWORD).await;
    assert_eq!(alice(&app).await.browsers.count(), 0);
    assert!(!gets_in(&mut browser, &client).await);
}

#[tokio::test]
async fn a_browser_that_is_known_changes_no_version() {
    let (app, client, mut browser, _) = locked_out().await;
    assert_eq!(alice(&app).await.version, 1);
    app.advance(2 * DAY);
    assert!(gets_in(&mut browser, &client).await);
    let noted = alice(&app).await;
    assert_eq!((noted.version, noted.browsers.count()), (1, 1));
    // Nor does a change by an administrator undo it.
    let path = format!("/admin/users/{}", noted.id);
    let change = serde_json::json!({"name": "Alice Baker"});
    assert_eq!(app.admin("PATCH", &path).json(&change).send().await.status, 200);
    lock(&app).await;
    assert!(gets_in(&mut browser, &client).await);
}

#[tokio::test]
async fn a_browser_is_known_for_180_days_after_its_last_use() {
    let (app, client, mut browser, _) = locked_out().await;
    app.advance(179 * DAY);
    lock(&app).await;
    assert!(gets_in(&mut browser, &client).await, "and is for 180 days more");
    app.advance(180 * DAY - 1);
    lock(&app).await;
    let mut copy = browser.clone();
    assert!(gets_in(&mut copy, &client).await);
    app.advance(180 * DAY);
    lock(&app).await;
    assert!(!gets_in(&mut browser, &client).await);
}

#[tokio::test]
async fn of_more_than_twenty_browsers_those_used_last_are_known() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    app.alice().await;
    let mut browsers = Vec::new();
    for _ in 0..21 {
        app.advance(1);
        browsers.push(known_browser(&app, &client, ALICE).await.0);
    }
    assert_eq!(alice(&app).await.browsers.count(), 20);
    align(&app);
    lock(&app).await;
    assert!(!gets_in(&mut browsers[0], &client).await);
    assert!(gets_in(&mut browsers[1], &client).await);
    assert!(gets_in(&mut browsers[20], &client).await);
}

#[tokio::test]
async fn a_known_browser_has_ten_attempts_in_a_quarter_of_an_hour() {
    let (app, _, mut browser, page) = locked_out().await;
    for _ in 0..10 {
        check_page(&enter(&mut browser, &page, ALICE, "wrong password").await, 400);
    }
    let computations = app.hasher.computations();
    let refused = enter(&mut browser, &page, ALICE, PASSWORD).await;
    check_page(&refused, 429);
    assert_eq!(refused.header("retry-after"), "900");
    assert_eq!(app.hasher.computations(), computations);
    // From elsewhere it is the same browser.
    browser.peer = "192.0.2.99".into();
    check_page(&enter(&mut browser, &page, ALICE, PASSWORD).await, 429);
    app.advance(900);
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
}

#[tokio::test]
async fn after_a_hundred_failures_in_a_row_a_known_browser_is_forgotten() {
    let (app, client, mut browser, _) = locked_out().await;
    for _ in 0..10 {
        app.advance(900);
        let page = sign_in_page(&mut browser, &client, &[("prompt", "login")]).await;
        for _ in 0..10 {
            check_page(&enter(&mut browser, &page, ALICE, "wrong password").await, 400);
        }
    }
    assert_eq!(alice(&app).await.browsers.count(), 1);
    app.advance(900);
    assert!(!gets_in(&mut browser, &client).await, "it is as unknown as a stranger's");
    assert_eq!(alice(&app).await.browsers.count(), 0);
}

#[tokio::test]
async fn a_success_ends_the_failures_of_a_known_browser() {
    let (app, client, mut browser, _) = locked_out().await;
    for _ in 0..12 {
        app.advance(900);
        let page = sign_in_page(&mut browser, &client, &[("prompt", "login")]).await;
        for _ in 0..9 {
            check_page(&enter(&mut browser, &page, ALICE, "wrong password").await, 400);
        }
        assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
    }
}

#[tokio::test]
async fn each_account_knows_a_browser_that_several_use() {
    let (app, client, mut browser, _) = locked_out().await;
    app.user("bob@example.com", PASSWORD).await;
    let page = sign_in_page(&mut browser, &client, &[("prompt", "login")]).await;
    assert_eq!(enter(&mut browser, &page, "bob@example.com", PASSWORD).await.status, 303);
    assert_eq!(browser.cookies[DEVICE].len(), 43 + 1 + 43);
    assert!(gets_in(&mut browser, &client).await);
    count_failures(&app, 100, |n| ("bob@example.com".into(), format!("203.0.113.{n}"))).await;
    let page = sign_in_page(&mut browser, &client, &[("prompt", "login")]).await;
    assert_eq!(enter(&mut browser, &page, "bob@example.com", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn a_secret_that_an_attacker_has_planted_does_not_become_known() {
    let app = TestApp::start().await;
    align(&app);
    let client = app.public_client().await;
    app.alice().await;
    let mut rng = identety_http::ambient::rng().unwrap();
    let planted = DeviceSecrets::default().with(&DeviceSecret::generate(&mut rng));
    let planted = planted.text().expose().to_owned();
    let mut victim = app.browser();
    victim.cookies.insert(DEVICE.to_owned(), planted.clone());
    let page = sign_in_page(&mut victim, &client, &[]).await;
    assert_eq!(enter(&mut victim, &page, ALICE, PASSWORD).await.status, 303);
    lock(&app).await;
    let mut attacker = app.browser();
    attacker.cookies.insert(DEVICE.to_owned(), planted);
    assert!(!gets_in(&mut attacker, &client).await);
    assert!(gets_in(&mut victim, &client).await);
}

#[rstest]
#[case::another_name("X__Host-identety-device")]
#[case::another_case("__host-identety-device")]
#[case::unicode_white_space("\u{2000}__Host-identety-device")]
#[case::no_prefix("identety-device")]
#[tokio::test]
async fn a_look_alike_of_the_cookie_is_another_cookie(#[case] name: &str) {
    let (app, client, browser, _) = locked_out().await;
    let mut other = app.browser();
    other.cookies.insert(name.to_owned(), browser.cookies[DEVICE].clone());
    assert!(!gets_in(&mut other, &client).await);
}

#[tokio::test]
async fn a_cookie_that_comes_twice_counts_as_none() {
    let (app, _, mut browser, page) = locked_out().await;
    let twice = format!("{DEVICE}={}", browser.cookies[DEVICE]);
    let form = identety_tests::browser::Form::of(&page);
    let (id, csrf) = (form.get("transaction"), form.get("csrf"));
    let fields =
        [("transaction", id.as_str()), ("csrf", &csrf), ("email", ALICE), ("password", PASSWORD)];
    let call = app.server.post("/signin").form(&fields).header("cookie", &twice);
    check_page(&browser.send(call).await, 429);
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
}
