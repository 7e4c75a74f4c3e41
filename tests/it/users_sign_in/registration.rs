//! Self-registration: where it is open, people make accounts for themselves.

use identety_domain::Choices;
use identety_domain::limits::{Admission, SignInLimits};
use identety_domain::user::EmailAddress;
use identety_tests::app::{Setup, TestApp, TestClient};
use identety_tests::browser::{Browser, html};
use identety_tests::call::Answer;
use identety_tests::sign_in::PASSWORD;
use rstest::rstest;

use super::steps::{
    SESSION, align, check_page, count, count_failures, forget_expired, is_consent, sign_in_page,
    silently, transaction,
};

/// The page on which one registers.
async fn register_page(app: &TestApp, client: &TestClient, browser: &mut Browser) -> Answer {
    let page = sign_in_page(browser, client, &[]).await;
    let path = format!("/register?transaction={}", transaction(&page));
    assert!(html(&page).contains(&format!("{}{path}", app.issuer)), "{}", html(&page));
    let page = browser.open(&path).await.page();
    check_page(&page, 200);
    page
}

async fn users(app: &TestApp) -> usize {
    app.stores.users.count().await.unwrap().try_into().unwrap()
}

async fn stored(app: &TestApp, email: &str) -> Option<identety_domain::user::User> {
    app.stores.users.find_by_email(&EmailAddress::parse(email).unwrap()).await.unwrap()
}

#[tokio::test]
async fn whoever_registers_is_signed_in_and_gets_to_the_app() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    let page = register_page(&app, &client, &mut browser).await;
    let fields = [("email", "New@example.com"), ("name", "New User"), ("password", PASSWORD)];
    let consent = browser.submit(&page, &fields).await.page();
    assert!(is_consent(&consent), "{}", html(&consent));
    let landing = browser.submit(&consent, &[("decision", "allow")]).await.client();
    let tokens = app.redeem(&client, &landing.get("code"), &[]).await;
    let info = app.userinfo(&tokens.text("access_token")).await.json();
    assert_eq!(info["email"], "New@example.com");
    assert_eq!(info["email_verified"], false, "nobody has proved that it is theirs");
    assert_eq!(info["name"], "New User");
    let user = stored(&app, "new@example.com").await.unwrap();
    let phc = user.password.unwrap().phc;
    assert!(phc.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", phc.as_str());
    assert!(!phc.as_str().contains(PASSWORD));
    // And signs in from then on.
    let mut another = app.browser();
    let page = sign_in_page(&mut another, &client, &[]).await;
    let fields = [("email", "new@EXAMPLE.com"), ("password", PASSWORD)];
    assert_ne!(another.submit(&page, &fields).await.client().get("code"), "");
}

#[tokio::test]
async fn every_rule_that_is_broken_is_named_beside_its_field_and_nobody_is_registered() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    let page = register_page(&app, &client, &mut browser).await;
    assert!(html(&page).contains("id=\"password-rule\""));
    let computations = app.hasher.computations();
    let fields = [("email", "no address"), ("name", &"n".repeat(5000)), ("password", "short 7")];
    let again = browser.submit_once(&page, &fields).await;
    check_page(&again, 400);
    for id in ["email-error", "name-error", "password-error"] {
        assert!(html(&again).contains(&format!("id=\"{id}\"")), "{id}: {}", html(&again));
    }
    assert!(html(&again).contains("at least 8 characters"), "{}", html(&again));
    // One field at a time, nothing is said of the others.
    for (email, password, error) in [
        ("", PASSWORD, "email-error"),
        ("a@b@example.com", PASSWORD, "email-error"),
        ("new@example.com", "", "password-error"),
        ("new@example.com", "1234567", "password-error"),
        ("new@example.com", &"x".repeat(257), "password-error"),
    ] {
        let fields = [("email", email), ("name", "New User"), ("password", password)];
        let again = browser.submit_once(&page, &fields).await;
        check_page(&again, 400);
        let text = html(&again);
        let named: Vec<_> = ["email-error", "name-error", "password-error"]
            .into_iter()
            .filter(|id| text.contains(&format!("id=\"{id}\"")))
            .collect();
        assert_eq!(named, [error], "{email} {password}");
        assert!(text.contains("New User"), "what was right need not be typed again");
    }
    assert_eq!(users(&app).await, 0);
    assert_eq!(app.hasher.computations(), computations, "nothing was hashed");
    assert!(!browser.cookies.contains_key(SESSION));
}

#[tokio::test]
async fn an_address_that_is_taken_is_taken_whatever_its_case() {
    let app = TestApp::start().await;
    let (client, alice) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = register_page(&app, &client, &mut browser).await;
    for email in ["alice@example.com", "ALICE@Example.COM"] {
        let fields = [("email", email), ("name", "Mallory"), ("password", "another password")];
        let again = browser.submit_once(&page, &fields).await;
        check_page(&again, 400);
        assert!(html(&again).contains("has an account already"), "{}", html(&again));
        assert!(!browser.cookies.contains_key(SESSION));
    }
    assert_eq!(users(&app).await, 1);
    let stored = stored(&app, "alice@example.com").await.unwrap();
    assert_eq!((stored.id.to_string(), stored.version), (alice.id, 1));
}

#[rstest]
#[case("isActive", "true")]
#[case("emailVerified", "true")]
#[case("id", "0190a000-0000-7000-8000-000000000000")]
#[case("scope", "clients:write")]
#[tokio::test]
async fn nobody_gives_themselves_more_than_the_page_has_fields(
    #[case] name: &str,
    #[case] value: &str,
) {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    let page = register_page(&app, &client, &mut browser).await;
    let fields = [("email", "new@example.com"), ("password", PASSWORD), (name, value)];
    check_page(&browser.submit_once(&page, &fields).await, 400);
    assert_eq!(users(&app).await, 0);
}

#[tokio::test]
async fn registrations_are_bounded_like_guesses() {
    let app = TestApp::start().await;
    app.advance(900 - app.now().seconds() % 900);
    let (client, _) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = register_page(&app, &client, &mut browser).await;
    let taken = [("email", "alice@example.com"), ("password", "another password")];
    for _ in 0..10 {
        check_page(&browser.submit_once(&page, &taken).await, 400);
    }
    let computations = app.hasher.computations();
    let blocked = browser.submit_once(&page, &taken).await;
    check_page(&blocked, 429);
    assert_eq!(blocked.header("retry-after"), "900");
    assert!(html(&blocked).contains("Try again in 15 minutes."));
    assert_eq!(app.hasher.computations(), computations);
    // From one address, whatever is registered.
    let here = |n: usize| (format!("user{n}@example.com"), "192.0.2.1".to_owned());
    assert_eq!(count_failures(&app, 291, here).await, 291);
    let fresh = [("email", "new@example.com"), ("password", PASSWORD)];
    check_page(&browser.submit_once(&page, &fresh).await, 429);
    assert_eq!(users(&app).await, 1);
    app.advance(1);
    assert_eq!(browser.submit_once(&page, &fresh).await.status, 303);
}

#[tokio::test]
async fn registrations_lock_no_user_out() {
    let app = TestApp::start().await;
    align(&app);
    let (client, alice) = (app.public_client().await, app.alice().await);
    let limits = SignInLimits { attempts: app.stores.attempts.clone() };
    for n in 0..200 {
        let mut context = app.context(&format!("198.51.100.{n}"));
        let admission = limits.admit_registration(&mut context, &alice.email).await.unwrap();
        assert!(matches!(admission, Admission::Admitted(_)), "{n}");
    }
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let fields = [("email", alice.email.as_str()), ("password", PASSWORD)];
    assert_eq!(browser.submit_once(&page, &fields).await.status, 303);
}

#[tokio::test]
async fn of_five_registrations_of_one_address_at_once_one_succeeds() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    let page = register_page(&app, &client, &mut browser).await;
    let attempts = (0..5).map(|n| {
        let (mut browser, page) = (browser.clone(), page.clone());
        tokio::spawn(async move {
            let password = format!("password number {n}");
            let fields = [("email", "new@example.com"), ("password", password.as_str())];
            browser.submit_once(&page, &fields).await.status
        })
    });
    let mut statuses = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        statuses.push(attempt.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 400, 400, 400, 400]);
    assert_eq!((users(&app).await, count(&app, "SESSION#")), (1, 1));
}

#[tokio::test]
async fn a_registration_that_is_sent_again_after_the_code_registers_nobody() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    let page = register_page(&app, &client, &mut browser).await;
    let fields = [("email", "new@example.com"), ("password", PASSWORD)];
    let consent = browser.submit(&page, &fields).await.page();
    let landing = browser.submit(&consent, &[("decision", "allow")]).await.client();
    app.redeem(&client, &landing.get("code"), &[]).await;
    let other = [("email", "other@example.com"), ("password", PASSWORD)];
    check_page(&browser.submit_once(&page, &other).await, 400);
    assert_eq!(users(&app).await, 1);
}

#[tokio::test]
async fn where_it_is_closed_there_is_no_link_and_no_page_and_nobody_is_registered() {
    let setup = Setup { choices: Choices::default(), ..Setup::default() };
    let app = TestApp::start_as(setup, |stores| stores).await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    assert!(!html(&page).contains("/register"), "{}", html(&page));
    let closed = browser.get(&format!("/register?transaction={}", transaction(&page))).await;
    check_page(&closed, 404);
    assert!(html(&closed).contains("Registration is closed"));
    check_page(&browser.get("/register").await, 404);
    let form = identety_tests::browser::Form::of(&page);
    let (id, csrf) = (form.get("transaction"), form.get("csrf"));
    let fields = [
        ("transaction", id.as_str()),
        ("csrf", &csrf),
        ("email", "new@example.com"),
        ("name", "New"),
        ("password", PASSWORD),
    ];
    check_page(&browser.post("/register", &fields).await, 404);
    assert_eq!(users(&app).await, 0);
    assert_eq!(silently(&mut browser, &client, &[]).await.get("error"), "login_required");
}

#[tokio::test]
async fn what_was_typed_into_a_page_that_was_left_open_is_not_lost() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    let page = register_page(&app, &client, &mut browser).await;
    app.advance(12 * 3600);
    forget_expired(&app);
    // A mistake shows the page of a new request, with what was typed.
    let typed = [("email", "new@example.com"), ("name", "Nell New"), ("password", "short")];
    let again = browser.submit_once(&page, &typed).await;
    check_page(&again, 400);
    assert_ne!(transaction(&again), transaction(&page));
    for typed in ["new@example.com", "Nell New"] {
        assert!(html(&again).contains(&format!("value=\"{typed}\"")), "{}", html(&again));
    }
    let fields = [("email", "new@example.com"), ("name", "Nell New"), ("password", PASSWORD)];
    let consent = browser.submit(&page, &fields).await.page();
    let landing = browser.submit(&consent, &[("decision", "allow")]).await.client();
    assert_ne!(landing.get("code"), "");
    assert_eq!(users(&app).await, 1);
}
