//! `/known-browser`: a one-time link of an administrator makes a browser known, and nothing else.

use identety_tests::app::{TestApp, TestClient, TestUser};
use identety_tests::browser::{Browser, Form, html};
use identety_tests::call::Answer;
use identety_tests::sign_in::PASSWORD;
use rstest::rstest;
use serde_json::json;

use super::steps::{
    DEVICE, SESSION, align, change_user, check_page, count_failures, delete, enter, sign_in_page,
};

const ALICE: &str = "alice@example.com";

/// An app with Alice, whom strangers have locked out of every browser.
async fn locked_out() -> (TestApp, TestClient, TestUser) {
    let app = TestApp::start().await;
    align(&app);
    let client = app.public_client().await;
    let alice = app.alice().await;
    count_failures(&app, 100, |n| (ALICE.into(), format!("198.51.100.{n}"))).await;
    (app, client, alice)
}

/// The URL of a new link for `user`.
async fn link(app: &TestApp, user: &TestUser) -> String {
    let path = format!("/admin/users/{}/browser-links", user.id);
    let answer = app.admin("POST", &path).send().await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.text("url")
}

async fn try_to_sign_in(browser: &mut Browser, client: &TestClient) -> u16 {
    let page = sign_in_page(browser, client, &[("prompt", "login")]).await;
    enter(browser, &page, ALICE, PASSWORD).await.status
}

#[track_caller]
fn check_over(page: &Answer) {
    check_page(page, 400);
    assert!(html(page).contains("This link does not work any more"), "{}", html(page));
    assert_eq!(page.header("set-cookie"), "");
}

#[tokio::test]
async fn the_button_makes_this_browser_known_and_signs_no_user_in() {
    let (app, client, alice) = locked_out().await;
    let mut browser = app.browser();
    assert_eq!(try_to_sign_in(&mut browser, &client).await, 429);
    let url = link(&app, &alice).await;
    // Looking at it, however often, changes nothing.
    for _ in 0..3 {
        let page = browser.get(&url).await;
        check_page(&page, 200);
        assert_eq!(page.header("set-cookie"), "");
        assert!(!html(&page).contains(ALICE), "whose account it is, the page does not tell");
    }
    assert_eq!(try_to_sign_in(&mut browser, &client).await, 429);
    let page = browser.get(&url).await;
    let done = browser.submit_once(&page, &[]).await;
    check_page(&done, 200);
    assert!(html(&done).contains("This browser is known now"));
    assert!(browser.cookies.contains_key(DEVICE));
    assert!(!browser.cookies.contains_key(SESSION));
    // No other browser is let in, and the password is still asked for.
    assert_eq!(try_to_sign_in(&mut app.browser(), &client).await, 429);
    let sign_in = sign_in_page(&mut browser, &client, &[]).await;
    check_page(&enter(&mut browser, &sign_in, ALICE, "wrong password").await, 400);
    assert_eq!(enter(&mut browser, &sign_in, ALICE, PASSWORD).await.status, 303);
}

#[tokio::test]
async fn a_link_works_once() {
    let (app, client, alice) = locked_out().await;
    let url = link(&app, &alice).await;
    let (mut first, mut second) = (app.browser(), app.browser());
    let (page, other) = (first.get(&url).await, second.get(&url).await);
    check_page(&first.submit_once(&page, &[]).await, 200);
    check_over(&second.submit_once(&other, &[]).await);
    check_over(&second.get(&url).await);
    check_over(&first.submit_once(&page, &[]).await);
    assert_eq!(try_to_sign_in(&mut second, &client).await, 429);
    assert_eq!(try_to_sign_in(&mut first, &client).await, 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_browsers_at_once_one_becomes_known() {
    let (app, _, alice) = locked_out().await;
    let url = link(&app, &alice).await;
    let page = app.browser().get(&url).await;
    let clicks = (0..20).map(|_| {
        let (mut browser, page) = (app.browser(), page.clone());
        tokio::spawn(async move { browser.submit_once(&page, &[]).await.status })
    });
    let mut statuses = Vec::new();
    for click in clicks.collect::<Vec<_>>() {
        statuses.push(click.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [[200].as_slice(), &[400; 19]].concat());
}

#[tokio::test]
async fn a_link_works_for_ten_minutes() {
    let (app, _, alice) = locked_out().await;
    let url = link(&app, &alice).await;
    app.advance(599);
    let mut browser = app.browser();
    let page = browser.get(&url).await;
    check_page(&page, 200);
    app.advance(1);
    check_over(&browser.submit_once(&page, &[]).await);
    check_over(&browser.get(&url).await);
}

#[tokio::test]
async fn a_link_does_nothing_for_a_user_who_is_disabled_or_gone() {
    let (app, _, alice) = locked_out().await;
    let url = link(&app, &alice).await;
    let mut browser = app.browser();
    let page = browser.get(&url).await;
    change_user(&app, &alice.id, json!({"isActive": false})).await;
    check_over(&browser.get(&url).await);
    check_over(&browser.submit_once(&page, &[]).await);
    delete(&app, "users", &alice.id).await;
    check_over(&browser.submit_once(&page, &[]).await);
}

#[rstest]
#[case("origin", "https://evil.example")]
#[case("origin", "null")]
#[case("origin", "https://id.example.com.evil.example")]
#[case("origin", "http://id.example.com")]
#[case("sec-fetch-site", "cross-site")]
#[case("sec-fetch-site", "same-site")]
#[tokio::test]
async fn a_form_of_another_site_is_refused_and_the_link_stays(
    #[case] header: &str,
    #[case] value: &str,
) {
    let (app, _, alice) = locked_out().await;
    let url = link(&app, &alice).await;
    let mut browser = app.browser();
    let page = browser.get(&url).await;
    let token = Form::of(&page).get("token");
    let call = || app.server.post("/known-browser").form(&[("token", &token)]);
    let refused = browser.send(call().header(header, value)).await;
    check_page(&refused, 403);
    assert_eq!(refused.header("set-cookie"), "");
    let own = call().header("origin", app.issuer).header("sec-fetch-site", "same-origin");
    check_page(&browser.send(own).await, 200);
}

#[rstest]
#[case("")]
#[case("?token=")]
#[case("?token=x")]
#[case("?token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
#[case("?token=%ff")]
#[case("?token=a&token=b")]
#[tokio::test]
async fn what_is_no_link_is_a_page_that_says_so(#[case] query: &str) {
    let app = TestApp::start().await;
    let page = app.browser().get(&format!("/known-browser{query}")).await;
    check_page(&page, 400);
    let more = [("token", "x"), ("user", "y")];
    check_page(&app.browser().post("/known-browser", &more).await, 400);
    check_page(&app.browser().post("/known-browser", &[]).await, 400);
}

#[tokio::test]
async fn a_link_is_at_rest_as_a_hash_and_in_no_other_answer() {
    let (app, _, alice) = locked_out().await;
    let url = link(&app, &alice).await;
    let (_, token) = url.split_once("?token=").unwrap();
    assert_eq!(token.len(), 43);
    assert!(!app.dump().contains(token));
    assert!(app.dump().contains("LINK#"));
}

#[tokio::test]
async fn another_password_after_the_link_was_used_forgets_that_browser_too() {
    let (app, client, alice) = locked_out().await;
    let mut browser = app.browser();
    let page = browser.get(&link(&app, &alice).await).await;
    check_page(&browser.submit_once(&page, &[]).await, 200);
    app.advance(1);
    super::steps::set_password(&app, &alice.id, PASSWORD).await;
    assert_eq!(try_to_sign_in(&mut browser, &client).await, 429);
}
