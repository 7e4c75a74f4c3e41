//! What browsers see when a store fails: the truth, and nothing half done.

use identety_domain::hashing::HashCost;
use identety_domain::store::Rehashed;
use identety_tests::app::TestApp;
use identety_tests::browser::{Browser, html};
use identety_tests::call::Answer;
use identety_tests::faults::{Fault, Which};
use identety_tests::sign_in::{PASSWORD, request};
use rstest::rstest;

use super::verbs::{How, Verb, faulty_app};
use crate::users_sign_in::steps::{
    SESSION, check_answer, check_page, check_redirect, consent_page, count, decide, enter,
    sign_in_page, silently, transaction,
};

/// Checks the page that says that the server failed, or is busy.
#[track_caller]
fn check_failure(page: &Answer, how: How) {
    let (status, retry_after) = match how {
        How::Unavailable | How::AnswerLost => (503, "1"),
        How::Corrupt => (500, ""),
    };
    check_page(page, status);
    assert_eq!(page.header("retry-after"), retry_after);
    assert!(html(page).contains(page.header("x-request-id")), "an id to quote");
    assert!(!html(page).contains("injected"), "{}", html(page));
    assert_eq!(page.header("set-cookie"), "");
}

/// Checks that the client hears of the failure.
async fn check_told(app: &TestApp, browser: &mut Browser, answer: Answer, how: How) {
    check_redirect(&answer);
    let landing = browser.follow(answer).await.client();
    check_answer(app, &landing);
    let error = match how {
        How::Unavailable | How::AnswerLost => "temporarily_unavailable",
        How::Corrupt => "server_error",
    };
    assert_eq!(landing.get("error"), error);
    assert_eq!(landing.get("state"), "the state");
    assert!(!landing.url.contains("injected"));
}

#[rstest]
#[case(How::Unavailable)]
#[case(How::Corrupt)]
#[tokio::test]
async fn before_the_client_is_known_a_store_that_fails_is_a_page(#[case] how: How) {
    let (app, fault) = faulty_app().await;
    let client = app.public_client().await;
    fault.set((Verb::FindClient, how));
    check_failure(&app.browser().get(&request(&client, &[])).await, how);
    check_failure(&app.browser().get(&request(&client, &[("prompt", "none")])).await, how);
    fault.clear();
    sign_in_page(&mut app.browser(), &client, &[]).await;
}

#[rstest]
#[case(Verb::FindSession, &[])]
#[case(Verb::FindUser, &[])]
#[case(Verb::Consented, &[])]
#[case(Verb::CreateGrant, &[])]
#[case(Verb::CreateTransaction, &[("prompt", "login")])]
#[case(Verb::CreateTransaction, &[("prompt", "consent")])]
#[tokio::test]
async fn once_it_is_known_where_to_answer_the_client_hears_it(
    #[case] verb: Verb,
    #[case] changes: &[(&str, &str)],
    #[values(How::Unavailable, How::Corrupt)] how: How,
) {
    let (app, fault) = faulty_app().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    let grants = count(&app, "GRANT#");
    fault.set((verb, how));
    let answer = browser.get(&request(&client, changes)).await;
    check_told(&app, &mut browser, answer, how).await;
    fault.clear();
    assert_eq!(count(&app, "GRANT#"), grants);
    assert_ne!(silently(&mut browser, &client, &[]).await.get("code"), "");
}

#[rstest]
#[case(Verb::FindTransaction)]
#[case(Verb::FindClient)]
#[case(Verb::FindAttempts)]
#[case(Verb::CountAttempt)]
#[case(Verb::FindUserByEmail)]
#[case(Verb::UncountAttempt)]
#[case(Verb::CreateSession)]
#[case(Verb::FindUser)]
#[tokio::test]
async fn a_sign_in_that_cannot_be_finished_is_none(
    #[case] verb: Verb,
    #[values(How::Unavailable, How::Corrupt)] how: How,
) {
    let (app, fault) = faulty_app().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    fault.set((verb, how));
    check_failure(&enter(&mut browser, &page, &user.email, PASSWORD).await, how);
    assert!(!browser.cookies.contains_key(SESSION));
    fault.clear();
    assert_eq!(silently(&mut browser, &client, &[]).await.get("error"), "login_required");
    // The same page can be sent again.
    assert_eq!(enter(&mut browser, &page, &user.email, PASSWORD).await.status, 303);
}

#[rstest]
#[case(Verb::FindSession)]
#[case(Verb::FindUser)]
#[case(Verb::Consented)]
#[case(Verb::AnswerTransaction)]
#[tokio::test]
async fn after_the_sign_in_a_page_that_fails_can_be_loaded_again(
    #[case] verb: Verb,
    #[values(How::Unavailable, How::Corrupt)] how: How,
) {
    let (app, fault) = faulty_app().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    app.code(&mut app.browser(), &client, &user, &[]).await;
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let entered = enter(&mut browser, &page, &user.email, PASSWORD).await;
    fault.set((verb, how));
    check_failure(&browser.get(entered.header("location")).await, how);
    assert_eq!(count(&app, "GRANT#"), 1);
    fault.clear();
    let landing = browser.follow(entered).await.client();
    assert_ne!(landing.get("code"), "");
}

#[rstest]
#[case(Fault::CutBefore)]
#[case(Fault::Refused("AccessDeniedException"))]
#[tokio::test]
async fn a_right_password_counts_whether_or_not_its_new_hash_can_be_written_down(
    #[case] fault: Fault,
) {
    let (app, failing) = faulty_app().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let (users, id) = (&app.stores.users, user.id.parse().unwrap());
    let hash = async || users.find(id).await.unwrap().unwrap().password.unwrap().phc;
    // As if the cost of passwords had been lower when this one was set.
    let from = hash().await;
    let mut rng = identety_http::ambient::rng().unwrap();
    let cheap = app.hasher.hash(&PASSWORD.into(), HashCost::Generated, &mut rng).unwrap();
    users.record_rehash(id, Rehashed { from: &from, to: &cheap }).await.unwrap();

    failing.0.set(Which::writes().of("USER#"), fault);
    app.code(&mut app.browser(), &client, &user, &[]).await;
    failing.clear();
    assert_eq!(hash().await, cheap);
    // The next sign-in tries again.
    app.code(&mut app.browser(), &client, &user, &[]).await;
    assert_ne!(hash().await, cheap);
}

#[rstest]
#[case(Verb::FindAttempts)]
#[case(Verb::CountAttempt)]
#[tokio::test]
async fn an_attempt_that_cannot_be_counted_is_not_looked_at(#[case] verb: Verb) {
    let (app, fault) = faulty_app().await;
    app.advance(900 - app.now().seconds() % 900);
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    fault.set((verb, How::Unavailable));
    let computations = app.hasher.computations();
    for password in ["wrong password", PASSWORD] {
        check_failure(&enter(&mut browser, &page, &user.email, password).await, How::Unavailable);
    }
    let register = browser.get(&format!("/register?transaction={}", transaction(&page))).await;
    let fields = [("email", "new@example.com"), ("password", PASSWORD)];
    check_failure(&browser.submit_once(&register, &fields).await, How::Unavailable);
    assert_eq!(app.hasher.computations(), computations);
    assert_eq!(count(&app, "SESSION#"), 0);
    assert_eq!(app.stores.users.count().await.unwrap(), 1);
}

#[rstest]
#[case("allow", Verb::FindTransaction)]
#[case("allow", Verb::FindClient)]
#[case("allow", Verb::FindSession)]
#[case("allow", Verb::FindUser)]
#[case("allow", Verb::Consented)]
#[case("allow", Verb::Consent)]
#[case("allow", Verb::AnswerTransaction)]
#[case("deny", Verb::AnswerTransaction)]
#[tokio::test]
async fn a_decision_that_cannot_be_written_down_can_be_made_again(
    #[case] decision: &str,
    #[case] verb: Verb,
    #[values(How::Unavailable, How::Corrupt)] how: How,
) {
    let (app, fault) = faulty_app().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = consent_page(&mut browser, &client, &user.email, &[]).await;
    fault.set((verb, how));
    check_failure(&decide(&mut browser, &page, decision).await, how);
    assert_eq!(count(&app, "GRANT#"), 0);
    fault.clear();
    let answer = decide(&mut browser, &page, decision).await;
    check_redirect(&answer);
    let landing = browser.follow(answer).await.client();
    let error = if decision == "allow" { "" } else { "access_denied" };
    assert_eq!(landing.get("error"), error);
    assert_eq!(count(&app, "GRANT#"), usize::from(decision == "allow"));
}

#[rstest]
#[case("allow")]
#[case("deny")]
#[tokio::test]
async fn a_decision_whose_answer_was_lost_is_repeated_and_is_one(#[case] decision: &str) {
    let (app, fault) = faulty_app().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = consent_page(&mut browser, &client, &user.email, &[]).await;
    fault.0.set_times(1, Which::writes().of("TRANSACTION#"), Fault::CutAfter);
    let answer = decide(&mut browser, &page, decision).await;
    check_redirect(&answer);
    let landing = browser.follow(answer).await.client();
    if decision == "allow" {
        assert_eq!(app.redeem(&client, &landing.get("code"), &[]).await.status, 200);
    } else {
        assert_eq!(landing.get("error"), "access_denied");
    }
    assert_eq!(count(&app, "GRANT#"), usize::from(decision == "allow"));
}

#[rstest]
#[case("signin")]
#[case("consent")]
#[case("register")]
#[tokio::test]
async fn a_page_that_cannot_be_shown_says_so(
    #[case] path: &str,
    #[values(How::Unavailable, How::Corrupt)] how: How,
) {
    let (app, fault) = faulty_app().await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let path = format!("/{path}?transaction={}", transaction(&page));
    for verb in [Verb::FindTransaction, Verb::FindClient] {
        fault.set((verb, how));
        check_failure(&browser.get(&path).await, how);
    }
    fault.clear();
    assert!(matches!(browser.get(&path).await.status, 200 | 303));
}

#[rstest]
#[case(Verb::CreateUser, 0)]
#[case(Verb::CreateSession, 1)]
#[tokio::test]
async fn a_registration_that_cannot_be_finished_signs_nobody_in(
    #[case] verb: Verb,
    #[case] users: u64,
) {
    let (app, fault) = faulty_app().await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    let sign_in = sign_in_page(&mut browser, &client, &[]).await;
    let path = format!("/register?transaction={}", transaction(&sign_in));
    let page = browser.get(&path).await;
    let fields = [("email", "new@example.com"), ("password", PASSWORD)];
    fault.set((verb, How::Unavailable));
    check_failure(&browser.submit_once(&page, &fields).await, How::Unavailable);
    fault.clear();
    assert!(!browser.cookies.contains_key(SESSION));
    assert_eq!(app.stores.users.count().await.unwrap(), users);
    // What is left to do can be done: register, or sign in.
    let answer = match users {
        0 => browser.submit_once(&page, &fields).await,
        _ => browser.submit_once(&sign_in, &fields).await,
    };
    assert_eq!(answer.status, 303);
}

#[rstest]
#[case(Verb::SignOut)]
#[case(Verb::EndSession)]
#[tokio::test]
async fn a_sign_out_that_cannot_be_finished_says_so_and_can_be_made_again(#[case] verb: Verb) {
    let (app, fault) = faulty_app().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let code = app.code(&mut browser, &client, &user, &[]).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    let page = browser.open("/signout").await.page();
    fault.set((verb, How::Unavailable));
    check_failure(&browser.submit_once(&page, &[]).await, How::Unavailable);
    assert!(browser.cookies.contains_key(SESSION), "the browser can still name it");
    fault.clear();
    let page = browser.open("/signout").await.page();
    assert!(html(&browser.submit(&page, &[]).await.page()).contains("You are signed out"));
    assert_eq!(count(&app, "SESSION#"), 0);
    let refused = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(refused.outcome(), (400, "invalid_grant".into()));
}

#[tokio::test]
async fn whoever_signs_in_again_after_half_a_sign_out_gets_grants_that_stand() {
    let (app, fault) = faulty_app().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    let page = browser.open("/signout").await.page();
    fault.set((Verb::EndSession, How::Unavailable));
    check_failure(&browser.submit_once(&page, &[]).await, How::Unavailable);
    fault.clear();
    let code = app.code(&mut browser, &client, &user, &[("prompt", "login")]).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json());
    assert_eq!(app.refresh(&client, &tokens.text("refresh_token"), &[]).await.status, 200);
}
