//! A transaction belongs to one browser, is answered once, and ends.

use identety_tests::app::TestApp;
use identety_tests::browser::html;
use identety_tests::sign_in::{PASSWORD, request};
use serde_json::json;

use super::steps::{
    SESSION, check_page, check_redirect, consent_page, count, decide, delete, enter,
    forget_expired, is_consent, is_sign_in, request_cookie, request_secrets, sign_in_page,
    silently, transaction,
};

#[tokio::test]
async fn the_transaction_of_one_browser_is_nothing_to_another() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let id = transaction(&page);

    let mut other = app.browser();
    sign_in_page(&mut other, &client, &[]).await;
    let mut without_cookies = app.browser();
    for stranger in [&mut other, &mut without_cookies] {
        for path in ["signin", "consent", "register"] {
            let shown = stranger.get(&format!("/{path}?transaction={id}")).await;
            check_page(&shown, 400);
            assert!(html(&shown).contains("Photos"), "the page says which app it was for");
            assert!(!html(&shown).contains("<form"), "there is nothing to send");
        }
        let computations = app.hasher.computations();
        let posted = enter(stranger, &page, &user.email, PASSWORD).await;
        check_page(&posted, 403);
        assert_eq!(app.hasher.computations(), computations);
        assert!(!stranger.cookies.contains_key(SESSION));
    }
    assert_eq!(count(&app, "SESSION#"), 0);
    // The browser itself goes on.
    assert_eq!(enter(&mut browser, &page, &user.email, PASSWORD).await.status, 303);
}

#[tokio::test]
async fn a_decision_from_another_browser_decides_nothing() {
    let app = TestApp::start().await;
    let (client, alice) = (app.public_client().await, app.alice().await);
    let mallory = app.user("mallory@example.com", PASSWORD).await;
    let (mut browser, mut other) = (app.browser(), app.browser());
    let page = consent_page(&mut browser, &client, &alice.email, &[]).await;
    let others = consent_page(&mut other, &client, &mallory.email, &[]).await;
    for decision in ["allow", "deny"] {
        check_page(&decide(&mut other, &page, decision).await, 403);
        check_page(&decide(&mut browser, &others, decision).await, 403);
    }
    // A right CSRF token of the other's own transaction does not help.
    let csrf = identety_tests::browser::Form::of(&others).get("csrf");
    let (id, allow) = (transaction(&page), ("decision", "allow"));
    let fields = [("transaction", id.as_str()), ("csrf", &csrf), allow];
    check_page(&other.post("/consent", &fields).await, 403);
    // With the stolen session cookie alone it is still another browser.
    other.cookies.insert(SESSION.into(), browser.cookies[SESSION].clone());
    check_page(&decide(&mut other, &page, "allow").await, 403);
    assert_eq!(count(&app, "GRANT#"), 0);
    check_redirect(&decide(&mut browser, &page, "allow").await);
}

#[tokio::test]
async fn a_sign_in_page_that_was_left_open_overnight_still_leads_to_the_client() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    for (pause, is_forgotten) in [(1800, false), (1860, true), (12 * 3600, true)] {
        let mut browser = app.browser();
        let page = sign_in_page(&mut browser, &client, &[("prompt", "consent")]).await;
        app.advance(pause);
        if is_forgotten {
            forget_expired(&app);
        }
        // A wrong password gets the page again, for a request that is new.
        let wrong = enter(&mut browser, &page, &user.email, "wrong").await;
        check_page(&wrong, 400);
        assert_ne!(transaction(&wrong), transaction(&page));
        for page in [&page, &wrong] {
            let shown =
                browser.submit(page, &[("email", &user.email), ("password", PASSWORD)]).await;
            let consent = shown.page();
            assert!(is_consent(&consent), "{}", html(&consent));
            let landing = browser.submit(&consent, &[("decision", "allow")]).await.client();
            assert_eq!(landing.get("state"), "the state");
            let tokens = app.redeem(&client, &landing.get("code"), &[]).await;
            assert_eq!(tokens.status, 200, "{}", tokens.json());
        }
    }
}

#[tokio::test]
async fn a_page_that_is_reloaded_too_late_begins_again() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let path = format!("/signin?transaction={}", transaction(&page));
    app.advance(1799);
    assert!(is_sign_in(&browser.get(&path).await));
    app.advance(1);
    let again = browser.open(&path).await.page();
    assert!(is_sign_in(&again) && transaction(&again) != transaction(&page));
    // Once nothing is known of it any more, the page says what to do.
    app.advance(1800);
    forget_expired(&app);
    let over = browser.get(&path).await;
    check_page(&over, 400);
    assert!(html(&over).contains("This sign-in is over"), "{}", html(&over));

    let page = consent_page(&mut browser, &client, &user.email, &[]).await;
    app.advance(1800);
    forget_expired(&app);
    // A decision is not taken over to the new request: the user decides on a page that is up to date.
    let again = browser.submit(&page, &[("decision", "allow")]).await.page();
    assert!(is_consent(&again) && transaction(&again) != transaction(&page));
    assert_eq!(count(&app, "GRANT#"), 0);
    let landing = browser.submit(&again, &[("decision", "allow")]).await.client();
    assert_ne!(landing.get("code"), "");
}

#[tokio::test]
async fn a_page_that_begins_again_obeys_every_rule_of_now() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[("scope", "openid photos:read")]).await;
    app.advance(1800);
    app.change(&client, json!({"scopes": ["openid"]})).await;
    let refused = browser.submit(&page, &[("email", &user.email), ("password", PASSWORD)]).await;
    assert_eq!(refused.client().get("error"), "invalid_scope");
    app.change(&client, json!({"redirectUris": ["https://app.example.com/other"]})).await;
    check_page(&enter(&mut browser, &page, &user.email, PASSWORD).await, 400);
    assert_eq!(count(&app, "SESSION#"), 0);
}

#[tokio::test]
async fn a_browser_that_keeps_no_cookies_is_told_so() {
    let app = TestApp::start().await;
    let home = "https://photos.example.com/";
    let client = app.users_client(json!({"type": "public", "clientUri": home})).await;
    let mut browser = app.browser();
    let begun = browser.get(&request(&client, &[])).await;
    browser.cookies.clear();
    let page = browser.follow(begun).await.page();
    check_page(&page, 400);
    assert!(html(&page).contains("Cookies are off"), "{}", html(&page));
    let link = format!("href=\"{home}\" rel=\"noopener noreferrer\">Go to Photos</a>");
    assert!(html(&page).contains(&link), "{}", html(&page));
}

#[tokio::test]
async fn what_is_no_transaction_is_a_page() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    for path in ["/signin", "/consent", "/register"] {
        for query in [
            "",
            "?transaction=",
            "?transaction=AAAAAAAAAAAAAAAAAAAAAAAA",
            "?transaction=https://evil.example/xxxxx",
            "?transaction=%0d%0aLocation:x",
            "?transaction=..%2f..%2f",
            "?transaction=AAAAAAAAAAAAAAAAAAAAAAAA&transaction=AAAAAAAAAAAAAAAAAAAAAAAA",
            "?%zz",
        ] {
            let page = browser.get(&format!("{path}{query}")).await;
            check_page(&page, 400);
            assert!(!html(&page).contains("evil"), "{query}");
        }
    }
}

#[tokio::test]
async fn no_parameter_leads_anywhere_else_after_the_sign_in() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let id = transaction(&page);
    for name in ["return_to", "redirect_uri", "next", "continue"] {
        let path = format!("/signin?transaction={id}&{name}=https://evil.example/");
        let page = browser.get(&path).await;
        assert!(is_sign_in(&page) && !html(&page).contains("evil"), "{name}");
        let fields = [
            ("email", user.email.as_str()),
            ("password", PASSWORD),
            (name, "https://evil.example/"),
        ];
        check_page(&browser.submit_once(&page, &fields).await, 400);
    }
    assert_eq!(count(&app, "SESSION#"), 0);
    let entered = enter(&mut browser, &page, &user.email, PASSWORD).await;
    assert_eq!(entered.header("location"), format!("{}/consent?transaction={id}", app.issuer));
}

#[tokio::test]
async fn the_same_decision_again_gives_the_same_code_until_it_is_used_or_a_minute_old() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let sign_in = sign_in_page(&mut browser, &client, &[]).await;
    let page = browser.submit(&sign_in, &[("email", &user.email), ("password", PASSWORD)]).await;
    let page = page.page();
    let first = decide(&mut browser, &page, "allow").await;
    check_redirect(&first);
    app.advance(59);
    let again = decide(&mut browser, &page, "allow").await;
    assert_eq!(again.header("location"), first.header("location"));
    // The browser that goes back to a page is led on the same way.
    for path in ["signin", "consent"] {
        let path = format!("/{path}?transaction={}", transaction(&page));
        assert_eq!(browser.get(&path).await.header("location"), first.header("location"));
    }
    assert_eq!(count(&app, "GRANT#"), 1);
    let code = browser.follow(first).await.client().get("code");
    let tokens = app.redeem(&client, &code, &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json());

    for decision in ["allow", "deny"] {
        let after = decide(&mut browser, &page, decision).await;
        check_page(&after, 400);
        assert!(html(&after).contains("This sign-in is complete"), "{}", html(&after));
    }
    // Not even in another session of the same browser.
    let again = enter(&mut browser, &sign_in, &user.email, PASSWORD).await;
    check_page(&again, 400);
    assert!(html(&again).contains("This sign-in is complete"), "{}", html(&again));
    let path = format!("/consent?transaction={}", transaction(&page));
    check_page(&browser.get(&path).await, 400);
    // And the tokens are none the worse for it.
    assert_eq!(app.userinfo(&tokens.text("access_token")).await.status, 200);
}

#[tokio::test]
async fn a_code_that_was_not_used_within_a_minute_is_not_given_again() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = consent_page(&mut browser, &client, &user.email, &[]).await;
    let first = decide(&mut browser, &page, "allow").await;
    app.advance(60);
    let again = decide(&mut browser, &page, "allow").await;
    check_page(&again, 400);
    assert!(html(&again).contains("This sign-in is complete"), "{}", html(&again));
    let code = browser.follow(first).await.client().get("code");
    assert_eq!(app.redeem(&client, &code, &[]).await.outcome(), (400, "invalid_grant".into()));
}

#[tokio::test]
async fn fifty_decisions_at_once_give_one_code() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = consent_page(&mut browser, &client, &user.email, &[]).await;
    let decisions = (0..50).map(|_| {
        let (mut browser, page) = (browser.clone(), page.clone());
        tokio::spawn(async move { decide(&mut browser, &page, "allow").await })
    });
    let mut locations = Vec::new();
    for decision in decisions.collect::<Vec<_>>() {
        locations.push(decision.await.unwrap().header("location").to_owned());
    }
    locations.dedup();
    assert_eq!(locations.len(), 1, "{locations:?}");
    assert_eq!(count(&app, "GRANT#"), 1);
}

#[tokio::test]
async fn a_sign_in_that_is_sent_again_after_the_code_signs_nobody_in() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let shown = browser.submit(&page, &[("email", &user.email), ("password", PASSWORD)]).await;
    let landing = app.go_on(&mut browser, shown, &user).await;
    let (sessions, computations) = (count(&app, "SESSION#"), app.hasher.computations());
    let session = browser.cookies[SESSION].clone();
    app.redeem(&client, &landing.get("code"), &[]).await;
    let again = enter(&mut browser, &page, &user.email, PASSWORD).await;
    check_page(&again, 400);
    assert!(html(&again).contains("This sign-in is complete"), "{}", html(&again));
    assert_eq!(count(&app, "SESSION#"), sessions);
    assert_eq!(app.hasher.computations(), computations);
    assert_eq!(browser.cookies[SESSION], session);
    // Nor after the user has signed out: whoever sits there next cannot use the history.
    let ask = browser.open("/signout").await.page();
    browser.submit(&ask, &[]).await.page();
    check_page(&enter(&mut browser, &page, &user.email, PASSWORD).await, 400);
    assert!(!browser.cookies.contains_key(SESSION));
}

#[tokio::test]
async fn deny_twice_is_the_same_answer_and_deny_cannot_become_allow() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = consent_page(&mut browser, &client, &user.email, &[]).await;
    let denied = decide(&mut browser, &page, "deny").await;
    check_redirect(&denied);
    let again = decide(&mut browser, &page, "deny").await;
    assert_eq!(again.header("location"), denied.header("location"));
    let allowed = decide(&mut browser, &page, "allow").await;
    check_page(&allowed, 400);
    assert!(html(&allowed).contains("This sign-in is complete"), "{}", html(&allowed));
    assert_eq!(count(&app, "GRANT#"), 0);
    assert_eq!(silently(&mut browser, &client, &[]).await.get("error"), "consent_required");
}

#[tokio::test]
async fn whatever_happens_to_the_client_meanwhile_nobody_is_sent_there() {
    let app = TestApp::start().await;
    let user = app.alice().await;
    for end in
        ["disabled", "deleted", "registered anew", "moved", "without a scope", "without the grant"]
    {
        let client = app.public_client().await;
        let (mut signing_in, mut consenting) = (app.browser(), app.browser());
        let sign_in = sign_in_page(&mut signing_in, &client, &[]).await;
        let consent = consent_page(&mut consenting, &client, &user.email, &[]).await;
        match end {
            "disabled" => app.change(&client, json!({"isActive": false})).await,
            "moved" => {
                let elsewhere = ["https://app.example.com/elsewhere"];
                app.change(&client, json!({"redirectUris": elsewhere})).await;
            }
            "without a scope" => app.change(&client, json!({"scopes": ["openid", "email"]})).await,
            "without the grant" => app.change(&client, json!({"grants": ["refresh_token"]})).await,
            _ => delete(&app, "clients", &client.id).await,
        }
        if end == "registered anew" {
            app.users_client(json!({"type": "public", "clientId": client.client_id})).await;
        }
        let grants = count(&app, "GRANT#");
        let sessions = count(&app, "SESSION#");
        check_page(&enter(&mut signing_in, &sign_in, &user.email, PASSWORD).await, 400);
        for decision in ["deny", "allow"] {
            check_page(&decide(&mut consenting, &consent, decision).await, 400);
        }
        for path in ["signin", "consent", "register"] {
            let path = format!("/{path}?transaction={}", transaction(&consent));
            check_page(&consenting.get(&path).await, 400);
        }
        assert_eq!(count(&app, "GRANT#"), grants, "{end}");
        assert_eq!(count(&app, "SESSION#"), sessions, "{end}");
    }
}

#[tokio::test]
async fn only_what_waits_for_its_user_is_kept() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    assert_eq!(count(&app, "TRANSACTION#"), 1);
    silently(&mut browser, &client, &[]).await;
    app.code(&mut browser, &client, &user, &[]).await;
    silently(&mut app.browser(), &client, &[]).await;
    assert_eq!(count(&app, "TRANSACTION#"), 1);
}

#[tokio::test]
async fn two_requests_of_one_browser_do_not_get_in_each_others_way() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let one = sign_in_page(&mut browser, &client, &[("state", "one")]).await;
    let two = sign_in_page(&mut browser, &client, &[("state", "two")]).await;
    assert_ne!(request_cookie(&one), request_cookie(&two));
    assert_eq!(request_secrets(&browser).len(), 2);
    let consent = browser.submit(&two, &[("email", &user.email), ("password", PASSWORD)]).await;
    let consent = consent.page();
    assert!(is_consent(&consent));
    let landing = browser.submit(&consent, &[("decision", "allow")]).await.client();
    assert_eq!(landing.get("state"), "two");
    // The first one finds the user signed in.
    let path = format!("/signin?transaction={}", transaction(&one));
    let landing = browser.open(&path).await.client();
    assert_eq!(landing.get("state"), "one");
    assert_ne!(landing.get("code"), "");
    assert_eq!(browser.open(&request(&client, &[])).await.client().get("error"), "");
}
