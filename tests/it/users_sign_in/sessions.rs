//! Sessions: their cookies, their ends, and whose they are.

use http::header::SET_COOKIE;
use identety_domain::session::SessionSecret;
use identety_tests::app::{ISSUER, Setup, TestApp, TestClient, TestUser};
use identety_tests::browser::{Browser, Form, html};
use identety_tests::call::Answer;
use identety_tests::sign_in::{PASSWORD, request};
use rstest::rstest;
use serde_json::json;

use super::steps::{
    SESSION, change_user, check_page, check_redirect, consent_page, count, decide, delete, enter,
    forget_expired, is_sign_in, set_password, sign_in_page, silently, transaction,
};

/// The cookies that an answer sets, values replaced by `V`.
fn cookies(answer: &Answer) -> Vec<String> {
    let lines = answer.headers.get_all(SET_COOKIE).iter();
    let lines = lines.map(|line| line.to_str().unwrap().split_once('=').unwrap());
    let shown = lines.map(|(name, rest)| {
        let (value, attributes) = rest.split_once(';').unwrap();
        let value = if value.is_empty() { "" } else { "V" };
        format!("{name}={value};{attributes}")
    });
    shown.collect()
}

#[rstest]
#[case(ISSUER, "__Host-", "; Secure")]
#[case("http://127.0.0.1:8080", "", "")]
#[case("http://localhost:8080", "", "")]
#[tokio::test]
async fn cookies_are_for_this_host_alone_and_no_script_sees_them(
    #[case] issuer: &'static str,
    #[case] prefix: &str,
    #[case] secure: &str,
) {
    let app = TestApp::start_as(Setup { issuer, ..Setup::default() }, |stores| stores).await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let first = browser.get(&request(&client, &[])).await;
    let set = cookies(&first);
    let page = browser.follow(first).await.page();
    let waiting = format!(
        "{prefix}identety-request-{}=V; HttpOnly; SameSite=Lax{secure}; Path=/; Max-Age=86400",
        transaction(&page)
    );
    assert_eq!(set, [waiting]);
    assert_eq!(cookies(&page), Vec::<String>::new());
    let entered = enter(&mut browser, &page, &user.email, PASSWORD).await;
    let session = format!(
        "{prefix}identety-session=V; HttpOnly; SameSite=Lax{secure}; Path=/; Max-Age=34560000"
    );
    let device = format!(
        "{prefix}identety-device=V; HttpOnly; SameSite=Lax{secure}; Path=/; Max-Age=15552000"
    );
    assert_eq!(cookies(&entered), [session, device]);
    // A wrong password gives none.
    let mut other = app.browser();
    let page = sign_in_page(&mut other, &client, &[]).await;
    assert_eq!(cookies(&enter(&mut other, &page, &user.email, "wrong password").await), [""; 0]);
    // Signing out takes the session away, and the account still knows the browser.
    let ask = browser.open("/signout").await.page();
    let out = browser.submit_once(&ask, &[]).await;
    let gone =
        format!("{prefix}identety-session=; HttpOnly; SameSite=Lax{secure}; Path=/; Max-Age=0");
    assert_eq!(cookies(&out), [gone]);
}

#[tokio::test]
async fn with_an_https_issuer_a_cookie_without_the_prefix_is_nothing() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    let session = browser.cookies.remove(SESSION).unwrap();
    browser.cookies.insert("identety-session".into(), session);
    assert_eq!(silently(&mut browser, &client, &[]).await.get("error"), "login_required");
}

#[tokio::test]
async fn a_session_that_somebody_planted_is_not_adopted() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let planted = "A".repeat(43);
    for value in [planted.as_str(), "short", "", "AAAA AAAA", "é"] {
        let mut browser = app.browser();
        browser.cookies.insert(SESSION.into(), value.to_owned());
        let page = sign_in_page(&mut browser, &client, &[]).await;
        enter(&mut browser, &page, &user.email, PASSWORD).await;
        assert_ne!(browser.cookies[SESSION], value);
        let mut attacker = app.browser();
        attacker.cookies.insert(SESSION.into(), value.to_owned());
        let silent = silently(&mut attacker, &client, &[]).await;
        assert_eq!(silent.get("error"), "login_required", "{value}");
    }
}

#[tokio::test]
async fn cookies_of_other_sites_of_the_domain_do_no_harm() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    for (name, value) in [("a", "\u{e9}"), ("z", "x=y"), ("identety-session", "x"), ("empty", "")] {
        browser.cookies.insert(name.into(), value.into());
    }
    app.code(&mut browser, &client, &user, &[]).await;
    assert_ne!(silently(&mut browser, &client, &[]).await.get("code"), "");
}

#[tokio::test]
async fn the_secret_of_a_session_changes_with_each_sign_in_and_the_old_one_is_worthless() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    let mut old = browser.clone();
    let page = sign_in_page(&mut browser, &client, &[("prompt", "login")]).await;
    enter(&mut browser, &page, &user.email, PASSWORD).await;
    assert_ne!(browser.cookies[SESSION], old.cookies[SESSION]);
    assert_eq!(silently(&mut old, &client, &[]).await.get("error"), "login_required");
    assert_ne!(silently(&mut browser, &client, &[]).await.get("code"), "");
    assert_eq!(count(&app, "SESSION#"), 1);
}

#[tokio::test]
async fn a_sign_in_that_is_sent_twice_goes_on_under_the_id_that_grants_end_with() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let code = app.code(&mut browser, &client, &user, &[]).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    let page = sign_in_page(&mut browser, &client, &[("prompt", "login")]).await;
    // Two clicks: the second form leaves with the cookies that the first one left with.
    let mut first = browser.clone();
    enter(&mut first, &page, &user.email, PASSWORD).await;
    enter(&mut browser, &page, &user.email, PASSWORD).await;
    assert_ne!(browser.cookies[SESSION], first.cookies[SESSION]);
    // What was granted before still ends with the sign-out.
    let page = browser.open("/signout").await.page();
    browser.submit(&page, &[]).await.page();
    let refused = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(refused.outcome(), (400, "invalid_grant".into()));
}

#[tokio::test]
async fn the_session_of_another_user_is_over_when_somebody_signs_in_on_top_of_it() {
    let app = TestApp::start().await;
    let (client, alice) = (app.public_client().await, app.alice().await);
    let mallory = app.user("mallory@example.com", PASSWORD).await;
    // Mallory plants a session of her own …
    let mut attacker = app.browser();
    app.code(&mut attacker, &client, &mallory, &[]).await;
    let mut browser = app.browser();
    browser.cookies.insert(SESSION.into(), attacker.cookies[SESSION].clone());
    // … on top of which Alice signs in.
    let page = sign_in_page(&mut browser, &client, &[("prompt", "login")]).await;
    enter(&mut browser, &page, &alice.email, PASSWORD).await;
    assert_ne!(browser.cookies[SESSION], attacker.cookies[SESSION]);
    assert_eq!(silently(&mut attacker, &client, &[]).await.get("error"), "login_required");
}

/// The tokens of a code that the browser gets.
async fn tokens(
    app: &TestApp,
    browser: &mut Browser,
    client: &TestClient,
    user: &TestUser,
    changes: &[(&str, &str)],
) -> Answer {
    let code = app.code(browser, client, user, changes).await;
    app.redeem(client, &code, &[]).await
}

const OFFLINE: [(&str, &str); 1] = [("scope", "openid offline_access")];

#[tokio::test]
async fn a_user_who_signs_in_again_keeps_the_grants_and_ends_them_by_signing_out() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let first = tokens(&app, &mut browser, &client, &user, &[]).await;
    let second = tokens(&app, &mut browser, &client, &user, &[("prompt", "login")]).await;
    // Even after a day of rest, it is the same browser and the same user.
    app.advance(86_400);
    let third = tokens(&app, &mut browser, &client, &user, &[]).await;
    let offline = tokens(&app, &mut browser, &client, &user, &OFFLINE).await;
    let mut tokens = Vec::new();
    for answer in [first, second, third] {
        let next = app.refresh(&client, &answer.text("refresh_token"), &[]).await;
        assert_eq!(next.status, 200, "{}", next.json());
        tokens.push(next);
    }
    let ask = browser.open("/signout").await.page();
    browser.submit(&ask, &[]).await.page();
    for answer in tokens {
        let refused = app.refresh(&client, &answer.text("refresh_token"), &[]).await;
        assert_eq!(refused.outcome(), (400, "invalid_grant".into()));
        assert_eq!(app.userinfo(&answer.text("access_token")).await.status, 401);
    }
    assert_eq!(app.refresh(&client, &offline.text("refresh_token"), &[]).await.status, 200);
}

#[tokio::test]
async fn another_user_who_signs_in_ends_the_grants_of_the_former_but_those_for_offline_use() {
    let app = TestApp::start().await;
    let (client, alice) = (app.public_client().await, app.alice().await);
    let bob = app.user("bob@example.com", PASSWORD).await;
    for pause in [0, 86_400] {
        let mut browser = app.browser();
        let online = tokens(&app, &mut browser, &client, &alice, &[]).await;
        let offline = tokens(&app, &mut browser, &client, &alice, &OFFLINE).await;
        app.advance(pause);
        let bobs = tokens(&app, &mut browser, &client, &bob, &[("prompt", "login")]).await;
        let refused = app.refresh(&client, &online.text("refresh_token"), &[]).await;
        assert_eq!(refused.outcome(), (400, "invalid_grant".into()), "{pause}");
        for kept in [offline, bobs] {
            let kept = app.refresh(&client, &kept.text("refresh_token"), &[]).await;
            assert_eq!(kept.status, 200, "{pause}");
        }
    }
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends_after_a_day() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    for _ in 0..3 {
        app.advance(86_399);
        assert_ne!(silently(&mut browser, &client, &[]).await.get("code"), "");
    }
    app.advance(86_400);
    assert_eq!(silently(&mut browser, &client, &[]).await.get("error"), "login_required");
    assert!(is_sign_in(&browser.open(&request(&client, &[])).await.page()));
}

#[tokio::test]
async fn a_session_ends_a_week_after_the_sign_in_however_it_is_used() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    for _ in 0..13 {
        app.advance(43_200);
        assert_ne!(silently(&mut browser, &client, &[]).await.get("code"), "");
    }
    app.advance(43_199);
    assert_ne!(silently(&mut browser, &client, &[]).await.get("code"), "");
    app.advance(1);
    assert_eq!(silently(&mut browser, &client, &[]).await.get("error"), "login_required");
}

#[tokio::test]
async fn the_use_of_a_session_is_written_down_every_five_minutes_at_most() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    let key = SessionSecret::parse(&browser.cookies[SESSION]).unwrap().key();
    let last_seen =
        async || app.stores.sessions.find_session(&key).await.unwrap().unwrap().last_seen_at;
    let began = app.now();
    app.advance(299);
    silently(&mut browser, &client, &[]).await;
    assert_eq!(last_seen().await, began);
    app.advance(1);
    silently(&mut browser, &client, &[]).await;
    assert_eq!(last_seen().await, began.plus(300));
}

#[rstest]
#[case("password")]
#[case("disabled")]
#[case("deleted")]
#[tokio::test]
async fn what_the_administrator_changes_ends_sessions_grants_and_codes(#[case] change: &str) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let (mut browser, mut consenting) = (app.browser(), app.browser());
    let offline = tokens(&app, &mut browser, &client, &user, &OFFLINE).await;
    let code = app.code(&mut browser, &client, &user, &[]).await;
    let changes = [("prompt", "consent")];
    let page = consent_page(&mut consenting, &client, &user.email, &changes).await;
    app.advance(1);
    match change {
        "password" => set_password(&app, &user.id, "another password").await,
        "disabled" => change_user(&app, &user.id, json!({"isActive": false})).await,
        _ => delete(&app, "users", &user.id).await,
    }
    assert_eq!(silently(&mut browser, &client, &[]).await.get("error"), "login_required");
    assert_eq!(app.redeem(&client, &code, &[]).await.outcome(), (400, "invalid_grant".into()));
    let refused = app.refresh(&client, &offline.text("refresh_token"), &[]).await;
    assert_eq!(refused.outcome(), (400, "invalid_grant".into()));
    let codes = count(&app, "GRANT#");
    let answer = decide(&mut consenting, &page, "allow").await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").starts_with(&format!("{ISSUER}/signin?")));
    assert_eq!(count(&app, "GRANT#"), codes);
    // The old password opens nothing any more.
    let page = sign_in_page(&mut browser, &client, &[]).await;
    assert_eq!(enter(&mut browser, &page, &user.email, PASSWORD).await.status, 400);
    let entered = enter(&mut browser, &page, &user.email, "another password").await;
    assert_eq!(entered.status, if change == "password" { 303 } else { 400 });
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server_too() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    let mut kept = browser.clone();
    let ask = browser.open("/signout").await.page();
    let out = browser.submit_once(&ask, &[]).await;
    assert_eq!(out.status, 303);
    assert!(!browser.cookies.contains_key(SESSION));
    assert_eq!(count(&app, "SESSION#"), 0);
    assert_eq!(silently(&mut kept, &client, &[]).await.get("error"), "login_required");
}

/// Lets 80 days pass, in which an app goes on and nobody uses the browser.
async fn eighty_days_later(app: &TestApp, client: &TestClient, mut tokens: Answer) -> Answer {
    for _ in 0..8 {
        app.advance(10 * 86_400);
        forget_expired(app);
        tokens = app.refresh(client, &tokens.text("refresh_token"), &[]).await;
        assert_eq!(tokens.status, 200, "{}", tokens.json());
    }
    tokens
}

#[tokio::test]
async fn who_signs_out_long_after_the_session_has_expired_ends_the_grants_that_went_on() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let online = tokens(&app, &mut browser, &client, &user, &[]).await;
    let online = eighty_days_later(&app, &client, online).await;
    assert_eq!(silently(&mut browser, &client, &[]).await.get("error"), "login_required");
    let ask = browser.open("/signout").await.page();
    check_page(&ask, 200);
    assert!(!html(&ask).contains(&user.email), "whoever sits there now");
    let done = browser.submit(&ask, &[]).await.page();
    assert!(html(&done).contains("You are signed out"));
    app.assert_dead(&client, &[&online]).await;
    // There is nothing left to ask about.
    assert!(html(&browser.open("/signout").await.page()).contains("You are signed out"));
}

#[tokio::test]
async fn who_signs_in_again_long_after_ends_by_signing_out_what_was_granted_before() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let first = tokens(&app, &mut browser, &client, &user, &[]).await;
    let first = eighty_days_later(&app, &client, first).await;
    let second = tokens(&app, &mut browser, &client, &user, &[]).await;
    app.assert_alive(&client, &first).await;
    let ask = browser.open("/signout").await.page();
    browser.submit(&ask, &[]).await.page();
    app.assert_dead(&client, &[&first, &second]).await;
}

#[tokio::test]
async fn somebody_else_who_signs_in_long_after_ends_what_the_former_user_granted() {
    let app = TestApp::start().await;
    let (client, alice) = (app.public_client().await, app.alice().await);
    let bob = app.user("bob@example.com", PASSWORD).await;
    let mut browser = app.browser();
    let alices = tokens(&app, &mut browser, &client, &alice, &[]).await;
    let alices = eighty_days_later(&app, &client, alices).await;
    let bobs = tokens(&app, &mut browser, &client, &bob, &[]).await;
    app.assert_dead(&client, &[&alices]).await;
    app.assert_alive(&client, &bobs).await;
}

#[tokio::test]
async fn a_code_that_was_not_used_yet_ends_with_its_session() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = consent_page(&mut browser, &client, &user.email, &[]).await;
    let allowed = decide(&mut browser, &page, "allow").await;
    check_redirect(&allowed);
    let code = browser.follow(allowed).await.client().get("code");
    let ask = browser.open("/signout").await.page();
    browser.submit(&ask, &[]).await.page();
    assert_eq!(app.redeem(&client, &code, &[]).await.outcome(), (400, "invalid_grant".into()));
}

#[tokio::test]
async fn a_session_says_when_where_and_with_what_its_user_signed_in() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    browser.peer = "198.51.100.7".to_owned();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let form = Form::of(&page).hidden;
    let hidden = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let fields: Vec<_> =
        hidden.chain([("email", user.email.as_str()), ("password", PASSWORD)]).collect();
    let call = app.server.post("/signin").form(&fields).header("user-agent", "Firefox/150");
    assert_eq!(browser.send(call).await.status, 303);
    let began = app.now();
    app.advance(300);
    silently(&mut browser, &client, &[]).await;
    let sessions = app.stores.sessions.sessions_of(user.id.parse().unwrap(), None, 10).await;
    let sessions = sessions.unwrap();
    let [session] = &sessions[..] else { panic!("{sessions:?}") };
    assert_eq!(session.user_agent.as_deref(), Some("Firefox/150"));
    assert_eq!(session.address, "198.51.100.7");
    assert_eq!(session.authentication.time, began);
    assert_eq!(session.authentication.amr, ["pwd"]);
    assert_eq!(session.last_seen_at, app.now());
}
