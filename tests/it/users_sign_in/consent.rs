//! Consent: asked for once, for each user, client and scope, and given by nobody else.

use identety_domain::grant::Generation;
use identety_tests::app::{TestApp, TestClient};
use identety_tests::browser::{Browser, Form, html};
use identety_tests::sign_in::{PASSWORD, request};
use rstest::rstest;
use serde_json::json;

use super::steps::{
    check_page, consent_page, count, decide, delete, enter, kind, sign_in_page, silently,
    transaction,
};

/// What the browser of a user who has signed in sees next.
async fn next(
    browser: &mut Browser,
    client: &TestClient,
    changes: &[(&str, &str)],
) -> &'static str {
    kind(&browser.open(&request(client, changes)).await)
}

#[tokio::test]
async fn a_sign_in_without_the_csrf_token_of_its_page_signs_nobody_in() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let other = sign_in_page(&mut browser, &client, &[]).await;
    let mut stranger = app.browser();
    let strangers = sign_in_page(&mut stranger, &client, &[]).await;
    let (id, computations) = (transaction(&page), app.hasher.computations());
    let own = Form::of(&page).get("csrf");
    for csrf in [
        "",
        "x",
        &Form::of(&other).get("csrf"),
        &Form::of(&strangers).get("csrf"),
        &own[1..],
        &own.to_lowercase(),
    ] {
        let fields = [
            ("transaction", id.as_str()),
            ("csrf", csrf),
            ("email", &user.email),
            ("password", PASSWORD),
        ];
        let answer = browser.post("/signin", &fields).await;
        check_page(&answer, 403);
        assert_eq!(answer.header("set-cookie"), "");
        let more = [("name", "Mallory")];
        check_page(&browser.post("/register", &[&fields, &more[..]].concat()).await, 403);
    }
    let without = [("transaction", id.as_str()), ("email", &user.email), ("password", PASSWORD)];
    check_page(&browser.post("/signin", &without).await, 403);
    assert_eq!(app.hasher.computations(), computations, "no password was looked at");
    assert_eq!(count(&app, "SESSION#"), 0);
}

#[tokio::test]
async fn a_forged_decision_grants_nothing() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let sign_in = sign_in_page(&mut browser, &client, &[]).await;
    let (id, other) = (transaction(&sign_in), sign_in_page(&mut browser, &client, &[]).await);
    enter(&mut browser, &sign_in, &user.email, PASSWORD).await;
    for csrf in ["", "x", &Form::of(&other).get("csrf")] {
        let fields = [("transaction", id.as_str()), ("csrf", csrf), ("decision", "allow")];
        let call = app.server.post("/consent").form(&fields);
        // As a form of another site would come, cookies and all.
        let call = call.header("origin", "https://evil.example");
        let call = call.header("sec-fetch-site", "cross-site");
        check_page(&browser.send(call).await, 403);
    }
    assert_eq!(count(&app, "GRANT#"), 0);
    assert_eq!(silently(&mut browser, &client, &[]).await.get("error"), "consent_required");
}

#[rstest]
#[case("scope", "openid photos:write")]
#[case("client_id", "public_AAAAAAAAAAAAAAAAAAAAAAAA")]
#[case("redirect_uri", "https://evil.example/")]
#[case("user", "0190a000-0000-7000-8000-000000000000")]
#[case("state", "other")]
#[case("resource", "https://evil.example/")]
#[case("decision", "deny")]
#[tokio::test]
async fn a_decision_cannot_change_what_it_is_about(#[case] name: &str, #[case] value: &str) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = consent_page(&mut browser, &client, &user.email, &[]).await;
    let fields = [("decision", "allow"), (name, value)];
    check_page(&browser.submit_once(&page, &fields).await, 400);
    assert_eq!(count(&app, "GRANT#"), 0);
    // In the query it is not heeded.
    let action = format!("/consent?{name}={}", value.replace(' ', "%20"));
    let form = Form::of(&page);
    let hidden = form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let fields: Vec<_> = hidden.chain([("decision", "allow")]).collect();
    let answer = browser.post(&action, &fields).await;
    let landing = browser.follow(answer).await.client();
    let tokens = app.redeem(&client, &landing.get("code"), &[]).await;
    assert_eq!(tokens.text("scope"), "openid profile email");
    assert_eq!(landing.get("state"), "the state");
}

#[tokio::test]
async fn without_a_decision_nothing_is_decided() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let page = consent_page(&mut browser, &client, &user.email, &[]).await;
    for decision in ["", "Allow", "yes", "allow "] {
        check_page(&decide(&mut browser, &page, decision).await, 400);
    }
    check_page(&browser.submit_once(&page, &[]).await, 400);
    assert_eq!(count(&app, "GRANT#"), 0);
}

#[tokio::test]
async fn the_page_says_who_asks_whom_for_what() {
    let app = TestApp::start().await;
    let user = app.alice().await;
    let client = app.users_client(json!({"type": "public", "name": "<b>Photos & Co</b>"})).await;
    let mut browser = app.browser();
    let changes = [("scope", "openid email photos:write")];
    let page = consent_page(&mut browser, &client, &user.email, &changes).await;
    check_page(&page, 200);
    let text = html(&page);
    assert!(text.contains("Photos") && !text.contains("<b>"), "{text}");
    assert!(text.contains("alice@example.com"));
    assert!(text.contains("photos:write") && !text.contains("photos:read"), "{text}");
}

#[tokio::test]
async fn what_was_allowed_is_not_asked_again_and_anything_more_is() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[("scope", "openid profile")]).await;
    for scope in ["openid profile", "profile openid", "openid", "profile"] {
        assert_eq!(next(&mut browser, &client, &[("scope", scope)]).await, "code", "{scope}");
    }
    for scope in ["openid email", "openid profile email", "photos:read", "openid offline_access"] {
        let asked = next(&mut browser, &client, &[("scope", scope)]).await;
        assert_eq!(asked, "consent", "{scope}");
        let silent = silently(&mut browser, &client, &[("scope", scope)]).await;
        assert_eq!(silent.get("error"), "consent_required", "{scope}");
    }
    // What is allowed adds up.
    app.code(&mut browser, &client, &user, &[("scope", "photos:read")]).await;
    let both = [("scope", "openid profile photos:read")];
    assert_eq!(next(&mut browser, &client, &both).await, "code");
    // It is the user's word, not the browser's.
    let mut another = app.browser();
    let page = sign_in_page(&mut another, &client, &both).await;
    let entered = another.submit(&page, &[("email", &user.email), ("password", PASSWORD)]).await;
    assert_eq!(kind(&entered), "code");
}

#[tokio::test]
async fn each_user_and_each_client_is_asked_for_itself() {
    let app = TestApp::start().await;
    let (client, alice) = (app.public_client().await, app.alice().await);
    let bob = app.user("bob@example.com", PASSWORD).await;
    let mut browser = app.browser();
    app.code(&mut browser, &client, &alice, &[]).await;
    let other = app.public_client().await;
    assert_eq!(next(&mut browser, &other, &[]).await, "consent");
    consent_page(&mut app.browser(), &client, &bob.email, &[]).await;
}

#[tokio::test]
async fn a_client_registered_anew_under_its_client_id_inherits_no_consent() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    assert_eq!(next(&mut browser, &client, &[]).await, "code");
    delete(&app, "clients", &client.id).await;
    let again = json!({"type": "public", "clientId": client.client_id});
    let again = app.users_client(again).await;
    assert_eq!(again.client_id, client.client_id);
    assert_eq!(next(&mut browser, &again, &[]).await, "consent");
}

#[tokio::test]
async fn a_user_registered_anew_inherits_no_consent() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let code = app.code(&mut browser, &client, &user, &[]).await;
    delete(&app, "users", &user.id).await;
    assert_eq!(app.redeem(&client, &code, &[]).await.outcome(), (400, "invalid_grant".into()));
    assert_eq!(silently(&mut browser, &client, &[]).await.get("error"), "login_required");
    let again = app.alice().await;
    assert_ne!(again.id, user.id);
    consent_page(&mut browser, &client, &again.email, &[]).await;
    let known = app.stores.consents.consented(user.id.parse().unwrap(), client.id.parse().unwrap());
    assert_eq!(known.await.unwrap(), None, "nothing is left behind");
}

#[tokio::test]
async fn prompt_consent_asks_again_even_those_who_skip_it() {
    let app = TestApp::start().await;
    let user = app.alice().await;
    for skip in [false, true] {
        let client = app.users_client(json!({"type": "public", "skipConsent": skip})).await;
        let mut browser = app.browser();
        app.code(&mut browser, &client, &user, &[]).await;
        assert_eq!(next(&mut browser, &client, &[]).await, "code");
        let page = browser.open(&request(&client, &[("prompt", "consent")])).await.page();
        check_page(&page, 200);
        let landing = browser.submit(&page, &[("decision", "deny")]).await.client();
        assert_eq!(landing.get("error"), "access_denied");
    }
}

#[tokio::test]
async fn first_party_clients_skip_the_page() {
    let app = TestApp::start().await;
    let user = app.alice().await;
    let client = app.users_client(json!({"type": "public", "skipConsent": true})).await;
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let shown = browser.submit(&page, &[("email", &user.email), ("password", PASSWORD)]).await;
    let tokens = app.redeem(&client, &shown.client().get("code"), &[]).await;
    assert_eq!(tokens.text("scope"), "openid profile email");
    assert_ne!(silently(&mut browser, &client, &[]).await.get("code"), "");
    // Skipping is not consenting: once the client is no first party any more, the user is asked.
    app.change(&client, json!({"skipConsent": false})).await;
    assert_eq!(next(&mut browser, &client, &[]).await, "consent");
}

#[rstest]
#[case("com.example.app:/callback")]
#[case("http.example.app:/callback")]
#[tokio::test]
async fn apps_with_a_private_use_scheme_are_asked_about_each_time(#[case] own: &str) {
    let app = TestApp::start().await;
    let user = app.alice().await;
    let uris = [own, "http://127.0.0.1/callback", "https://app.example.com/callback"];
    let client = app.users_client(json!({"type": "public", "redirectUris": uris})).await;
    let mut browser = app.browser();
    let changes = [("redirect_uri", own)];
    for _ in 0..2 {
        let shown = browser.open(&request(&client, &changes)).await;
        let landing = app.go_on(&mut browser, shown, &user).await;
        assert!(landing.url.starts_with(&format!("{own}?code=")), "{}", landing.url);
        assert_eq!(next(&mut browser, &client, &changes).await, "consent");
    }
    let silent =
        browser.open(&request(&client, &[("redirect_uri", own), ("prompt", "none")])).await;
    assert_eq!(silent.client().get("error"), "consent_required");
    // The same user has allowed the same client, so where only its server answers nothing is asked.
    assert_eq!(next(&mut browser, &client, &[]).await, "code");
}

#[tokio::test]
async fn a_public_client_on_loopback_is_asked_about_each_time() {
    let app = TestApp::start().await;
    let user = app.alice().await;
    let uris = ["http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost/cb"];
    for skip in [false, true] {
        let members = json!({"type": "public", "redirectUris": uris, "skipConsent": skip});
        let client = app.users_client(members).await;
        let mut browser = app.browser();
        for uri in ["http://127.0.0.1:5000/cb", "http://[::1]:5000/cb", "http://localhost:5000/cb"]
        {
            let own = [("redirect_uri", uri)];
            let shown = browser.open(&request(&client, &own)).await;
            let landing = app.go_on(&mut browser, shown, &user).await;
            assert!(!landing.get("code").is_empty(), "{}", landing.url);
            // Whatever listens at this port or another would get the next code unnoticed.
            for port in ["http://127.0.0.1:5000/cb", "http://127.0.0.1:6000/cb", uri] {
                let other = [("redirect_uri", port)];
                assert_eq!(next(&mut browser, &client, &other).await, "consent");
                let silent = silently(&mut browser, &client, &other).await;
                assert_eq!(silent.get("error"), "consent_required", "{port}");
            }
        }
    }
    // A private client proves who it is when it redeems the code.
    let members = json!({"type": "private", "redirectUris": ["http://localhost:3000/cb"]});
    let client = app.users_client(members).await;
    let own = [("redirect_uri", "http://localhost:3000/cb")];
    let mut browser = app.browser();
    let landing = app.authorize(&mut browser, &request(&client, &own), &user).await;
    assert!(!landing.get("code").is_empty());
    assert_eq!(next(&mut browser, &client, &own).await, "code");
}

const ORDERS: &str = "https://orders.example.com";
const STOCK: &str = "https://stock.example.com/api";

/// A client of two APIs.
async fn client_of_apis(app: &TestApp) -> TestClient {
    app.users_client(json!({"type": "public", "audiences": [ORDERS, STOCK]})).await
}

#[tokio::test]
async fn a_consent_holds_for_the_resources_that_were_named() {
    let app = TestApp::start().await;
    let (client, user) = (client_of_apis(&app).await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[("resource", ORDERS), ("scope", "photos:read")]).await;
    let asked = async |browser: &mut Browser, resource: &str, scope: &str| {
        next(browser, &client, &[("resource", resource), ("scope", scope)]).await
    };
    assert_eq!(asked(&mut browser, ORDERS, "photos:read").await, "code");
    for (resource, scope) in [(STOCK, "photos:read"), ("", "photos:read"), (ORDERS, "photos:write")]
    {
        assert_eq!(asked(&mut browser, resource, scope).await, "consent", "{resource} {scope}");
        let changes = [("resource", resource), ("scope", scope)];
        let silent = silently(&mut browser, &client, &changes).await;
        assert_eq!(silent.get("error"), "consent_required", "{resource} {scope}");
    }
    let both = format!(
        "{}&resource={ORDERS}&resource={STOCK}",
        request(&client, &[("scope", "photos:read")])
    );
    assert_eq!(kind(&browser.open(&both).await), "consent");
    app.authorize(&mut browser, &both, &user).await;
    assert_eq!(asked(&mut browser, STOCK, "photos:read").await, "code");
    // What was allowed at one resource is not allowed at the other.
    app.code(&mut browser, &client, &user, &[("resource", STOCK), ("scope", "photos:write")]).await;
    assert_eq!(asked(&mut browser, ORDERS, "photos:write").await, "consent");
    assert_eq!(asked(&mut browser, STOCK, "photos:read photos:write").await, "code");
}

#[tokio::test]
async fn a_consent_that_is_withdrawn_is_asked_for_again() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    assert_eq!(next(&mut browser, &client, &[]).await, "code");
    let (user_id, client_id) = (user.id.parse().unwrap(), client.id.parse().unwrap());
    let consents = &app.stores.consents;
    let before = consents.consented(user_id, client_id).await.unwrap().unwrap();
    let other = Generation::from(before.generation.number() ^ 1);
    consents.withdraw_consent(user_id, client_id, other, app.now()).await.unwrap();
    assert_eq!(next(&mut browser, &client, &[]).await, "consent");
}

#[tokio::test]
async fn the_page_names_the_resources_and_where_the_browser_is_led() {
    let app = TestApp::start().await;
    let user = app.alice().await;
    let uris = ["https://app.example.com/callback", "http://127.0.0.1/cb", "cursor://cb"];
    let members = json!({
        "type": "public", "redirectUris": uris, "audiences": [ORDERS, STOCK],
        "clientUri": "https://photos.example.com/about",
    });
    let client = app.users_client(members).await;
    for (uri, led) in [
        ("https://app.example.com/callback", "<strong>app.example.com</strong>"),
        ("http://127.0.0.1:49152/cb", "<strong>127.0.0.1:49152</strong>"),
        ("cursor://cb", "<strong>cursor:</strong>"),
    ] {
        let changes = [("redirect_uri", uri), ("resource", STOCK)];
        let page = consent_page(&mut app.browser(), &client, &user.email, &changes).await;
        check_page(&page, 200);
        let text = html(&page);
        assert!(text.contains(led), "{text}");
        assert!(text.contains(&format!("<li><code>{STOCK}</code></li>")), "{text}");
        assert!(!text.contains(ORDERS), "{text}");
        let home = "<a href=\"https://photos.example.com/about\" rel=\"noopener noreferrer\">photos.example.com</a>";
        assert!(text.contains(home), "{text}");
    }
    let page = consent_page(&mut app.browser(), &client, &user.email, &[]).await;
    assert!(!html(&page).contains("id=\"resources\""), "{}", html(&page));
}

#[tokio::test]
async fn a_page_shown_to_one_user_does_not_decide_for_another() {
    let app = TestApp::start().await;
    let (client, alice) = (app.public_client().await, app.alice().await);
    let bob = app.user("bob@example.com", PASSWORD).await;
    let mut browser = app.browser();
    let alices = consent_page(&mut browser, &client, &alice.email, &[]).await;
    // In another tab, Bob signs in; the first tab still says "You are signed in as Alice".
    consent_page(&mut browser, &client, &bob.email, &[("prompt", "login")]).await;
    let shown = browser.submit(&alices, &[("decision", "allow")]).await.page();
    assert!(html(&shown).contains("bob@example.com"), "{}", html(&shown));
    assert_eq!(count(&app, "GRANT#"), 0);
    assert_eq!(silently(&mut browser, &client, &[]).await.get("error"), "consent_required");
    // Shown anew, it says who is meant.
    let path = format!("/consent?transaction={}", transaction(&alices));
    let page = browser.open(&path).await.page();
    assert!(html(&page).contains("bob@example.com"));
    assert_ne!(browser.submit(&page, &[("decision", "allow")]).await.client().get("code"), "");
}

#[tokio::test]
async fn a_withdrawn_consent_ends_what_was_granted_under_it_and_nothing_else() {
    let app = TestApp::start().await;
    let user = app.alice().await;
    let (client, other) = (app.public_client().await, app.private_client().await);
    let offline = [("scope", "openid offline_access")];
    let given = app.tokens(&client, &user, &offline).await;
    let others = app.tokens(&other, &user, &offline).await;
    let mut browser = app.browser();
    let code = app.code(&mut browser, &client, &user, &[]).await;
    let (id, of) = (user.id.parse().unwrap(), client.id.parse().unwrap());
    let generation = Generation::from(7);
    app.stores.consents.withdraw_consent(id, of, generation, app.now()).await.unwrap();
    app.assert_dead(&client, &[&given]).await;
    assert_eq!(app.redeem(&client, &code, &[]).await.outcome(), (400, "invalid_grant".into()));
    app.assert_alive(&other, &others).await;
    // The user is asked anew, and what is allowed then counts.
    assert_eq!(next(&mut browser, &client, &[]).await, "consent");
    let again = app.tokens(&client, &user, &offline).await;
    app.assert_alive(&client, &again).await;
    app.assert_dead(&client, &[&given]).await;
}
