//! Limits on guessing passwords: 10 failures of one account from one address in a quarter of an hour, 100 of one account
//! in a row, 300 from one address in a quarter of an hour. What a known browser may do is in `known_browsers`.

use identety_domain::limits::{Admission, SignInLimits};
use identety_tests::app::{TestApp, TestClient};
use identety_tests::browser::{Browser, Form, html};
use identety_tests::call::Answer;
use identety_tests::sign_in::PASSWORD;
use rstest::rstest;
use serde_json::json;

use super::steps::{
    SESSION, align, change_user, check_page, count, count_failures, enter, known_browser,
    sign_in_page,
};

const ALICE: &str = "alice@example.com";
const DAY: u64 = 86_400;

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
    let text = match seconds {
        1 => "Try again in 1 second.".to_owned(),
        ..120 => format!("Try again in {seconds} seconds."),
        _ => format!("Try again in {} minutes.", seconds.div_ceil(60)),
    };
    assert!(html(answer).contains(&text), "{}", html(answer));
}

/// Checks that time alone does not help.
#[track_caller]
fn locked(answer: &Answer) {
    check_page(answer, 429);
    assert_eq!(answer.header("retry-after"), "");
    assert_eq!(answer.header("set-cookie"), "");
    assert!(html(answer).contains("a browser that it does not know"), "{}", html(answer));
}

/// Failures that strangers at many addresses make in Alice's name.
async fn strangers(app: &TestApp, times: usize) -> usize {
    count_failures(app, times, |n| (ALICE.into(), format!("198.51.{}.{}", n / 250, n % 250))).await
}

#[tokio::test]
async fn after_ten_failures_even_the_right_password_is_refused_until_the_window_is_over() {
    let (app, _, mut browser, page) = at_the_door().await;
    fail(&mut browser, &page, ALICE, 10).await;
    let computations = app.hasher.computations();
    for (gone, left) in [(0, 900), (1, 899), (779, 120), (1, 119), (118, 1)] {
        app.advance(gone);
        for password in ["wrong password", PASSWORD] {
            blocked(&enter(&mut browser, &page, ALICE, password).await, left);
        }
    }
    assert_eq!(app.hasher.computations(), computations, "no password was looked at");
    assert_eq!(count(&app, "SESSION#"), 0);
    app.advance(1);
    fail(&mut browser, &page, ALICE, 9).await;
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
    assert!(browser.cookies.contains_key(SESSION));
}

#[tokio::test]
async fn the_right_password_does_not_count() {
    let (app, client, mut browser, page) = at_the_door().await;
    fail(&mut browser, &page, ALICE, 9).await;
    for _ in 0..12 {
        let mut another = app.browser();
        let page = sign_in_page(&mut another, &client, &[]).await;
        assert_eq!(enter(&mut another, &page, ALICE, PASSWORD).await.status, 303);
    }
    fail(&mut browser, &page, ALICE, 1).await;
    blocked(&enter(&mut browser, &page, ALICE, PASSWORD).await, 900);
}

#[tokio::test]
async fn other_accounts_and_other_addresses_are_not_concerned() {
    let (app, client, mut browser, page) = at_the_door().await;
    app.user("bob@example.com", PASSWORD).await;
    fail(&mut browser, &page, ALICE, 10).await;
    blocked(&enter(&mut browser, &page, ALICE, PASSWORD).await, 900);
    let mut elsewhere = app.browser();
    elsewhere.peer = "192.0.2.2".into();
    let other = sign_in_page(&mut elsewhere, &client, &[]).await;
    assert_eq!(enter(&mut elsewhere, &other, ALICE, PASSWORD).await.status, 303);
    assert_eq!(enter(&mut browser, &page, "bob@example.com", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn neither_headers_nor_another_spelling_nor_another_browser_get_past_a_limit() {
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
        blocked(&browser.send(call).await, 900);
    }
    for spelling in ["ALICE@Example.com", " alice@example.com ", "alice@ｅｘａｍｐｌｅ.com"]
    {
        blocked(&enter(&mut browser, &page, spelling, PASSWORD).await, 900);
    }
    let mut another = app.browser();
    let other = sign_in_page(&mut another, &client, &[]).await;
    blocked(&enter(&mut another, &other, ALICE, PASSWORD).await, 900);
}

#[rstest]
#[case(ALICE)]
#[case("nobody@example.com")]
#[tokio::test]
async fn after_a_hundred_failures_in_a_row_no_unknown_browser_gets_an_attempt(#[case] email: &str) {
    let (app, client, _, _) = at_the_door().await;
    let counted = count_failures(&app, 99, |n| (email.into(), format!("198.51.100.{n}"))).await;
    assert_eq!(counted, 99);
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    fail(&mut browser, &page, email, 1).await;
    let computations = app.hasher.computations();
    for n in 1..4 {
        browser.peer = format!("203.0.113.{n}");
        locked(&enter(&mut browser, &page, email, PASSWORD).await);
    }
    // Whatever the time, up to 30 days after the last failure.
    app.advance(30 * DAY - 1);
    let page = sign_in_page(&mut browser, &client, &[]).await;
    locked(&enter(&mut browser, &page, email, PASSWORD).await);
    assert_eq!(app.hasher.computations(), computations, "no password was looked at");
    app.advance(1);
    let answer = enter(&mut browser, &page, email, PASSWORD).await;
    assert_eq!(answer.status, if email == ALICE { 303 } else { 400 });
}

#[tokio::test]
async fn a_success_is_the_end_of_the_failures_in_a_row() {
    let (app, client, mut browser, page) = at_the_door().await;
    assert_eq!(strangers(&app, 99).await, 99);
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
    app.advance(900);
    assert_eq!(strangers(&app, 101).await, 100);
    // One of a browser that the account knows, too, which nobody has kept out.
    let page = sign_in_page(&mut browser, &client, &[("prompt", "login")]).await;
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
    let mut another = app.browser();
    another.peer = "192.0.2.9".into();
    let page = sign_in_page(&mut another, &client, &[]).await;
    assert_eq!(enter(&mut another, &page, ALICE, PASSWORD).await.status, 303);
}

#[tokio::test]
async fn over_its_limit_an_address_gets_one_attempt_a_second_and_one_a_minute_for_each_account() {
    let (app, client, mut browser, page) = at_the_door().await;
    app.user("bob@example.com", PASSWORD).await;
    let here = |n: usize| (format!("user{n}@example.com"), "192.0.2.1".to_owned());
    assert_eq!(count_failures(&app, 300, here).await, 300);
    // The first attempt over the limit begins the pauses.
    fail(&mut browser, &page, ALICE, 1).await;
    for email in [ALICE, "bob@example.com", "nobody@example.com"] {
        blocked(&enter(&mut browser, &page, email, PASSWORD).await, 1);
    }
    app.advance(1);
    blocked(&enter(&mut browser, &page, ALICE, PASSWORD).await, 59);
    blocked(&enter(&mut browser, &page, "nobody@example.com", PASSWORD).await, 1);
    app.advance(1);
    fail(&mut browser, &page, "nobody@example.com", 1).await;
    // Other addresses are not concerned.
    let mut elsewhere = app.browser();
    elsewhere.peer = "192.0.2.2".into();
    let other = sign_in_page(&mut elsewhere, &client, &[]).await;
    assert_eq!(enter(&mut elsewhere, &other, ALICE, PASSWORD).await.status, 303);
    app.advance(57);
    blocked(&enter(&mut browser, &page, ALICE, PASSWORD).await, 1);
    app.advance(1);
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
    // With the window, all that is over.
    app.advance(840);
    assert_eq!(count_failures(&app, 300, here).await, 300);
}

#[tokio::test]
async fn the_whole_network_of_an_ipv6_address_is_one_address() {
    let (_, _, mut browser, page) = at_the_door().await;
    for n in 0..10 {
        browser.peer = format!("2001:db8:1:2:{n}::{n}");
        fail(&mut browser, &page, ALICE, 1).await;
    }
    browser.peer = "2001:db8:1:2:ffff::1".into();
    blocked(&enter(&mut browser, &page, ALICE, PASSWORD).await, 900);
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
async fn nothing_tells_a_known_account_from_an_unknown_or_a_disabled_one() {
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
    // And the one who was lucky among fifty at once would not be told.
    let mut browser = browser;
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 429);
}

/// How many of `attempts` at once are admitted, none of which may fail.
async fn admitted_at_once(
    app: &TestApp,
    attempts: usize,
    who: impl Fn(usize) -> (String, String),
) -> usize {
    let attempts = (0..attempts).map(|n| {
        let limits = SignInLimits { attempts: app.stores.attempts.clone() };
        let (account, peer) = who(n);
        let mut context = app.context(&peer);
        tokio::spawn(async move { limits.admit(&mut context, &account).await })
    });
    let mut admitted = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        let admission = attempt.await.unwrap().expect("no attempt meets with a failure");
        admitted += usize::from(matches!(admission, Admission::Admitted(_)));
    }
    admitted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_two_thousand_attempts_at_once_no_more_get_past_a_limit_and_none_fails() {
    let (app, ..) = at_the_door().await;
    // At one account, from as many addresses.
    let at_one_account = |n: usize| (ALICE.into(), format!("198.{}.{}.1", n / 250, n % 250));
    assert_eq!(admitted_at_once(&app, 1000, at_one_account).await, 100);
    // From one address, at as many accounts: those within the limit, and the first one over it.
    let from_one_address = |n: usize| (format!("user{n}@example.com"), "203.0.113.1".to_owned());
    assert_eq!(admitted_at_once(&app, 1000, from_one_address).await, 301);
}

#[tokio::test]
async fn strangers_who_fail_three_hundred_times_keep_no_owner_out_of_a_browser_of_theirs() {
    let (app, client, _, _) = at_the_door().await;
    let (mut browser, page) = known_browser(&app, &client, ALICE).await;
    assert_eq!(strangers(&app, 300).await, 100);
    assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
}

#[tokio::test]
async fn a_flood_against_other_names_from_ones_own_address_costs_a_known_browser_nothing() {
    let (app, client, _, _) = at_the_door().await;
    let (mut browser, page) = known_browser(&app, &client, ALICE).await;
    let here = |n: usize| (format!("nobody{n}@example.com"), "192.0.2.1".to_owned());
    assert_eq!(count_failures(&app, 310, here).await, 301);
    for _ in 0..2 {
        fail(&mut browser, &page, ALICE, 1).await;
        let work = app.hasher.work();
        assert_eq!(enter(&mut browser, &page, ALICE, PASSWORD).await.status, 303);
        assert!(app.hasher.work() - work <= COMPARISON);
    }
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
