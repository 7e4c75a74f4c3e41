//! Sign-out at a client's request (OpenID Connect RP-Initiated Logout 1.0).

use identety_tests::app::{Setup, TestApp, TestClient, TestUser};
use identety_tests::browser::{Browser, Form, Shown, html};
use identety_tests::call::Answer;
use identety_tests::sign_in::PASSWORD;
use rstest::rstest;
use serde_json::json;

use super::steps::{FOREIGN, SESSION, check_page, count, delete, forget_expired, silently};

/// Where the clients of these tests go after a sign-out.
pub(crate) const BYE: &str = "https://app.example.com/bye";

/// `/oauth2/logout` with these parameters; empty ones are left out.
pub(crate) fn logout_path(parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    format!("/oauth2/logout?{}", query.finish())
}

/// Somebody who has signed in, with tokens.
pub(crate) struct SignedIn {
    pub(crate) app: TestApp,
    pub(crate) client: TestClient,
    pub(crate) user: TestUser,
    pub(crate) browser: Browser,
    pub(crate) hint: String,
    pub(crate) access_token: String,
}

/// Signs Alice in.
pub(crate) async fn signed_in() -> SignedIn {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let code = app.code(&mut browser, &client, &user, &[]).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    let (hint, access_token) = (tokens.text("id_token"), tokens.text("access_token"));
    SignedIn { app, client, user, browser, hint, access_token }
}

impl SignedIn {
    /// Whether the session is there.
    pub(crate) async fn is_signed_in(&mut self) -> bool {
        let silent = silently(&mut self.browser, &self.client, &[]).await;
        let userinfo = self.app.userinfo(&self.access_token).await.status;
        assert_eq!(userinfo == 200, silent.get("error").is_empty(), "the grant goes with it");
        silent.get("error").is_empty()
    }

    /// Asserts that a request asks the user, and that nothing happens until there is an answer.
    pub(crate) async fn asks(&mut self, parameters: &[(&str, &str)]) -> Answer {
        let page = self.browser.open(&logout_path(parameters)).await.page();
        check_page(&page, 200);
        assert!(html(&page).contains("id=\"signout\""), "{}", html(&page));
        assert!(html(&page).contains("alice@example.com"));
        assert!(self.is_signed_in().await);
        page
    }

    /// Asserts that a request asks the user, and leads nowhere but to our own page afterwards.
    pub(crate) async fn leads_nowhere(&mut self, parameters: &[(&str, &str)]) {
        let page = self.asks(parameters).await;
        assert!(!html(&page).contains("evil"));
        let names: Vec<_> = Form::of(&page).hidden.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["csrf"], "what does not validate is not carried on");
    }
}

#[tokio::test]
async fn a_genuine_hint_signs_out_and_leads_back_with_the_state() {
    let mut it = signed_in().await;
    let hint = it.hint.clone();
    let parameters = [
        ("id_token_hint", hint.as_str()),
        ("post_logout_redirect_uri", BYE),
        ("state", "a b&c#d%é"),
    ];
    let answer = it.browser.get(&logout_path(&parameters)).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), format!("{BYE}?state=a%20b%26c%23d%25%C3%A9"));
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with(&format!("{SESSION}=;")) && cookie.contains("; Max-Age=0"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!it.is_signed_in().await);
    assert_eq!(count(&it.app, "SESSION#"), 0);
}

#[tokio::test]
async fn a_hint_that_has_expired_is_still_genuine() {
    let mut it = signed_in().await;
    it.app.advance(7200);
    let hint = it.hint.clone();
    let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE)];
    let landing = it.browser.open(&logout_path(&parameters)).await.client();
    assert_eq!(landing.url, BYE, "no state where none was sent");
    assert_eq!(silently(&mut it.browser, &it.client, &[]).await.get("error"), "login_required");
}

#[tokio::test]
async fn without_anywhere_to_go_there_is_a_page() {
    let mut it = signed_in().await;
    let hint = it.hint.clone();
    let parameters = [("id_token_hint", hint.as_str()), ("state", "the state")];
    let page = it.browser.open(&logout_path(&parameters)).await.page();
    check_page(&page, 200);
    assert!(html(&page).contains("You are signed out"), "{}", html(&page));
    assert!(!it.is_signed_in().await);
}

#[rstest]
#[case("https://evil.example/")]
#[case("https://app.example.com/bye/")]
#[case("https://app.example.com/bye?a=b")]
#[case("https://app.example.com/bye#x")]
#[case("https://app.example.com/BYE")]
#[case("https://app.example.com/bye/../evil")]
#[case("https://app.example.com@evil.example/bye")]
#[case("https://app.example.com\\@evil.example/bye")]
#[case("https://app.example.com.evil.example/bye")]
#[case("https://app.example.com/callback")]
#[case("//evil.example/")]
#[case("/signin")]
#[case("javascript:alert(1)")]
#[tokio::test]
async fn to_an_unregistered_uri_nobody_is_sent_and_the_user_is_asked(#[case] uri: &str) {
    let mut it = signed_in().await;
    let (hint, id) = (it.hint.clone(), it.client.client_id.clone());
    it.leads_nowhere(&[("client_id", &id), ("post_logout_redirect_uri", uri)]).await;
    it.leads_nowhere(&[("post_logout_redirect_uri", uri)]).await;
    // Nor by way of our own pages, signed in or not.
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([("client_id", id.as_str()), ("post_logout_redirect_uri", uri)]);
    let page = it.browser.get(&format!("/signout?{}", query.finish())).await;
    check_page(&page, 200);
    assert_eq!(Form::of(&page).hidden.len(), 1, "{}", html(&page));
    let fields = [("client_id", id.as_str()), ("post_logout_redirect_uri", uri)];
    let own_page = format!("{}/signout", it.app.issuer);
    let posted = it.app.browser().post("/signout", &fields).await;
    assert_eq!((posted.status, posted.header("location")), (303, own_page.as_str()));
    let asked = it.app.browser().get(&logout_path(&fields)).await;
    assert_eq!((asked.status, asked.header("location")), (303, own_page.as_str()));
    // A genuine hint of this session does not help: the user is asked, and stays on our page.
    let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", uri)];
    it.leads_nowhere(&parameters).await;
    let page = it.asks(&parameters).await;
    let done = it.browser.submit(&page, &[]).await.page();
    assert!(html(&done).contains("You are signed out"), "{}", html(&done));
    assert!(!it.is_signed_in().await);
}

#[tokio::test]
async fn the_uri_must_be_the_clients_own() {
    let mut it = signed_in().await;
    let theirs = "https://other.example.com/bye";
    let other = json!({"type": "public", "postLogoutRedirectUris": [theirs]});
    let other = it.app.users_client(other).await;
    let unknown =
        [("client_id", "public_AAAAAAAAAAAAAAAAAAAAAAAA"), ("post_logout_redirect_uri", BYE)];
    it.leads_nowhere(&unknown).await;
    // A hint of one client is none beside the name of another, which leads where that one has registered.
    let hint = it.hint.clone();
    let mixed = [
        ("id_token_hint", hint.as_str()),
        ("client_id", &other.client_id),
        ("post_logout_redirect_uri", theirs),
    ];
    let page = it.asks(&mixed).await;
    assert_eq!(it.browser.submit(&page, &[]).await.client().url, theirs);
}

/// ID tokens that are not genuine, made of one that is.
async fn not_genuine(it: &SignedIn) -> Vec<String> {
    let parts: Vec<_> = it.hint.split('.').map(str::to_owned).collect();
    let [header, claims, signature] = &parts[..] else { panic!("{parts:?}") };
    let encode = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    };
    let stores = it.app.stores.clone();
    let setup = Setup { issuer: "https://other.example.com", ..Setup::default() };
    let other_issuer = TestApp::start_as(setup, |_| stores).await;
    let code = other_issuer.code(&mut other_issuer.browser(), &it.client, &it.user, &[]).await;
    let theirs = other_issuer.redeem(&it.client, &code, &[]).await.text("id_token");
    let unknown_kid = encode(r#"{"alg":"ES256","typ":"JWT","kid":"unknown"}"#);
    vec![
        format!("{}.{claims}.", encode(r#"{"alg":"none","typ":"JWT"}"#)),
        format!("{}.{claims}.{signature}", encode(r#"{"alg":"none"}"#)),
        format!("{unknown_kid}.{claims}.{signature}"),
        format!("{header}.{}.{signature}", encode(r#"{"sub":"x"}"#)),
        format!("{}x", it.hint),
        theirs,
        it.access_token.clone(),
        "garbage".into(),
    ]
}

#[tokio::test]
async fn a_hint_that_cannot_be_verified_is_no_hint() {
    let mut it = signed_in().await;
    let id = it.client.client_id.clone();
    for hint in not_genuine(&it).await {
        it.leads_nowhere(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).await;
        it.leads_nowhere(&[("id_token_hint", &hint)]).await;
        // With the client named and the URI registered, the user is asked and led on.
        let named = [
            ("id_token_hint", hint.as_str()),
            ("client_id", &id),
            ("post_logout_redirect_uri", BYE),
        ];
        let page = it.asks(&named).await;
        assert_eq!(it.browser.clone().submit_once(&page, &[]).await.header("location"), BYE);
        it = again(it).await;
    }
}

/// Signs the same user in anew.
async fn again(mut it: SignedIn) -> SignedIn {
    let code = it.app.code(&mut it.browser, &it.client, &it.user, &[]).await;
    let tokens = it.app.redeem(&it.client, &code, &[]).await;
    (it.hint, it.access_token) = (tokens.text("id_token"), tokens.text("access_token"));
    it
}

#[tokio::test]
async fn an_id_token_of_a_former_session_signs_nobody_out_unasked() {
    let mut it = signed_in().await;
    let old = it.hint.clone();
    let ask = it.browser.open("/signout").await.page();
    it.browser.submit(&ask, &[]).await.page();
    let mut it = again(it).await;
    let page = it.asks(&[("id_token_hint", &old), ("post_logout_redirect_uri", BYE)]).await;
    assert_eq!(it.browser.submit(&page, &[]).await.client().url, BYE);
    assert!(!it.is_signed_in().await);
    // Nor one of the same user's session in another browser.
    let mut it = again(it).await;
    let elsewhere = it.app.code(&mut it.app.browser(), &it.client, &it.user, &[]).await;
    let elsewhere = it.app.redeem(&it.client, &elsewhere, &[]).await.text("id_token");
    it.asks(&[("id_token_hint", &elsewhere), ("post_logout_redirect_uri", BYE)]).await;
    // One of this session does, also after the user has shown again who they are.
    let own = it.hint.clone();
    it.app.code(&mut it.browser, &it.client, &it.user, &[("prompt", "login")]).await;
    let parameters = [("id_token_hint", own.as_str()), ("post_logout_redirect_uri", BYE)];
    assert_eq!(it.browser.open(&logout_path(&parameters)).await.client().url, BYE);
}

#[tokio::test]
async fn without_a_hint_the_user_is_asked_and_may_close_the_page() {
    let mut it = signed_in().await;
    let id = it.client.client_id.clone();
    it.asks(&[]).await;
    it.asks(&[("state", "the state")]).await;
    it.asks(&[("client_id", &id)]).await;
    let parameters =
        [("client_id", id.as_str()), ("post_logout_redirect_uri", BYE), ("state", "s&t")];
    let page = it.asks(&parameters).await;
    // What leads on to a client may lead anywhere from there.
    assert!(!page.header("content-security-policy").contains("form-action"));
    let landing = it.browser.submit(&page, &[]).await.client();
    assert_eq!(landing.url, format!("{BYE}?state=s%26t"));
    assert!(!it.is_signed_in().await);
}

#[tokio::test]
async fn with_the_hint_of_another_user_the_one_who_has_signed_in_is_asked() {
    let mut it = signed_in().await;
    let bob = it.app.user("bob@example.com", PASSWORD).await;
    let code = it.app.code(&mut it.app.browser(), &it.client, &bob, &[]).await;
    let hint = it.app.redeem(&it.client, &code, &[]).await.text("id_token");
    let page = it.asks(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).await;
    assert_eq!(it.browser.submit(&page, &[]).await.client().url, BYE);
    assert!(!it.is_signed_in().await);
}

/// How long a session is left alone until nobody is signed in any more: idle, and over for good.
const EXPIRED: [u64; 2] = [86_400, 8 * 86_400];

#[tokio::test]
async fn no_other_site_ends_the_grants_of_a_session_that_has_expired() {
    for expired in EXPIRED {
        let mut it = signed_in().await;
        let code = it.app.code(&mut it.browser, &it.client, &it.user, &[]).await;
        let tokens = it.app.redeem(&it.client, &code, &[]).await;
        let bob = it.app.user("bob@example.com", PASSWORD).await;
        let code = it.app.code(&mut it.app.browser(), &it.client, &bob, &[]).await;
        let bobs = it.app.redeem(&it.client, &code, &[]).await.text("id_token");
        it.app.advance(expired);
        forget_expired(&it.app);
        let id = it.client.client_id.as_str();
        // The address bar and a link of any site bring the cookie along.
        for parameters in [
            vec![],
            vec![("client_id", id), ("post_logout_redirect_uri", BYE)],
            vec![("id_token_hint", bobs.as_str()), ("post_logout_redirect_uri", BYE)],
        ] {
            let page = it.browser.open(&logout_path(&parameters)).await.page();
            check_page(&page, 200);
            assert!(html(&page).contains("id=\"signout\""), "{}", html(&page));
            assert!(!html(&page).contains("alice@example.com"), "whoever sits there now");
        }
        for fields in [vec![], vec![("csrf", "x")], vec![("client_id", id)]] {
            check_asked_again(&it.app, &it.browser.post("/signout", &fields).await);
        }
        let refreshed = it.app.refresh(&it.client, &tokens.text("refresh_token"), &[]).await;
        assert_eq!(refreshed.status, 200, "{}", refreshed.json());
    }
}

#[tokio::test]
async fn a_genuine_hint_ends_the_grants_of_a_session_that_has_expired() {
    for expired in EXPIRED {
        let mut it = signed_in().await;
        let code = it.app.code(&mut it.browser, &it.client, &it.user, &[]).await;
        let tokens = it.app.redeem(&it.client, &code, &[]).await;
        it.app.advance(expired);
        forget_expired(&it.app);
        let hint = it.hint.clone();
        let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE)];
        assert_eq!(it.browser.open(&logout_path(&parameters)).await.client().url, BYE);
        let refused = it.app.refresh(&it.client, &tokens.text("refresh_token"), &[]).await;
        assert_eq!(refused.outcome(), (400, "invalid_grant".into()));
        // There is nothing left to ask about.
        let page = it.browser.open("/oauth2/logout").await.page();
        assert!(html(&page).contains("You are signed out"));
    }
}

#[tokio::test]
async fn a_cookie_that_another_has_replaced_signs_nobody_out_unasked() {
    let mut it = signed_in().await;
    let mut former = it.browser.clone();
    it.app.code(&mut it.browser, &it.client, &it.user, &[("prompt", "login")]).await;
    let page = former.open("/oauth2/logout").await.page();
    assert!(html(&page).contains("id=\"signout\""), "{}", html(&page));
    assert!(it.is_signed_in().await);
}

#[tokio::test]
async fn whoever_has_no_session_is_led_on_at_once() {
    let it = signed_in().await;
    let id = it.client.client_id.as_str();
    for parameters in [
        vec![("id_token_hint", it.hint.as_str()), ("post_logout_redirect_uri", BYE)],
        vec![("client_id", id), ("post_logout_redirect_uri", BYE)],
    ] {
        let landing = it.app.browser().open(&logout_path(&parameters)).await.client();
        assert_eq!(landing.url, BYE);
    }
    let page = it.app.browser().open("/oauth2/logout").await.page();
    assert!(html(&page).contains("You are signed out"));
    let mut it = it;
    assert!(it.is_signed_in().await, "another browser is not concerned");
}

/// Asserts that a form has ended nothing, and that the user is asked by the page of the present session.
#[track_caller]
fn check_asked_again(app: &TestApp, answer: &Answer) {
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").starts_with(&format!("{}/signout", app.issuer)));
    assert_eq!(answer.header("set-cookie"), "");
}

#[tokio::test]
async fn a_forged_form_signs_nobody_out() {
    let mut it = signed_in().await;
    let page = it.asks(&[]).await;
    let right = Form::of(&page).get("csrf");
    // The token of another browser of the same user, and of the session before this one.
    let mut other = it.app.browser();
    it.app.code(&mut other, &it.client, &it.user, &[]).await;
    let others = Form::of(&other.open("/signout").await.page()).get("csrf");
    for csrf in ["", "x", &others, &right[1..]] {
        check_asked_again(&it.app, &it.browser.post("/signout", &[("csrf", csrf)]).await);
    }
    check_asked_again(&it.app, &it.browser.post("/signout", &[]).await);
    for (name, value) in FOREIGN {
        let form = it.app.server.post("/signout").form(&[("csrf", &right)]).header(name, value);
        let answer = it.browser.send(form).await;
        check_page(&answer, 403);
        assert_eq!(answer.header("set-cookie"), "");
    }
    assert!(it.is_signed_in().await);
    // The form of a session that has changed since shows the page of the present one.
    it.app.code(&mut it.browser, &it.client, &it.user, &[("prompt", "login")]).await;
    check_asked_again(&it.app, &it.browser.post("/signout", &[("csrf", &right)]).await);
    assert!(it.is_signed_in().await);
    let page = it.asks(&[]).await;
    check_page(&it.browser.submit_once(&page, &[("user", "x")]).await, 400);
    assert!(it.is_signed_in().await);
    assert!(matches!(it.browser.submit(&page, &[]).await, Shown::Page(_)));
    assert!(!it.is_signed_in().await);
}

#[tokio::test]
async fn a_posted_request_goes_on_as_a_get() {
    let mut it = signed_in().await;
    let hint = it.hint.clone();
    let parameters =
        [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", "a b+c")];
    // As from the client's site: without our cookies.
    let path = logout_path(&parameters);
    let (_, query) = path.split_once('?').unwrap();
    let form = "application/x-www-form-urlencoded";
    let call = it.app.server.post("/oauth2/logout").body(form, query.to_owned());
    let answer = call.send().await;
    assert_eq!(answer.status, 303);
    let location = answer.header("location").to_owned();
    assert_eq!(location, format!("{}{path}", it.app.issuer));
    assert_eq!(answer.header("set-cookie"), "");
    assert!(it.is_signed_in().await);
    let landing = it.browser.open(&location).await.client();
    assert_eq!(landing.get("state"), "a b+c");
    assert!(!it.is_signed_in().await);
}

#[tokio::test]
async fn a_client_that_is_switched_off_or_gone_sends_nobody_anywhere() {
    let mut it = signed_in().await;
    let (hint, client) = (it.hint.clone(), it.client.clone());
    for gone in [false, true] {
        if gone {
            delete(&it.app, "clients", &client.id).await;
        } else {
            it.app.change(&client, json!({"isActive": false})).await;
        }
        let parameters =
            [("client_id", client.client_id.as_str()), ("post_logout_redirect_uri", BYE)];
        let page = it.browser.open(&logout_path(&parameters)).await.page();
        assert_eq!(Form::of(&page).hidden.len(), 1, "{}", html(&page));
    }
    assert_eq!(count(&it.app, "SESSION#"), 1);
    // The hint is still this session's.
    let page = it.browser.open(&logout_path(&[("id_token_hint", hint.as_str())])).await.page();
    assert!(html(&page).contains("You are signed out"), "{}", html(&page));
    assert_eq!(count(&it.app, "SESSION#"), 0);
}

#[tokio::test]
async fn a_parameter_given_twice_or_broken_is_a_page() {
    let mut it = signed_in().await;
    for query in ["state=a&state=b", "state=%zz", "state=%00", "client_id=a&client_id=a"] {
        check_page(&it.browser.get(&format!("/oauth2/logout?{query}")).await, 400);
    }
    assert!(it.is_signed_in().await);
}

#[tokio::test]
async fn a_state_that_is_too_long_leads_nowhere() {
    let mut it = signed_in().await;
    let (hint, id) = (it.hint.clone(), it.client.client_id.clone());
    // 683 bytes of each, three times as long in a URL.
    let long = "!".repeat(683);
    let target = [("post_logout_redirect_uri", BYE), ("state", long.as_str())];
    it.leads_nowhere(&[&[("id_token_hint", hint.as_str())], &target[..]].concat()).await;
    it.leads_nowhere(&[&[("client_id", id.as_str())], &target[..]].concat()).await;
    let short = "!".repeat(682);
    let page = it
        .asks(&[("client_id", id.as_str()), ("post_logout_redirect_uri", BYE), ("state", &short)])
        .await;
    assert_eq!(it.browser.submit(&page, &[]).await.client().get("state"), short);
}
