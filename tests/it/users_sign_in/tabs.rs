//! Several tabs of one browser: pairs of steps that come between each other, and what a cookie that another person
//! knows is worth.

use identety_tests::app::{TestApp, TestClient, TestUser};
use identety_tests::browser::{Browser, Form, html};
use identety_tests::call::Answer;
use identety_tests::sign_in::{PASSWORD, request};
use rstest::rstest;

use super::steps::{
    DEVICE, FOREIGN, REQUEST, SESSION, check_page, check_redirect, consent_page, count, decide,
    enter, is_consent, is_sign_in, request_cookie, request_secrets, sign_in_page, silently,
    transaction,
};

async fn start() -> (TestApp, TestClient, TestUser, Browser) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let browser = app.browser();
    (app, client, user, browser)
}

/// Signs in on a page, and gives the page that follows.
async fn sign_in(browser: &mut Browser, page: &Answer, user: &TestUser) -> Answer {
    browser.submit(page, &[("email", &user.email), ("password", PASSWORD)]).await.page()
}

/// Allows on a page, and checks that the code counts.
async fn allow(app: &TestApp, client: &TestClient, browser: &mut Browser, page: &Answer) {
    let landing = browser.submit(page, &[("decision", "allow")]).await.client();
    let tokens = app.redeem(client, &landing.get("code"), &[]).await;
    assert_eq!(tokens.status, 200, "{}", landing.url);
}

const LOGIN: [(&str, &str); 1] = [("prompt", "login consent")];

#[tokio::test]
async fn five_tabs_that_start_together_all_reach_the_client() {
    let (app, client, user, mut browser) = start().await;
    // None of them has a cookie when its request leaves.
    let mut pages = Vec::new();
    let mut cookies = browser.cookies.clone();
    for _ in 0..5 {
        let mut tab = app.browser();
        pages.push(sign_in_page(&mut tab, &client, &[("prompt", "consent")]).await);
        cookies.extend(tab.cookies);
    }
    browser.cookies = cookies;
    for page in &pages {
        let consent = sign_in(&mut browser, page, &user).await;
        assert!(is_consent(&consent), "{}", html(&consent));
        allow(&app, &client, &mut browser, &consent).await;
    }
}

#[tokio::test]
async fn two_sign_ins_in_two_tabs_both_count() {
    let (app, client, user, mut browser) = start().await;
    let one = sign_in_page(&mut browser, &client, &LOGIN).await;
    let two = sign_in_page(&mut browser, &client, &LOGIN).await;
    let one = sign_in(&mut browser, &one, &user).await;
    let two = sign_in(&mut browser, &two, &user).await;
    assert!(is_consent(&one) && is_consent(&two));
    // The first page belongs to the session before: it is shown again for the present one, and asks for no third
    // sign-in, for the user has signed in for this very request.
    let again = browser.submit(&one, &[("decision", "allow")]).await.page();
    assert!(is_consent(&again), "{}", html(&again));
    allow(&app, &client, &mut browser, &again).await;
    allow(&app, &client, &mut browser, &two).await;
}

#[tokio::test]
async fn a_consent_page_that_another_tabs_sign_in_has_overtaken_is_shown_again() {
    let (app, client, user, mut browser) = start().await;
    let consent = consent_page(&mut browser, &client, &user.email, &[]).await;
    let other = sign_in_page(&mut browser, &client, &LOGIN).await;
    let other = sign_in(&mut browser, &other, &user).await;
    for decision in ["allow", "deny"] {
        let again = browser.submit(&consent, &[("decision", decision)]).await.page();
        assert!(is_consent(&again), "{decision}: {}", html(&again));
        assert_eq!(count(&app, "GRANT#"), 0);
    }
    let again = browser.submit(&consent, &[("decision", "allow")]).await.page();
    allow(&app, &client, &mut browser, &again).await;
    allow(&app, &client, &mut browser, &other).await;
}

#[tokio::test]
async fn two_consents_in_two_tabs_both_count() {
    let (app, client, user, mut browser) = start().await;
    let one = consent_page(&mut browser, &client, &user.email, &[]).await;
    let two = browser.open(&request(&client, &[("prompt", "consent")])).await.page();
    allow(&app, &client, &mut browser, &two).await;
    allow(&app, &client, &mut browser, &one).await;
}

#[tokio::test]
async fn after_a_sign_out_in_another_tab_a_decision_leads_to_the_sign_in() {
    let (app, client, user, mut browser) = start().await;
    let consent = consent_page(&mut browser, &client, &user.email, &[]).await;
    let ask = browser.open("/signout").await.page();
    browser.submit(&ask, &[]).await.page();
    let page = browser.submit(&consent, &[("decision", "allow")]).await.page();
    assert!(is_sign_in(&page), "{}", html(&page));
    assert_eq!(count(&app, "GRANT#"), 0);
    let consent = sign_in(&mut browser, &page, &user).await;
    allow(&app, &client, &mut browser, &consent).await;
}

#[tokio::test]
async fn after_another_user_has_signed_in_a_decision_shows_that_users_page() {
    let (app, client, alice, mut browser) = start().await;
    let bob = app.user("bob@example.com", PASSWORD).await;
    let alices = consent_page(&mut browser, &client, &alice.email, &[]).await;
    let other = sign_in_page(&mut browser, &client, &LOGIN).await;
    sign_in(&mut browser, &other, &bob).await;
    for decision in ["allow", "deny"] {
        let page = browser.submit(&alices, &[("decision", decision)]).await.page();
        assert!(is_consent(&page), "{}", html(&page));
        assert!(html(&page).contains(&bob.email) && !html(&page).contains(&alice.email));
    }
    assert_eq!(count(&app, "GRANT#"), 0);
}

#[tokio::test]
async fn a_sign_out_page_of_another_session_is_shown_again() {
    let (app, client, alice, mut browser) = start().await;
    let bob = app.user("bob@example.com", PASSWORD).await;
    consent_page(&mut browser, &client, &alice.email, &[]).await;
    let ask = browser.open("/signout").await.page();
    let other = sign_in_page(&mut browser, &client, &LOGIN).await;
    sign_in(&mut browser, &other, &bob).await;
    let again = browser.submit(&ask, &[]).await.page();
    assert!(html(&again).contains(&bob.email), "{}", html(&again));
    assert_eq!(count(&app, "SESSION#"), 1);
    browser.submit(&again, &[]).await.page();
    assert_eq!(count(&app, "SESSION#"), 0);
}

#[tokio::test]
async fn the_answer_of_another_session_replaces_an_unused_code() {
    let (app, client, user, mut browser) = start().await;
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let consent = sign_in(&mut browser, &page, &user).await;
    let first = browser.submit(&consent, &[("decision", "allow")]).await.client();
    // The same form again is another session, which answers the same request.
    let shown = browser.submit(&page, &[("email", &user.email), ("password", PASSWORD)]).await;
    let second = shown.client();
    assert_ne!(first.get("code"), second.get("code"));
    let refused = app.redeem(&client, &first.get("code"), &[]).await;
    assert_eq!(refused.outcome(), (400, "invalid_grant".into()));
    assert_eq!(app.redeem(&client, &second.get("code"), &[]).await.status, 200);
}

#[tokio::test]
async fn a_denial_ends_an_unused_code_of_the_same_request() {
    let (app, client, user, mut browser) = start().await;
    let consent = consent_page(&mut browser, &client, &user.email, &[]).await;
    let allowed = browser.submit(&consent, &[("decision", "allow")]).await.client();
    let denied = browser.submit(&consent, &[("decision", "deny")]).await.client();
    assert_eq!(denied.get("error"), "access_denied");
    let refused = app.redeem(&client, &allowed.get("code"), &[]).await;
    assert_eq!(refused.outcome(), (400, "invalid_grant".into()));
}

#[tokio::test]
async fn of_two_sessions_that_answer_one_request_at_once_one_code_counts() {
    for _ in 0..20 {
        let (app, client, user, mut browser) = start().await;
        let page = sign_in_page(&mut browser, &client, &[("prompt", "consent")]).await;
        let mut other = browser.clone();
        let one = sign_in(&mut browser, &page, &user).await;
        let two = sign_in(&mut other, &page, &user).await;
        let decisions = [(browser, one), (other, two)].map(|(mut browser, page)| {
            tokio::spawn(async move { decide(&mut browser, &page, "allow").await })
        });
        let mut codes = Vec::new();
        for decision in decisions {
            let answer = decision.await.unwrap();
            check_redirect(&answer);
            let landing = app.browser().follow(answer).await.client();
            codes.push(landing.get("code"));
        }
        let mut redeemed = 0;
        for code in codes {
            redeemed += u32::from(app.redeem(&client, &code, &[]).await.status == 200);
        }
        assert_eq!(redeemed, 1);
    }
}

#[tokio::test]
async fn who_knows_the_cookie_of_a_request_gets_nothing_by_it() {
    let (app, client, user, mut browser) = start().await;
    let page = sign_in_page(&mut browser, &client, &[]).await;
    // The attacker has read it on a shared computer, before and after the sign-in.
    let mut attacker = app.browser();
    attacker.cookies = browser.cookies.clone();
    let consent = sign_in(&mut browser, &page, &user).await;
    let path = format!("/consent?transaction={}", transaction(&page));
    assert!(is_sign_in(&attacker.open(&path).await.page()));
    assert!(is_sign_in(&attacker.submit(&consent, &[("decision", "allow")]).await.page()));
    let landing = browser.submit(&consent, &[("decision", "allow")]).await.client();
    assert!(is_sign_in(&attacker.open(&path).await.page()));
    assert_eq!(count(&app, "GRANT#"), 1);
    assert_eq!(app.redeem(&client, &landing.get("code"), &[]).await.status, 200);
}

#[tokio::test]
async fn who_knows_a_former_session_cookie_gets_nothing_by_it() {
    let (app, client, user, mut browser) = start().await;
    app.code(&mut browser, &client, &user, &[]).await;
    let mut attacker = app.browser();
    attacker.cookies = browser.cookies.clone();
    let page = sign_in_page(&mut browser, &client, &LOGIN).await;
    attacker.cookies.insert(request_cookie(&page), browser.cookies[&request_cookie(&page)].clone());
    let consent = sign_in(&mut browser, &page, &user).await;
    assert!(is_sign_in(&attacker.submit(&consent, &[("decision", "allow")]).await.page()));
    let path = format!("/consent?transaction={}", transaction(&page));
    assert!(is_sign_in(&attacker.open(&path).await.page()));
    allow(&app, &client, &mut browser, &consent).await;
}

#[rstest]
#[case::en_quad("\u{2000}")]
#[case::no_break_space("\u{a0}")]
#[case::ideographic_space("\u{3000}")]
#[case::line_separator("\u{2028}")]
#[case::next_line("\u{85}")]
#[tokio::test]
async fn a_cookie_that_looks_like_a_guarded_one_is_another(#[case] space: &str) {
    let (app, client, alice, mut browser) = start().await;
    let mallory = app.user("mallory@example.com", PASSWORD).await;
    let mut attacker = app.browser();
    app.code(&mut attacker, &client, &mallory, &[]).await;
    let planted = attacker.cookies[SESSION].clone();
    app.code(&mut browser, &client, &alice, &[]).await;
    let genuine = browser.cookies[SESSION].clone();
    // A sibling host has set its look-alike for the whole domain, and the browser sends it first.
    let line = format!("{space}{SESSION}={planted}; {SESSION}={genuine}");
    let call = app.server.get("/signout").header("cookie", &line);
    let page = call.send().await;
    assert!(html(&page).contains(&alice.email), "{}", html(&page));
    let call = app.server.get("/signout").header("cookie", &format!("{space}{SESSION}={planted}"));
    assert!(html(&call.send().await).contains("You are signed out"));
}

#[tokio::test]
async fn a_guarded_cookie_that_comes_twice_counts_as_absent() {
    let (app, client, user, mut browser) = start().await;
    app.code(&mut browser, &client, &user, &[]).await;
    let session = browser.cookies[SESSION].clone();
    for line in [
        format!("{SESSION}={session}; {SESSION}={session}"),
        format!("{SESSION}=other; {SESSION}={session}"),
        format!("{SESSION}={session}; {SESSION}=other"),
    ] {
        let page = app.server.get("/signout").header("cookie", &line).send().await;
        assert!(html(&page).contains("You are signed out"), "{line}");
    }
    // So is the cookie of a request.
    let page = sign_in_page(&mut browser, &client, &[("prompt", "login")]).await;
    let (name, id) = (request_cookie(&page), transaction(&page));
    let value = browser.cookies[&name].clone();
    let line = format!("{name}={value}; {name}={value}");
    let path = format!("/signin?transaction={id}");
    check_page(&app.server.get(&path).header("cookie", &line).send().await, 400);
    let once = format!("{name}={value}");
    assert!(is_sign_in(&app.server.get(&path).header("cookie", &once).send().await));
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing_even_with_the_right_tokens() {
    let (app, client, user, mut browser) = start().await;
    for (name, value) in FOREIGN {
        let page = sign_in_page(&mut browser, &client, &[("prompt", "login")]).await;
        let posted = foreign(&app, &mut browser, &page, "/signin", (name, value)).await;
        check_page(&posted, 403);
        assert!(!browser.cookies.contains_key(SESSION));
        let mut own = app.browser();
        let page = consent_page(&mut own, &client, &user.email, &[]).await;
        check_page(&foreign(&app, &mut own, &page, "/consent", (name, value)).await, 403);
        assert_eq!(count(&app, "GRANT#"), 0);
        check_redirect(&decide(&mut own, &page, "deny").await);
    }
}

/// Sends the form of a page, with everything that belongs into it, from a page of another site.
async fn foreign(
    app: &TestApp,
    browser: &mut Browser,
    page: &Answer,
    path: &str,
    (name, value): (&str, &str),
) -> Answer {
    let hidden = Form::of(page).hidden;
    let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let entered = match path {
        "/signin" => vec![("email", "alice@example.com"), ("password", PASSWORD)],
        _ => vec![("decision", "allow")],
    };
    let fields: Vec<_> = hidden.chain(entered).collect();
    let call = app.server.post(path).form(&fields).header(name, value);
    browser.send(call).await
}

#[tokio::test]
async fn a_browser_holds_at_most_eight_requests_and_the_oldest_goes() {
    let (app, client, user, mut browser) = start().await;
    let mut pages = Vec::new();
    for _ in 0..12 {
        pages.push(sign_in_page(&mut browser, &client, &[("prompt", "consent")]).await);
        app.advance(1);
        assert!(request_secrets(&browser).len() <= 8);
    }
    let bytes: usize =
        browser.cookies.iter().map(|(name, value)| name.len() + value.len() + 3).sum();
    assert!(bytes < 2000, "{bytes}");
    for (page, at) in pages.iter().zip(0..) {
        let is_held = browser.cookies.contains_key(&request_cookie(page));
        assert_eq!(is_held, at >= 4, "{at}");
        let entered = enter(&mut browser, page, &user.email, PASSWORD).await;
        assert_eq!(entered.status, if is_held { 303 } else { 403 }, "{at}");
    }
}

#[tokio::test]
async fn a_request_that_needs_no_page_leaves_no_cookie_and_gets_a_code_that_nothing_repeats() {
    let (app, client, user, mut browser) = start().await;
    app.code(&mut browser, &client, &user, &[]).await;
    let held = request_secrets(&browser);
    let (one, two) =
        (silently(&mut browser, &client, &[]).await, silently(&mut browser, &client, &[]).await);
    assert_ne!(one.get("code"), two.get("code"));
    assert_eq!(request_secrets(&browser), held);
    let others = browser.cookies.keys().filter(|name| !name.starts_with(REQUEST));
    assert_eq!(others.collect::<Vec<_>>(), [DEVICE, SESSION]);
    for landing in [one, two] {
        assert_eq!(app.redeem(&client, &landing.get("code"), &[]).await.status, 200);
    }
}
