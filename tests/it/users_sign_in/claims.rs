//! `claims` (OpenID Connect Core 1.0 §5.5) and `idTokenClaims`: what a client learns of its user, and where.

use identety_tests::app::{TestApp, TestClient, TestUser, unverified};
use identety_tests::browser::{Browser, html};
use identety_tests::call::Answer;
use identety_tests::sign_in::{PASSWORD, request};
use rstest::rstest;
use serde_json::{Value, json};

use super::steps::{
    answer_to, check_refused, consent_page, count, enter, kind, sign_in_page, silently,
};

/// The claims of an ID token that are about the user, in the order of the alphabet.
fn about_user(tokens: &Answer) -> Vec<String> {
    let (_, claims) = unverified(&tokens.text("id_token"));
    let about_sign_in =
        ["acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub"];
    let names = claims.as_object().unwrap().keys();
    names.filter(|name| !about_sign_in.contains(&name.as_str())).cloned().collect()
}

/// What userinfo says, but for the `sub`.
async fn at_userinfo(app: &TestApp, tokens: &Answer) -> Vec<String> {
    let info = app.userinfo(&tokens.text("access_token")).await;
    assert_eq!(info.status, 200, "{}", info.json());
    info.json().as_object().unwrap().keys().filter(|name| *name != "sub").cloned().collect()
}

/// A client of which these members are not the default.
async fn client(app: &TestApp, more: Value) -> TestClient {
    let mut members = json!({"type": "public"});
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.users_client(members).await
}

const PROFILE: [&str; 14] = [
    "birthdate",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
];

#[tokio::test]
async fn an_id_token_says_who_the_user_is_as_far_as_profile_and_email_go() {
    let app = TestApp::start().await;
    let (client, user) = (client(&app, json!({})).await, app.ada().await);
    for (scope, expected) in [
        ("openid", vec![]),
        ("openid email", vec!["email", "email_verified"]),
        ("openid profile", PROFILE.to_vec()),
        ("openid address phone", vec![]),
    ] {
        let tokens = app.tokens(&client, &user, &[("scope", scope)]).await;
        assert_eq!(about_user(&tokens), expected, "{scope}");
    }
    let tokens = app.tokens(&client, &user, &[("scope", "openid profile email")]).await;
    let (_, claims) = unverified(&tokens.text("id_token"));
    let info = app.userinfo(&tokens.text("access_token")).await.json();
    for (name, value) in info.as_object().unwrap() {
        assert_eq!(claims[name], *value, "{name} is the same at userinfo");
    }
}

#[rstest]
#[case(json!("none"), &[])]
#[case(json!([]), &[])]
#[case(json!(["email", "address", "phone_number"]), &["address", "email", "phone_number"])]
#[case(json!("scope"), &["email", "email_verified"])]
#[case(Value::Null, &["email", "email_verified"])]
#[tokio::test]
async fn an_administrator_says_what_the_id_token_of_a_client_has(
    #[case] member: Value,
    #[case] expected: &[&str],
) {
    let app = TestApp::start().await;
    let client = client(&app, json!({"idTokenClaims": member})).await;
    let changes = [("scope", "openid email address phone")];
    let tokens = app.tokens(&client, &app.ada().await, &changes).await;
    assert_eq!(about_user(&tokens), expected);
    let all = ["address", "email", "email_verified", "phone_number", "phone_number_verified"];
    assert_eq!(at_userinfo(&app, &tokens).await, all, "userinfo has it all");
}

#[tokio::test]
async fn a_list_gives_no_more_than_the_user_has_allowed() {
    let app = TestApp::start().await;
    let client = client(&app, json!({"idTokenClaims": ["email", "address", "name"]})).await;
    let tokens = app.tokens(&client, &app.ada().await, &[("scope", "openid profile")]).await;
    assert_eq!(about_user(&tokens), ["name"]);
}

#[tokio::test]
async fn a_refreshed_id_token_says_the_same_of_the_user_as_known_by_then() {
    let app = TestApp::start().await;
    let (client, user) = (client(&app, json!({})).await, app.ada().await);
    let claims = r#"{"id_token":{"address":null},"userinfo":{"phone_number":null}}"#;
    let changes = [("scope", "openid profile email"), ("claims", claims)];
    let tokens = app.tokens(&client, &user, &changes).await;
    let change = json!({"name": "Ada King", "middleName": null});
    let path = format!("/admin/users/{}", user.id);
    assert_eq!(app.admin("PATCH", &path).json(&change).send().await.status, 200);
    let next = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    let mut expected = about_user(&tokens);
    assert!(expected.contains(&"address".to_owned()) && expected.contains(&"email".to_owned()));
    expected.retain(|name| name != "middle_name");
    assert_eq!(about_user(&next), expected);
    assert_eq!(unverified(&next.text("id_token")).1["name"], "Ada King");
    let info = app.userinfo(&next.text("access_token")).await.json();
    assert_eq!((&info["phone_number"], &info["address"]), (&json!("+4930123456"), &Value::Null));
    // A narrower token says what its own scope gives.
    let narrower = [("scope", "openid profile")];
    let narrower = app.refresh(&client, &next.text("refresh_token"), &narrower).await;
    assert!(!about_user(&narrower).contains(&"email".to_owned()));
}

#[tokio::test]
async fn a_claim_is_given_where_it_is_asked_for_and_nowhere_else() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    // What an administrator says of ID tokens is about what was not asked for.
    for member in ["none", "scope"] {
        let client = client(&app, json!({"idTokenClaims": member})).await;
        let claims = r#"{
            "userinfo": {"name": {"essential": true}, "phone_number": null, "sub": null},
            "id_token": {"email": null, "address": {"essential": false}, "auth_time": {"essential": true}}
        }"#;
        let claims = claims.replace('\n', "");
        let changes = [("scope", "openid"), ("claims", claims.as_str())];
        let tokens = app.tokens(&client, &user, &changes).await;
        assert_eq!(tokens.text("scope"), "openid");
        assert_eq!(about_user(&tokens), ["address", "email"]);
        assert_eq!(at_userinfo(&app, &tokens).await, ["name", "phone_number"]);
        let (_, id_token) = unverified(&tokens.text("id_token"));
        assert_eq!(id_token["email"], user.email.as_str());
        assert_eq!(id_token["address"]["locality"], "London");
    }
}

#[tokio::test]
async fn a_claim_with_another_value_than_is_asked_for_is_left_out() {
    let app = TestApp::start().await;
    let (client, user) = (client(&app, json!({})).await, app.ada().await);
    let claims = r#"{"id_token":{
        "email":{"essential":true,"values":["x@example.com","ada@example.com"]},
        "email_verified":{"value":false},"locale":{"value":"de"},"zoneinfo":{"value":"Europe/London"},
        "birthdate":{"value":1e300},"updated_at":{"values":["now",-0.5]}}}"#;
    let claims = claims.replace('\n', "");
    let tokens = app.tokens(&client, &user, &[("scope", "openid"), ("claims", &claims)]).await;
    assert_eq!(about_user(&tokens), ["email", "zoneinfo"]);
    // What the scope gives is given.
    let changes = [("scope", "openid profile"), ("claims", claims.as_str())];
    let tokens = app.tokens(&client, &user, &changes).await;
    assert_eq!(unverified(&tokens.text("id_token")).1["locale"], "en-GB");
}

#[tokio::test]
async fn a_client_learns_nothing_that_no_scope_of_it_gives() {
    let app = TestApp::start().await;
    let user = app.ada().await;
    let client = client(&app, json!({"scopes": ["openid", "email"]})).await;
    let claims =
        r#"{"userinfo":{"address":{"essential":true},"email":null},"id_token":{"name":null}}"#;
    let changes = [("scope", "openid"), ("claims", claims)];
    let mut browser = app.browser();
    let page = consent_page(&mut browser, &client, &user.email, &changes).await;
    assert!(html(&page).contains("See your email address"), "{}", html(&page));
    for word in ["postal", "name</li>"] {
        assert!(!html(&page).contains(word), "{word}: {}", html(&page));
    }
    let landing = browser.submit(&page, &[("decision", "allow")]).await.client();
    let tokens = app.redeem(&client, &landing.get("code"), &[]).await;
    assert_eq!(at_userinfo(&app, &tokens).await, ["email"]);
    assert_eq!(about_user(&tokens), [""; 0]);
    // Nor what no scope of it gives any more.
    app.change(&client, json!({"scopes": ["openid", "address"]})).await;
    assert_eq!(at_userinfo(&app, &tokens).await, [""; 0]);
    app.change(&client, json!({"scopes": ["openid", "email", "address"]})).await;
    assert_eq!(at_userinfo(&app, &tokens).await, ["email"], "what was not asked for stays so");
}

#[tokio::test]
async fn no_claim_about_the_user_passes_for_one_about_the_sign_in() {
    let app = TestApp::start().await;
    let (client, user) = (client(&app, json!({})).await, app.ada().await);
    let plain = app.tokens(&client, &user, &[("scope", "openid")]).await;
    let values = r#"{"value":"forged","essential":true}"#;
    let names = ["iss", "aud", "exp", "iat", "auth_time", "amr", "nonce", "at_hash", "sid", "azp"];
    let asked: Vec<_> = names.iter().map(|name| format!(r#""{name}":{values}"#)).collect();
    let asked = asked.join(",");
    let claims = format!(r#"{{"id_token":{{{asked}}},"userinfo":{{{asked}}}}}"#);
    let tokens = app.tokens(&client, &user, &[("scope", "openid"), ("claims", &claims)]).await;
    let claims_of = |tokens: &Answer| {
        let (_, mut claims) = unverified(&tokens.text("id_token"));
        for changes in ["at_hash", "sid"] {
            claims.as_object_mut().unwrap().remove(changes);
        }
        claims
    };
    assert_eq!(claims_of(&tokens), claims_of(&plain));
    let info = app.userinfo(&tokens.text("access_token")).await.json();
    assert_eq!(info, json!({"sub": user.id}));
}

#[tokio::test]
async fn the_consent_page_says_what_is_asked_for_beyond_the_scopes() {
    let app = TestApp::start().await;
    let (client, user) = (client(&app, json!({})).await, app.ada().await);
    let claims = r#"{"userinfo":{"email":null,"birthdate":null},"id_token":{"birthdate":null,"address":null}}"#;
    let changes = [("scope", "openid email"), ("claims", claims)];
    let page = html(&consent_page(&mut app.browser(), &client, &user.email, &changes).await);
    let once = |text: &str| assert_eq!(page.matches(text).count(), 1, "{text}: {page}");
    once("<li>See your email address</li>");
    once("<li>See your date of birth</li>");
    once("<li>See your postal address</li>");
    assert_eq!(page.matches("<li>").count(), 4, "{page}");
    // Without openid nothing could hold a claim.
    let changes = [("scope", "photos:read"), ("claims", claims)];
    let page = html(&consent_page(&mut app.browser(), &client, &user.email, &changes).await);
    assert_eq!(page.matches("<li>").count(), 1, "{page}");
}

#[tokio::test]
async fn a_claim_that_was_allowed_is_not_asked_again_and_any_other_is() {
    let app = TestApp::start().await;
    let (client, user) = (client(&app, json!({})).await, app.ada().await);
    let mut browser = app.browser();
    let asking = |place: &str, name: &str| format!(r#"{{"{place}":{{"{name}":null}}}}"#);
    let email = asking("userinfo", "email");
    app.code(&mut browser, &client, &user, &[("scope", "openid"), ("claims", &email)]).await;
    let next = async |browser: &mut Browser, scope: &str, claims: &str| {
        let changes = [("scope", scope), ("claims", claims)];
        let shown = kind(&browser.open(&request(&client, &changes)).await);
        let silent = silently(browser, &client, &changes).await;
        let expected = if shown == "code" { "" } else { "consent_required" };
        assert_eq!(silent.get("error"), expected, "{scope} {claims}");
        shown
    };
    for (scope, claims, expected) in [
        ("openid", email.as_str(), "code"),
        ("openid", &asking("id_token", "email"), "code"),
        ("openid", "", "code"),
        ("openid", &asking("id_token", "unknown"), "code"),
        ("openid", &asking("id_token", "email_verified"), "consent"),
        ("openid", &asking("userinfo", "name"), "consent"),
        // The claim was allowed, not everything that its scope gives.
        ("openid email", "", "consent"),
    ] {
        assert_eq!(next(&mut browser, scope, claims).await, expected, "{scope} {claims}");
    }
    app.code(&mut browser, &client, &user, &[("scope", "openid profile")]).await;
    assert_eq!(next(&mut browser, "openid", &asking("id_token", "name")).await, "code");
    assert_eq!(next(&mut browser, "openid profile", &email).await, "code");
    assert_eq!(next(&mut browser, "openid", &asking("id_token", "address")).await, "consent");
}

#[tokio::test]
async fn what_the_user_denies_is_not_allowed() {
    let app = TestApp::start().await;
    let (client, user) = (client(&app, json!({})).await, app.ada().await);
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[("scope", "openid")]).await;
    let claims = r#"{"id_token":{"email":null}}"#;
    let changes = [("scope", "openid"), ("claims", claims)];
    let page = browser.open(&request(&client, &changes)).await.page();
    let landing = browser.submit(&page, &[("decision", "deny")]).await.client();
    assert_eq!(landing.get("error"), "access_denied");
    let silent = silently(&mut browser, &client, &changes).await;
    assert_eq!(silent.get("error"), "consent_required");
}

#[rstest]
#[case("x")]
#[case("\u{1F4DA}")]
#[tokio::test]
async fn a_user_of_whom_all_is_known_at_length_has_an_id_token_that_fits_into_a_url(
    #[case] filler: &str,
) {
    let app = TestApp::start().await;
    let client = client(&app, json!({})).await;
    let text = filler.repeat(512);
    let url = format!("https://example.com/{}", "x".repeat(492));
    let members = json!({
        "email": "long@example.com", "password": PASSWORD, "name": text, "givenName": text,
        "familyName": text, "middleName": text, "nickname": text, "preferredUsername": text,
        "profile": url, "picture": url, "website": url, "gender": text,
    });
    let answer = app.admin("POST", "/admin/users").json(&members).send().await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    let (id, email) = (answer.text("id"), "long@example.com".to_owned());
    let user = TestUser { id, email, password: PASSWORD.into() };
    let tokens = app.tokens(&client, &user, &[("scope", "openid profile email")]).await;
    assert!(tokens.text("id_token").len() < 7000, "{}", tokens.text("id_token").len());
    let about = about_user(&tokens);
    for name in ["email", "email_verified", "name"] {
        assert!(about.contains(&name.to_owned()), "{name}: {about:?}");
    }
    let info = app.userinfo(&tokens.text("access_token")).await.json();
    for name in ["name", "middle_name", "gender"] {
        assert_eq!(info[name], text, "what has no room is at userinfo");
    }
}

#[rstest]
#[case("{")]
#[case("[]")]
#[case(r#"{"userinfo":{},"userinfo":{}}"#)]
#[case(r#"{"id_token":{"email":null,"email":{"essential":true}}}"#)]
#[case(r#"{"id_token":{"email":true}}"#)]
#[case(r#"{"id_token":{"email":{"essential":1}}}"#)]
#[case(r#"{"id_token":{"sub":{"value":["a"]}}}"#)]
#[case(&format!(r#"{{"x":"{}"}}"#, "y".repeat(4096)))]
#[tokio::test]
async fn malformed_claims_are_invalid_request_and_named(
    #[case] claims: &str,
    #[values("", "none")] prompt: &str,
) {
    let app = TestApp::start().await;
    let client = client(&app, json!({})).await;
    let path = request(&client, &[("claims", claims), ("prompt", prompt)]);
    check_refused(&app, &path, "invalid_request").await;
    let landing = answer_to(&app, &path).await;
    assert!(landing.get("error_description").contains("claims"), "{}", landing.url);
}

#[tokio::test]
async fn claims_that_come_twice_are_invalid_request() {
    let app = TestApp::start().await;
    let client = client(&app, json!({})).await;
    let path = request(&client, &[("claims", "{}")]);
    check_refused(&app, &format!("{path}&claims=%7B%7D"), "invalid_request").await;
}

fn sub(place: &str, users: &[&str]) -> String {
    json!({place: {"sub": {"values": users}}}).to_string()
}

#[tokio::test]
async fn a_sub_that_is_asked_for_is_the_one_who_must_sign_in() {
    let app = TestApp::start().await;
    let (client, alice) = (client(&app, json!({})).await, app.alice().await);
    let bob = app.user("bob@example.com", PASSWORD).await;
    let mut browser = app.browser();
    app.code(&mut browser, &client, &alice, &[]).await;
    for place in ["id_token", "userinfo"] {
        let own = sub(place, &[&alice.id]);
        let (others, either) = (sub(place, &[&bob.id]), sub(place, &[&bob.id, &alice.id]));
        for claims in [&own, &either] {
            let silent = silently(&mut browser, &client, &[("claims", claims)]).await;
            assert_eq!(silent.get("error"), "", "{claims}");
        }
        for claims in [&others, &sub(place, &["alice@example.com"]), &sub(place, &[""])] {
            let silent = silently(&mut browser, &client, &[("claims", claims)]).await;
            assert_eq!(silent.get("error"), "login_required", "{claims}");
            assert_eq!(silent.get("code"), "");
        }
        // Alice is asked to make room, and whoever signs in instead of Bob gets no code.
        let page = sign_in_page(&mut browser, &client, &[("claims", &others)]).await;
        let answer = enter(&mut browser, &page, &alice.email, PASSWORD).await;
        let landing = browser.follow(answer).await.client();
        assert_eq!(
            (landing.get("error"), landing.get("code")),
            ("login_required".into(), String::new())
        );
        let mut bobs = app.browser();
        let changes = [("claims", others.as_str())];
        let code = app.code(&mut bobs, &client, &bob, &changes).await;
        let tokens = app.redeem(&client, &code, &[]).await;
        assert_eq!(unverified(&tokens.text("id_token")).1["sub"], bob.id.as_str());
    }
    assert_eq!(count(&app, "GRANT#") % 2, 1, "one for Alice, and two in each round");
}

#[rstest]
#[case(r#"{"id_token":{"acr":{"essential":true,"values":["phr","2"]}}}"#)]
#[case(r#"{"id_token":{"acr":{"essential":true,"value":"0"}}}"#)]
#[tokio::test]
async fn an_essential_acr_that_no_sign_in_has_fails_before_anybody_signs_in(#[case] claims: &str) {
    let app = TestApp::start().await;
    let (client, user) = (client(&app, json!({})).await, app.alice().await);
    let path = request(&client, &[("claims", claims)]);
    check_refused(&app, &path, "unmet_authentication_requirements").await;
    let mut browser = app.browser();
    app.code(&mut browser, &client, &user, &[]).await;
    for prompt in ["none", "login"] {
        let path = request(&client, &[("claims", claims), ("prompt", prompt)]);
        let landing = browser.open(&path).await.client();
        assert_eq!(landing.get("error"), "unmet_authentication_requirements", "{prompt}");
    }
}

#[tokio::test]
async fn an_acr_that_is_met_or_wished_for_is_in_the_id_token() {
    let app = TestApp::start().await;
    let (client, user) = (client(&app, json!({})).await, app.alice().await);
    for acr in [
        json!(null),
        json!({"essential": true}),
        json!({"essential": true, "values": ["2", "1"]}),
        json!({"values": ["2"]}),
    ] {
        let claims = json!({"id_token": {"acr": acr}}).to_string();
        let tokens = app.tokens(&client, &user, &[("claims", &claims)]).await;
        assert_eq!(unverified(&tokens.text("id_token")).1["acr"], "1", "{claims}");
    }
}
