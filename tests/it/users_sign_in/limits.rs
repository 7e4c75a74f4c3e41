//! Limits on guessing passwords: 10 failures of one account from one address in a quarter of an hour,
//! 100 of one account, 300 from one address.

use identety_domain::PeerAddress;
use identety_domain::limits::{Admission, SignInLimits};
use identety_tests::app::{TestApp, TestClient};
use identety_tests::browser::{Browser, Form, html};
use identety_tests::call::Answer;
use identety_tests::sign_in::PASSWORD;
use serde_json::json;

use super::steps::{SESSION, change_user, check_page, count, enter, sign_in_page};

const ALICE: &str = "alice@example.com";

/// Waits for the start of a window, so that it does not end by chance.
fn align(app: &TestApp) {
    app.advance(900 - app.now().seconds() % 900);
}

/// An app with Alice, a client, and a browser on its sign-in page.
async fn at_the_door() -> (TestApp, TestClient, Browser, Answer) {
    let app = TestApp::start().await;
    align(&app);
    let client = app.public_client().await;
    app.alice().await;
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    (app, client, browser, page)
}

async fn fail(browser: &mut Browser, page: &Answer, email: &str, times: usize) {
    for n in 1..=times {
        let answer = enter(browser, page, email, "wrong password").await;
        check_page(&answer, 400);
        assert_eq!(answer.header("retry-after"), "", "failure {n}");
    }
}

#[track_caller]
fn blocked(answer: &Answer, seconds: u32) {
    check_page(answer, 429);
    assert_eq!(answer.header("retry-after"), seconds.to_string());
    assert_eq!(answer.header("set-cookie"), "");
    let plural = if seconds == 1 { "" } else { "s" };
    let text = format!("Try again in {seconds} second{plural}.");
    assert!(html(answer).contains(&text), "{}", html(answer));
}

/// Counts as many failures as a stranger could make elsewhere, without hashing.
async fn count_failures(app: &TestApp, times: usize, who: impl Fn(usize) -> (String, String)) {
    let limits = SignInLimits { attempts: app.stores.attempts.clone() };
    for n in 0..times {
        let (account, peer) = who(n);
        let admission = limits.admit(&account, &PeerAddress(peer), app.now()).await.unwrap();
        assert!(matches!(admission, Admission::Admitted(_)), "{n}");
    }
}

#[tokio::test]
async fn after_ten_failures_even_the_right_password_waits_and_the_pauses_double_to_a_minute() {
    let (app, _, mut browser, page) = at_the_door().await;
    fail(&mut browser, &page, ALICE, 10).await;
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        let computations = app.hasher.computations();
        for password in ["wrong password", PASSWORD] {
            blocked(&enter(&mut browser, &page, ALICE, password).await, pause);
        }
        app.advance(u64::from(pause) - 1);
        blocked(&enter(&mut browser, &page, ALICE, PASSWORD).await, 1);
        assert_eq!(app.hasher.computations(), computations, "no password was looked at");
        assert_eq!(count(&app, "SESSION#"), 0);
        app.advance(1);
        // One attempt after each pause.
        check_page(&enter(&mut browser, &page, ALICE, "wrong password").await, 400);
    }
    app.advance(60);
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
    assert!(browser.cookies.contains_key(SESSION));
}

#[tokio::test]
async fn a_quarter_of_an_hour_later_all_is_forgotten() {
    let (app, client, mut browser, page) = at_the_door().await;
    fail(&mut browser, &page, ALICE, 10).await;
    blocked(&enter(&mut browser, &page, ALICE, PASSWORD).await, 1);
    app.advance(900);
    fail(&mut browser, &page, ALICE, 9).await;
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
    sign_in_page(&mut app.browser(), &client, &[]).await;
}

#[tokio::test]
async fn the_right_password_does_not_count() {
    let (app, client, mut browser, page) = at_the_door().await;
    fail(&mut browser, &page, ALICE, 9).await;
    for _ in 0..12 {
        let mut another = app.browser();
        let page = sign_in_page(&mut another, &client, &[]).await;
        assert_eq!(enter(&mut another, &page, ALICE, PASSWORD).await.status, 303);
        // The attempt that would have reached the limit is followed by a pause all the same.
        app.advance(1);
    }
    fail(&mut browser, &page, ALICE, 1).await;
    blocked(&enter(&mut browser, &page, ALICE, PASSWORD).await, 1);
}

#[tokio::test]
async fn other_accounts_and_other_addresses_are_not_concerned() {
    let (app, client, mut browser, page) = at_the_door().await;
    app.user("bob@example.com", PASSWORD).await;
    fail(&mut browser, &page, ALICE, 10).await;
    blocked(&enter(&mut browser, &page, ALICE, PASSWORD).await, 1);
    let mut elsewhere = app.browser();
    elsewhere.peer = "192.0.2.2".into();
    let other = sign_in_page(&mut elsewhere, &client, &[]).await;
    assert_eq!(enter(&mut elsewhere, &other, ALICE, PASSWORD).await.status, 303);
    assert_eq!(enter(&mut browser, &page, "bob@example.com", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn neither_headers_nor_the_case_of_the_address_nor_another_browser_get_past_a_limit() {
    let (app, client, mut browser, page) = at_the_door().await;
    fail(&mut browser, &page, ALICE, 10).await;
    for header in
        ["x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip", "true-client-ip"]
    {
        let form = Form::of(&page);
        let (id, csrf) = (form.get("transaction"), form.get("csrf"));
        let fields = [
            ("transaction", id.as_str()),
            ("csrf", &csrf),
            ("email", ALICE),
            ("password", PASSWORD),
        ];
        let call = app.server.post("/signin").form(&fields).header(header, "198.51.100.1");
        blocked(&browser.send(call).await, 1);
    }
    blocked(&enter(&mut browser, &page, "ALICE@Example.com", PASSWORD).await, 1);
    let mut another = app.browser();
    let other = sign_in_page(&mut another, &client, &[]).await;
    blocked(&enter(&mut another, &other, ALICE, PASSWORD).await, 1);
}

#[tokio::test]
async fn after_a_hundred_failures_an_account_waits_wherever_the_attempt_comes_from() {
    let (app, client, _, _) = at_the_door().await;
    count_failures(&app, 99, |n| (ALICE.into(), format!("198.51.100.{n}"))).await;
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    fail(&mut browser, &page, ALICE, 1).await;
    for n in 1..4 {
        browser.peer = format!("203.0.113.{n}");
        blocked(&enter(&mut browser, &page, ALICE, PASSWORD).await, 1);
    }
    app.advance(1);
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
}

#[tokio::test]
async fn after_three_hundred_failures_an_address_waits_whatever_the_account() {
    let (app, client, _, _) = at_the_door().await;
    count_failures(&app, 299, |n| (format!("user{n}@example.com"), "192.0.2.1".into())).await;
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    fail(&mut browser, &page, "nobody@example.com", 1).await;
    blocked(&enter(&mut browser, &page, ALICE, PASSWORD).await, 1);
    blocked(&enter(&mut browser, &page, "other@example.com", PASSWORD).await, 1);
    browser.peer = "192.0.2.2".into();
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
}

#[tokio::test]
async fn the_whole_network_of_an_ipv6_address_is_one_address() {
    let (_, _, mut browser, page) = at_the_door().await;
    for n in 0..10 {
        browser.peer = format!("2001:db8:1:2:{n}::{n}");
        fail(&mut browser, &page, ALICE, 1).await;
    }
    browser.peer = "2001:db8:1:2:ffff::1".into();
    blocked(&enter(&mut browser, &page, ALICE, PASSWORD).await, 1);
    browser.peer = "2001:db8:1:3::1".into();
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
}

/// A page without what differs from request to request.
fn comparable(answer: &Answer, email: &str) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "x-request-id");
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}")));
    let form = Form::of(answer);
    let mut text = html(answer);
    for own in [email, &form.get("transaction"), &form.get("csrf")] {
        assert!(text.contains(own), "{text}");
        text = text.replace(own, "…");
    }
    (answer.status, headers.collect(), text)
}

/// What it costs to compare a password: KiB of memory times passes.
const COMPARISON: u64 = 19 * 1024 * 2;

#[tokio::test]
async fn nothing_tells_a_known_account_from_an_unknown_one() {
    let app = TestApp::start().await;
    align(&app);
    let client = app.public_client().await;
    app.alice().await;
    let disabled = app.user("disab@example.com", PASSWORD).await;
    change_user(&app, &disabled.id, json!({"isActive": false})).await;
    let without = json!({"email": "witho@example.com"});
    let created = app.admin("POST", "/admin/users").json(&without).send().await;
    assert_eq!(created.status, 201, "{}", created.json());

    // All of one length, for the page repeats them.
    let mut seen = Vec::new();
    for (email, password) in [
        (ALICE, "wrong password"),
        ("nobod@example.com", "wrong password"),
        (disabled.email.as_str(), PASSWORD),
        (disabled.email.as_str(), "wrong password"),
        ("witho@example.com", PASSWORD),
        ("no-address-at-all", PASSWORD),
        ("a bcd@example.com", PASSWORD),
    ] {
        let mut browser = app.browser();
        // Each from its own network, so that the two cases of the disabled user do not add up.
        browser.peer = format!("192.0.2.{}", seen.len());
        let page = sign_in_page(&mut browser, &client, &[]).await;
        let (mut answers, mut costs) = (Vec::new(), Vec::new());
        for n in 0..12 {
            let work = app.hasher.work();
            let answer = enter(&mut browser, &page, email, password).await;
            assert_eq!(answer.status, if n < 10 { 400 } else { 429 }, "{email}");
            answers.push(comparable(&answer, email));
            costs.push(app.hasher.work() - work);
        }
        // Who repeats the right password of a disabled user is spared the work, and knew it before.
        if password == PASSWORD && email == disabled.email {
            assert_eq!(costs[..2], [COMPARISON, 0]);
            costs[1..10].fill(COMPARISON);
        }
        seen.push((email, answers, costs));
    }
    let (_, pages, costs) = &seen[0];
    assert_eq!(costs, &[[COMPARISON; 10].as_slice(), &[0, 0]].concat());
    for (email, others, other_costs) in &seen {
        assert_eq!((others, other_costs), (pages, costs), "{email}");
    }
    assert_eq!(count(&app, "SESSION#"), 0);
    // Nor does a right password cost another work than a wrong one, the first time.
    app.advance(900);
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let work = app.hasher.work();
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
    assert_eq!(app.hasher.work() - work, COMPARISON);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_guesses_at_once_ten_are_looked_at() {
    let (app, _, browser, page) = at_the_door().await;
    let before = app.hasher.computations();
    let guesses = (0..50).map(|n| {
        let (mut browser, page) = (browser.clone(), page.clone());
        tokio::spawn(async move { enter(&mut browser, &page, ALICE, &format!("guess {n}")).await })
    });
    let mut statuses = Vec::new();
    for guess in guesses.collect::<Vec<_>>() {
        let answer = guess.await.unwrap();
        check_page(&answer, answer.status);
        statuses.push(answer.status);
    }
    let looked_at = statuses.iter().filter(|status| **status == 400).count();
    assert_eq!(app.hasher.computations() - before, looked_at as u64);
    assert_eq!(looked_at, 10);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 40);
    // And whoever was lucky among fifty at once would not be told.
    let mut browser = browser;
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 429);
}

#[tokio::test]
async fn a_password_that_cannot_be_one_costs_nothing() {
    let (app, _, mut browser, page) = at_the_door().await;
    let before = app.hasher.computations();
    check_page(&enter(&mut browser, &page, ALICE, &"x".repeat(1_000_000)).await, 413);
    check_page(&enter(&mut browser, &page, ALICE, &"x".repeat(60_000)).await, 400);
    check_page(&enter(&mut browser, &page, ALICE, &"x".repeat(1025)).await, 400);
    check_page(&enter(&mut browser, &page, ALICE, "a\u{0}b").await, 400);
    check_page(&enter(&mut browser, &page, ALICE, "a\nb").await, 400);
    let form = Form::of(&page);
    for raw in ["%c0%af", "%ff", "%ED%A0%80", "%", "%zz"] {
        let (id, csrf) = (form.get("transaction"), form.get("csrf"));
        let body = format!("transaction={id}&csrf={csrf}&email=alice%40example.com&password={raw}");
        let call = app.server.post("/signin").body("application/x-www-form-urlencoded", body);
        check_page(&browser.send(call).await, 400);
    }
    assert_eq!(app.hasher.computations(), before);
    // The longest one is looked at.
    check_page(&enter(&mut browser, &page, ALICE, &"x".repeat(1024)).await, 400);
    assert_eq!(app.hasher.computations(), before + 1);
    // An empty one, too: a guess is a guess.
    check_page(&enter(&mut browser, &page, ALICE, "").await, 400);
}
