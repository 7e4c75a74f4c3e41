//! The authorization endpoint in the plans "Basic OP" and "Form Post Basic OP", and the plan
//! "RP-Initiated Logout OP". Each test names its module of the conformance suite.

use std::collections::BTreeMap;

use identety_tests::app::{TestApp, TestClient, TestUser, unverified};
use identety_tests::browser::{Browser, Form, Shown, html};
use identety_tests::sign_in::{CALLBACK, PASSWORD, request};
use rstest::rstest;
use serde_json::{Value, json};

use crate::users_sign_in::logout::{BYE, logout_path, signed_in};
use crate::users_sign_in::steps::{check_form_post, check_page, is_consent, is_sign_in};

/// How the plans want the answer: `None` is the default.
type Mode = Option<&'static str>;

/// A confidential client that sends no PKCE, as that of the suite, and its user's browser.
struct Suite {
    app: TestApp,
    client: TestClient,
    user: TestUser,
    browser: Browser,
    mode: Mode,
}

impl Suite {
    async fn start(mode: Mode) -> Self {
        let app = TestApp::start().await;
        let alg = json!({"type": "private", "idTokenSigningAlg": "RS256"});
        let (client, user) = (app.users_client(alg).await, app.alice().await);
        let browser = app.browser();
        Self { app, client, user, browser, mode }
    }

    /// A request with these changes.
    fn path(&self, changes: &[(&str, &str)]) -> String {
        let mode = self.mode.unwrap_or_default();
        let plain =
            [("code_challenge", ""), ("code_challenge_method", ""), ("response_mode", mode)];
        request(&self.client, &[&plain, changes].concat())
    }

    /// Where the browser ends, and how often the user had to sign in on the way.
    async fn go_on(&mut self, mut shown: Shown) -> (BTreeMap<String, String>, u32) {
        let mut sign_ins = 0;
        for _ in 0..4 {
            let page = match shown {
                Shown::Client(landing) => {
                    assert_eq!(self.mode, None, "nothing in the query");
                    assert!(landing.url.starts_with(CALLBACK));
                    return (landing.parameters, sign_ins);
                }
                Shown::Page(page) => page,
            };
            if is_sign_in(&page) {
                sign_ins += 1;
                let entered = [("email", self.user.email.as_str()), ("password", PASSWORD)];
                shown = self.browser.submit(&page, &entered).await;
            } else if is_consent(&page) {
                shown = self.browser.submit(&page, &[("decision", "allow")]).await;
            } else {
                let is_silent = page.header("x-frame-options").is_empty();
                check_form_post(&page, is_silent);
                let form = Form::of(&page);
                assert_eq!((form.action.as_str(), self.mode), (CALLBACK, Some("form_post")));
                return (form.hidden.into_iter().collect(), sign_ins);
            }
        }
        panic!("the browser never arrives")
    }

    /// The answer to a request.
    async fn answer(&mut self, changes: &[(&str, &str)]) -> (BTreeMap<String, String>, u32) {
        let shown = self.browser.open(&self.path(changes)).await;
        let (answer, sign_ins) = self.go_on(shown).await;
        assert_eq!(answer["iss"], self.app.issuer);
        (answer, sign_ins)
    }

    /// The error that answers a request.
    async fn error(&mut self, changes: &[(&str, &str)]) -> String {
        let (answer, sign_ins) = self.answer(changes).await;
        assert_eq!(sign_ins, 0);
        assert_eq!(answer["state"], "the state");
        answer["error"].clone()
    }

    /// The claims that a code gives.
    async fn claims_of(&self, answer: &BTreeMap<String, String>) -> Value {
        let tokens = self.app.redeem(&self.client, &answer["code"], &[("code_verifier", "")]).await;
        assert_eq!(tokens.status, 200, "{}", tokens.json());
        let (header, claims) = unverified(&tokens.text("id_token"));
        assert_eq!(header["alg"], "RS256");
        claims
    }

    /// The claims of a request that succeeds, and how often the user had to sign in.
    async fn claims(&mut self, changes: &[(&str, &str)]) -> (Value, u32) {
        let (answer, sign_ins) = self.answer(changes).await;
        assert_eq!(answer["state"], "the state");
        let claims = self.claims_of(&answer).await;
        assert_eq!(claims["sub"], self.user.id.as_str());
        (claims, sign_ins)
    }

    /// The ID token of a request that succeeds.
    async fn id_token(&mut self) -> String {
        let (answer, _) = self.answer(&[]).await;
        let tokens = self.app.redeem(&self.client, &answer["code"], &[("code_verifier", "")]).await;
        tokens.text("id_token")
    }
}

/// `oidcc-response-type-missing`
#[rstest]
#[tokio::test]
async fn a_request_without_response_type_is_invalid(#[values(None, Some("form_post"))] mode: Mode) {
    let error = Suite::start(mode).await.error(&[("response_type", "")]).await;
    assert_eq!(error, "invalid_request");
}

/// `oidcc-ensure-request-without-nonce-succeeds-for-code-flow`
#[rstest]
#[tokio::test]
async fn neither_nonce_nor_pkce_is_needed(#[values(None, Some("form_post"))] mode: Mode) {
    let (claims, _) = Suite::start(mode).await.claims(&[("nonce", "")]).await;
    assert_eq!(claims.get("nonce"), None);
}

/// `oidcc-alternate-happy-flow`
#[rstest]
#[tokio::test]
async fn another_order_of_scopes_and_parameters_succeeds(
    #[values(None, Some("form_post"))] mode: Mode,
) {
    let mut suite = Suite::start(mode).await;
    let path = suite.path(&[("scope", "email profile openid")]);
    let (path, query) = path.split_once('?').unwrap();
    let reversed = query.split('&').rev().collect::<Vec<_>>().join("&");
    let shown = suite.browser.open(&format!("{path}?{reversed}")).await;
    let (answer, _) = suite.go_on(shown).await;
    assert_eq!(suite.claims_of(&answer).await["nonce"], "the nonce");
}

/// `oidcc-display-page`, `oidcc-display-popup`, `oidcc-login-hint`, `oidcc-ui-locales`,
/// `oidcc-claims-locales`, `oidcc-ensure-request-with-unknown-parameter-succeeds`
#[rstest]
#[case("display", "page")]
#[case("display", "popup")]
#[case("login_hint", "alice@example.com")]
#[case("ui_locales", "se")]
#[case("claims_locales", "se")]
#[case("extra", "foobar")]
#[tokio::test]
async fn what_the_server_has_no_use_for_is_tolerated(
    #[case] name: &str,
    #[case] value: &str,
    #[values(None, Some("form_post"))] mode: Mode,
) {
    Suite::start(mode).await.claims(&[(name, value)]).await;
}

/// `oidcc-prompt-login`
#[rstest]
#[tokio::test]
async fn prompt_login_asks_again_and_auth_time_moves_forward(
    #[values(None, Some("form_post"))] mode: Mode,
) {
    let mut suite = Suite::start(mode).await;
    let (first, _) = suite.claims(&[]).await;
    suite.app.advance(1);
    let (second, sign_ins) = suite.claims(&[("prompt", "login")]).await;
    assert_eq!(sign_ins, 1);
    assert!(second["auth_time"].as_u64() > first["auth_time"].as_u64());
}

/// `oidcc-prompt-none-not-logged-in`
#[rstest]
#[tokio::test]
async fn prompt_none_without_a_session_is_login_required_and_the_state_is_intact(
    #[values(None, Some("form_post"))] mode: Mode,
) {
    let state = "Aa0-._~".repeat(20)[..128].to_owned();
    let changes = [("prompt", "none"), ("state", state.as_str())];
    let (answer, sign_ins) = Suite::start(mode).await.answer(&changes).await;
    assert_eq!((answer["error"].as_str(), sign_ins), ("login_required", 0));
    assert_eq!(answer["state"], state);
}

/// `oidcc-prompt-none-logged-in`
#[rstest]
#[tokio::test]
async fn prompt_none_with_a_session_succeeds_with_the_same_auth_time(
    #[values(None, Some("form_post"))] mode: Mode,
) {
    let mut suite = Suite::start(mode).await;
    let (first, _) = suite.claims(&[]).await;
    suite.app.advance(1);
    let (second, sign_ins) = suite.claims(&[("prompt", "none")]).await;
    assert_eq!(sign_ins, 0);
    assert_eq!((&first["sub"], &first["auth_time"]), (&second["sub"], &second["auth_time"]));
}

/// `oidcc-max-age-1`
#[rstest]
#[tokio::test]
async fn max_age_1_asks_again_after_two_seconds(#[values(None, Some("form_post"))] mode: Mode) {
    let mut suite = Suite::start(mode).await;
    let (first, _) = suite.claims(&[]).await;
    suite.app.advance(2);
    let (second, sign_ins) = suite.claims(&[("max_age", "1")]).await;
    assert_eq!(sign_ins, 1);
    assert!(second["auth_time"].as_u64() > first["auth_time"].as_u64());
    assert_eq!(second["auth_time"], suite.app.now().seconds());
}

/// `oidcc-max-age-10000`
#[rstest]
#[tokio::test]
async fn max_age_10000_does_not_ask_again(#[values(None, Some("form_post"))] mode: Mode) {
    let mut suite = Suite::start(mode).await;
    let (first, _) = suite.claims(&[("max_age", "15000")]).await;
    suite.app.advance(2);
    let (second, sign_ins) = suite.claims(&[("max_age", "10000")]).await;
    assert_eq!(sign_ins, 0);
    assert!(second["auth_time"].is_u64());
    assert_eq!(first["auth_time"], second["auth_time"]);
}

/// `oidcc-id-token-hint`
#[rstest]
#[tokio::test]
async fn prompt_none_with_the_users_own_hint_succeeds(
    #[values(None, Some("form_post"))] mode: Mode,
) {
    let mut suite = Suite::start(mode).await;
    let hint = suite.id_token().await;
    let (_, sign_ins) = suite.claims(&[("prompt", "none"), ("id_token_hint", &hint)]).await;
    assert_eq!(sign_ins, 0);
}

/// `oidcc-ensure-request-with-acr-values-succeeds`
#[rstest]
#[tokio::test]
async fn acr_values_are_answered_by_acr(#[values(None, Some("form_post"))] mode: Mode) {
    let mut suite = Suite::start(mode).await;
    let metadata = suite.app.server.get("/.well-known/openid-configuration").send().await.json();
    let known = metadata["acr_values_supported"][0].as_str().unwrap().to_owned();
    for values in [known.as_str(), "1 2", "unknown"] {
        let (claims, _) = suite.claims(&[("acr_values", values)]).await;
        assert_eq!(claims["acr"], known.as_str());
    }
}

/// `oidcc-ensure-registered-redirect-uri`
#[rstest]
#[tokio::test]
async fn an_unregistered_redirect_uri_is_a_page(#[values(None, Some("form_post"))] mode: Mode) {
    let mut suite = Suite::start(mode).await;
    let other = format!("{CALLBACK}/other");
    let path = suite.path(&[("redirect_uri", &other)]);
    let page = suite.browser.get(&path).await;
    check_page(&page, 400);
    assert!(!html(&page).contains("<form"));
}

/// `oidcc-ensure-post-request-succeeds`
#[rstest]
#[tokio::test]
async fn a_posted_request_succeeds(#[values(None, Some("form_post"))] mode: Mode) {
    let mut suite = Suite::start(mode).await;
    let path = suite.path(&[]);
    let (path, query) = path.split_once('?').unwrap();
    let form = "application/x-www-form-urlencoded";
    let answer = suite.browser.send(suite.app.server.post(path).body(form, query.to_owned())).await;
    let shown = suite.browser.follow(answer).await;
    let (answer, _) = suite.go_on(shown).await;
    assert_eq!(suite.claims_of(&answer).await["nonce"], "the nonce");
}

/// `oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported`,
/// `oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported`,
/// `oidcc-ensure-request-object-with-redirect-uri`
#[rstest]
#[case("request_uri", "https://app.example.com/request.jwt", "request_uri_not_supported")]
#[case("request", "eyJhbGciOiJub25lIn0.eyJzY29wZSI6Im9wZW5pZCJ9.", "request_not_supported")]
#[case(
    "request",
    "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZS8ifQ.",
    "request_not_supported"
)]
#[case("request", "eyJhbGciOiJub25lIn0.eyJzdGF0ZSI6InMifQ.", "request_not_supported")]
#[tokio::test]
async fn request_objects_are_rejected_as_unsupported(
    #[case] name: &str,
    #[case] value: &str,
    #[case] error: &str,
    #[values(None, Some("form_post"))] mode: Mode,
) {
    assert_eq!(Suite::start(mode).await.error(&[(name, value)]).await, error);
}

/// `oidcc-claims-essential`, which asks for no scope but `openid`
#[rstest]
#[tokio::test]
async fn userinfo_has_the_name_that_the_claims_parameter_asks_for_and_the_id_token_has_not(
    #[values(None, Some("form_post"))] mode: Mode,
) {
    let mut suite = Suite::start(mode).await;
    let claims = r#"{"userinfo":{"name":{"essential":true}}}"#;
    let (answer, _) = suite.answer(&[("scope", "openid"), ("claims", claims)]).await;
    let tokens = suite.app.redeem(&suite.client, &answer["code"], &[("code_verifier", "")]).await;
    let info = suite.app.userinfo(&tokens.text("access_token")).await;
    assert_eq!(info.text("name"), "Alice Adams");
    assert_eq!(unverified(&tokens.text("id_token")).1.get("name"), None);
}

/// `oidcc-rp-initiated-logout-discovery-endpoint-verification`
#[tokio::test]
async fn discovery_names_the_end_session_endpoint() {
    let app = TestApp::start().await;
    let metadata = app.server.get("/.well-known/openid-configuration").send().await;
    assert_eq!(metadata.text("end_session_endpoint"), format!("{}/oauth2/logout", app.issuer));
}

/// `oidcc-rp-initiated-logout`, `oidcc-rp-initiated-logout-no-state`
#[rstest]
#[case("the state of the logout", "?state=the%20state%20of%20the%20logout")]
#[case("", "")]
#[tokio::test]
async fn a_logout_leads_back_and_the_session_is_gone(#[case] state: &str, #[case] query: &str) {
    let mut it = signed_in().await;
    let hint = it.hint.clone();
    let parameters =
        [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", state)];
    let landing = it.browser.open(&logout_path(&parameters)).await.client();
    assert_eq!(landing.url, format!("{BYE}{query}"));
    assert!(!it.is_signed_in().await);
}

/// `oidcc-rp-initiated-logout-bad-post-logout-redirect-uri`,
/// `oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri`
#[rstest]
#[case("https://app.example.com/bye/bad")]
#[case("https://app.example.com/bye?foo=bar")]
#[tokio::test]
async fn a_logout_to_an_unregistered_uri_asks_and_leads_nowhere(#[case] uri: &str) {
    let mut it = signed_in().await;
    let hint = it.hint.clone();
    it.leads_nowhere(&[
        ("id_token_hint", &hint),
        ("post_logout_redirect_uri", uri),
        ("state", "s"),
    ])
    .await;
}

/// `oidcc-rp-initiated-logout-modified-id-token-hint`, `oidcc-rp-initiated-logout-bad-id-token-hint`
#[tokio::test]
async fn a_logout_with_a_hint_that_is_not_genuine_asks_and_leads_nowhere() {
    let mut it = signed_in().await;
    let claims = it.hint.split('.').nth(1).unwrap().to_owned();
    for hint in [format!("eyJhbGciOiJub25lIn0.{claims}."), format!("{}bad", it.hint)] {
        it.leads_nowhere(&[
            ("id_token_hint", &hint),
            ("post_logout_redirect_uri", BYE),
            ("state", "s"),
        ])
        .await;
    }
}

/// `oidcc-rp-initiated-logout-no-id-token-hint`
#[tokio::test]
async fn a_logout_without_a_hint_asks() {
    let mut it = signed_in().await;
    it.leads_nowhere(&[("post_logout_redirect_uri", BYE), ("state", "s")]).await;
    let id = it.client.client_id.clone();
    it.asks(&[("client_id", &id), ("post_logout_redirect_uri", BYE), ("state", "s")]).await;
}

/// `oidcc-rp-initiated-logout-no-params`, `oidcc-rp-initiated-logout-only-state`
#[rstest]
#[case(&[])]
#[case(&[("state", "the state")])]
#[tokio::test]
async fn a_logout_that_names_nobody_asks_and_ends_on_our_own_page(
    #[case] parameters: &[(&str, &str)],
) {
    let mut it = signed_in().await;
    let page = it.asks(parameters).await;
    let page = it.browser.submit(&page, &[]).await.page();
    assert!(html(&page).contains("You are signed out"));
    assert!(!it.is_signed_in().await);
}

/// `oidcc-rp-initiated-logout-no-post-logout-redirect-uri`
#[tokio::test]
async fn a_logout_without_anywhere_to_go_ends_on_our_own_page() {
    let mut it = signed_in().await;
    let hint = it.hint.clone();
    let parameters = [("id_token_hint", hint.as_str()), ("state", "the state")];
    let page = it.browser.open(&logout_path(&parameters)).await.page();
    check_page(&page, 200);
    assert!(html(&page).contains("You are signed out"));
    assert!(!it.is_signed_in().await);
}
