//! The authorization code grant: RFC 6749 §4.1.3, RFC 7636, RFC 8707, OpenID Connect Core 1.0 §3.1.3.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use identety_tests::app::{ISSUER, TestApp, unverified};
use identety_tests::call::Answer;
use identety_tests::sign_in::{CALLBACK, CHALLENGE, PASSWORD, VERIFIER, request};
use rstest::rstest;
use serde_json::json;
use sha2::{Digest as _, Sha256};

#[tokio::test]
async fn the_answer_has_every_token_and_nobody_may_keep_it() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let answer = app.tokens(&client, &user, &[("scope", "openid photos:read")]).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");
    let mut body = answer.json();
    for token in ["access_token", "refresh_token", "id_token"] {
        assert!(body[token].take().is_string(), "{token}");
    }
    assert_eq!(
        body,
        json!({
            "access_token": null, "refresh_token": null, "id_token": null,
            "token_type": "Bearer", "expires_in": 3600, "scope": "openid photos:read",
        })
    );
}

#[rstest]
#[case("RS256")]
#[case("ES256")]
#[tokio::test]
async fn the_access_token_speaks_of_the_user_and_names_the_grant(#[case] alg: &str) {
    let app = TestApp::start().await;
    let more = json!({"type": "private", "accessTokenSigningAlg": alg, "accessTokenLifetime": 300});
    let (client, user) = (app.users_client(more).await, app.alice().await);
    let answer = app.tokens(&client, &user, &[("scope", "photos:read")]).await;
    let (header, mut claims) = unverified(&answer.text("access_token"));
    assert_eq!(header, json!({"typ": "at+jwt", "alg": alg, "kid": header["kid"]}));
    assert_eq!(claims["jti"].take().as_str().unwrap().len(), 36);
    assert_eq!(claims["grant_id"].take().as_str().unwrap().len(), 24);
    let now = app.now().seconds();
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "sub": user.id, "aud": "https://api.example.com",
            "client_id": client.client_id, "scope": "photos:read",
            "iat": now, "nbf": now, "exp": now + 300, "jti": null, "grant_id": null,
        })
    );
    assert!(uuid::Uuid::parse_str(&user.id).is_ok());
    assert!(answer.json().get("id_token").is_none(), "nobody asked who the user is");
}

#[rstest]
#[case("RS256", "the nonce")]
#[case("ES256", "the nonce")]
#[case("ES256", "")]
#[tokio::test]
async fn the_id_token_says_who_signed_in_and_what_the_scope_gives(
    #[case] alg: &str,
    #[case] nonce: &str,
) {
    let app = TestApp::start().await;
    let (user, more) = (app.alice().await, json!({"type": "public", "idTokenSigningAlg": alg}));
    let client = app.users_client(more).await;
    let code = app.code(&mut app.browser(), &client, &user, &[("nonce", nonce)]).await;
    let auth_time = app.now().seconds();
    app.advance(30);
    let answer = app.redeem(&client, &code, &[]).await;
    let (header, claims) = unverified(&answer.text("id_token"));
    let jwks = app.server.get("/.well-known/jwks.json").send().await.json();
    let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]);
    assert_eq!(key.unwrap()["alg"], alg);
    assert_eq!(header, json!({"typ": "JWT", "alg": alg, "kid": header["kid"]}));
    let mut expected = json!({
        "iss": ISSUER, "sub": user.id, "aud": client.client_id,
        "iat": auth_time + 30, "exp": auth_time + 30 + 3600, "auth_time": auth_time,
        "acr": "1", "amr": ["pwd"], "at_hash": at_hash(&answer.text("access_token")),
        "sid": claims["sid"],
        "email": user.email, "email_verified": true, "name": "Alice Adams",
        "updated_at": auth_time,
    });
    let sid = claims["sid"].as_str().unwrap();
    assert!(sid.len() == 24 && app.dump().contains(sid), "it names the session");
    if !nonce.is_empty() {
        expected["nonce"] = nonce.into();
    }
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn a_code_used_twice_is_invalid_grant_and_ends_what_it_gave() {
    let app = TestApp::start().await;
    let (client, user) = (app.private_client().await, app.alice().await);
    let code = app.code(&mut app.browser(), &client, &user, &[]).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    let next = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(app.userinfo(&next.text("access_token")).await.status, 200);

    let again = app.redeem(&client, &code, &[]).await;
    assert_eq!(again.outcome(), invalid_grant());
    app.assert_dead(&client, &[&tokens, &next]).await;
}

#[rstest]
#[case(59, 200)]
#[case(60, 400)]
#[case(86_400, 400)]
#[tokio::test]
async fn a_code_lives_for_sixty_seconds(#[case] age: u64, #[case] status: u16) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let code = app.code(&mut app.browser(), &client, &user, &[]).await;
    app.advance(age);
    let answer = app.redeem(&client, &code, &[]).await;
    assert_eq!(answer.status, status);
    if status == 400 {
        assert_eq!(answer.text("error"), "invalid_grant");
    }
}

#[tokio::test]
async fn another_client_can_neither_use_a_code_nor_burn_it_nor_end_what_it_gave() {
    let app = TestApp::start().await;
    let (own, other) = (app.public_client().await, app.private_client().await);
    let user = app.alice().await;
    let code = app.code(&mut app.browser(), &own, &user, &[]).await;
    assert_eq!(app.redeem(&other, &code, &[]).await.outcome(), invalid_grant());
    let tokens = app.redeem(&own, &code, &[]).await;
    assert_eq!(tokens.status, 200);
    assert_eq!(app.redeem(&other, &code, &[]).await.outcome(), invalid_grant());
    assert_eq!(app.userinfo(&tokens.text("access_token")).await.status, 200);
}

#[rstest]
#[case("https://app.example.com/callback/")]
#[case("https://app.example.com/Callback")]
#[case("http://app.example.com/callback")]
#[case("https://app.example.com:443/callback")]
#[case("https://app.example.com/callback?x=1")]
#[case("https://app.example.com/other")]
#[tokio::test]
async fn another_redirect_uri_is_invalid_grant_and_burns_nothing(#[case] other: &str) {
    let app = TestApp::start().await;
    let uris = json!([CALLBACK, "https://app.example.com/other"]);
    let client = app.users_client(json!({"type": "public", "redirectUris": uris})).await;
    let code = app.code(&mut app.browser(), &client, &app.alice().await, &[]).await;
    let refused = app.redeem(&client, &code, &[("redirect_uri", other)]).await;
    assert_eq!(refused.outcome(), invalid_grant());
    assert_eq!(app.redeem(&client, &code, &[]).await.status, 200);
}

#[tokio::test]
async fn the_redirect_uri_may_be_left_out_where_pkce_binds_the_code() {
    let app = TestApp::start().await;
    let (client, user) = (app.private_client().await, app.alice().await);
    let mut browser = app.browser();
    let code = app.code(&mut browser, &client, &user, &[]).await;
    assert_eq!(app.redeem(&client, &code, &[("redirect_uri", "")]).await.status, 200);

    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = app.code(&mut browser, &client, &user, &without).await;
    let refused = app.redeem(&client, &code, &[("redirect_uri", ""), ("code_verifier", "")]).await;
    assert_eq!(refused.outcome(), invalid_grant());
    assert_eq!(app.redeem(&client, &code, &[("code_verifier", "")]).await.status, 200);
}

#[tokio::test]
async fn a_redirect_uri_that_the_request_left_out_is_left_out_here_too() {
    let app = TestApp::start().await;
    let (client, user) = (app.private_client().await, app.alice().await);
    let code = app.code(&mut app.browser(), &client, &user, &[("redirect_uri", "")]).await;
    assert_eq!(app.redeem(&client, &code, &[]).await.outcome(), invalid_grant());
    assert_eq!(app.redeem(&client, &code, &[("redirect_uri", "")]).await.status, 200);
}

#[rstest]
#[case::missing("")]
#[case::wrong("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl")]
#[case::the_challenge_itself(CHALLENGE)]
#[case::in_another_case("DBJFTJEZ4CVP-MB92K27UHBUJU1P1R_WW1GFWFOEJXK")]
#[case::shorter_than_43("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX")]
#[case::padded("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk=")]
#[case::with_a_space("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk ")]
#[case::longer_than_128(concat!("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXkdBjftJeZ4CVP-mB92K27u", "hbUJU1p1r_wW1gFWFOEjXkdBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))]
#[case::no_ascii("ümlautümlautümlautümlautümlautümlautümlaut")]
#[tokio::test]
async fn a_verifier_that_does_not_meet_the_challenge_is_invalid_grant(#[case] verifier: &str) {
    let app = TestApp::start().await;
    for client in [app.public_client().await, app.private_client().await] {
        let user = app.user(&format!("{}@example.com", client.id), PASSWORD).await;
        let code = app.code(&mut app.browser(), &client, &user, &[]).await;
        let refused = app.redeem(&client, &code, &[("code_verifier", verifier)]).await;
        assert_eq!(refused.outcome(), invalid_grant());
        // Who does not know the verifier cannot burn the code either.
        assert_eq!(app.redeem(&client, &code, &[]).await.status, 200);
    }
}

#[tokio::test]
async fn a_verifier_without_a_challenge_is_a_downgrade_and_refused() {
    let app = TestApp::start().await;
    let (client, user) = (app.private_client().await, app.alice().await);
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = app.code(&mut app.browser(), &client, &user, &without).await;
    assert_eq!(app.redeem(&client, &code, &[]).await.outcome(), invalid_grant());
    assert_eq!(app.redeem(&client, &code, &[("code_verifier", "")]).await.status, 200);
}

#[tokio::test]
async fn a_code_that_was_changed_anywhere_is_invalid_grant() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let code = app.code(&mut app.browser(), &client, &user, &[]).await;
    for at in 0..code.len() {
        let mut bytes = code.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        for text in [changed.as_str(), &code[..at]].into_iter().filter(|text| !text.is_empty()) {
            let refused = app.redeem(&client, text, &[]).await;
            assert_eq!(refused.outcome(), invalid_grant(), "{at}");
        }
    }
    for text in [format!("{code}A"), format!(" {code}"), format!("{code}="), "é".repeat(5000)] {
        assert_eq!(app.redeem(&client, &text, &[]).await.outcome(), invalid_grant());
    }
    let empty = app.redeem(&client, "", &[]).await;
    assert_eq!(empty.outcome(), (400, "invalid_request".into()));
    assert_eq!(app.redeem(&client, &code, &[]).await.status, 200);
}

#[tokio::test]
async fn a_client_that_lost_the_grant_is_unauthorized() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let code = app.code(&mut app.browser(), &client, &user, &[]).await;
    app.change(&client, json!({"grants": ["refresh_token"]})).await;
    let refused = app.redeem(&client, &code, &[]).await;
    assert_eq!(refused.outcome(), (400, "unauthorized_client".into()));
    app.change(&client, json!({"grants": ["authorization_code"]})).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    assert_eq!(tokens.status, 200);
    assert!(tokens.json().get("refresh_token").is_none(), "it may not refresh");
}

#[rstest]
#[case("", "invalid_request")]
#[case("password", "unsupported_grant_type")]
#[case("implicit", "unsupported_grant_type")]
#[case("Authorization_Code", "unsupported_grant_type")]
#[case("urn:ietf:params:oauth:grant-type:token-exchange", "unsupported_grant_type")]
#[tokio::test]
async fn a_code_needs_its_grant_type(#[case] grant_type: &str, #[case] error: &str) {
    let app = TestApp::start().await;
    let (client, user) = (app.private_client().await, app.alice().await);
    let code = app.code(&mut app.browser(), &client, &user, &[]).await;
    let refused = app.redeem(&client, &code, &[("grant_type", grant_type)]).await;
    assert_eq!(refused.outcome(), (400, error.into()));
    assert_eq!(app.redeem(&client, &code, &[]).await.status, 200);
}

#[tokio::test]
async fn a_scope_beside_a_code_widens_nothing() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let code = app.code(&mut app.browser(), &client, &user, &[("scope", "photos:read")]).await;
    let tokens = app.redeem(&client, &code, &[("scope", "openid photos:write")]).await;
    assert_eq!(tokens.status, 200);
    assert_eq!(tokens.text("scope"), "photos:read");
    assert!(tokens.json().get("id_token").is_none());
    assert_eq!(unverified(&tokens.text("access_token")).1["scope"], "photos:read");
}

#[tokio::test]
async fn a_scope_that_the_client_has_lost_is_not_given_any_more() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let scope = [("scope", "openid photos:read photos:write")];
    let code = app.code(&mut app.browser(), &client, &user, &scope).await;
    app.change(&client, json!({"scopes": ["openid", "photos:read"]})).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    assert_eq!(tokens.status, 200);
    assert_eq!(tokens.text("scope"), "openid photos:read");

    app.change(&client, json!({"scopes": ["photos:write"]})).await;
    let next = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(next.text("scope"), "photos:write");
    assert!(next.json().get("id_token").is_none());
    assert_eq!(unverified(&next.text("access_token")).1["scope"], "photos:write");
    let asked = app.refresh(&client, &next.text("refresh_token"), &[("scope", "openid")]).await;
    assert_eq!(asked.outcome(), (400, "invalid_scope".into()));

    // What the user has allowed is not forgotten with it.
    app.change(&client, json!({"scopes": ["openid", "photos:read", "photos:write"]})).await;
    let whole = app.refresh(&client, &next.text("refresh_token"), &[]).await;
    assert_eq!(whole.text("scope"), "openid photos:read photos:write");
}

#[tokio::test]
async fn a_wrong_secret_burns_no_code() {
    let app = TestApp::start().await;
    let (client, user) = (app.private_client().await, app.alice().await);
    let code = app.code(&mut app.browser(), &client, &user, &[]).await;
    let mut thief = client.clone();
    for secret in ["wrong", ""] {
        secret.clone_into(&mut thief.secret);
        let refused = app.redeem(&thief, &code, &[]).await;
        assert_eq!(refused.outcome(), (401, "invalid_client".into()));
    }
    assert_eq!(app.redeem(&client, &code, &[]).await.status, 200);
}

#[tokio::test]
async fn resources_of_the_request_may_be_narrowed_and_not_widened() {
    let app = TestApp::start().await;
    let (a, b, c) = ("https://a.example.com", "https://b.example.com", "https://c.example.com");
    let more = json!({"type": "public", "audiences": [a, b, c], "skipConsent": true});
    let (client, user) = (app.users_client(more).await, app.alice().await);
    let mut browser = app.browser();
    let audience = |answer: &Answer| {
        assert_eq!(answer.status, 200, "{}", answer.json());
        unverified(&answer.text("access_token")).1["aud"].clone()
    };

    let both = [("resource", a), ("resource", b)];
    let code = app.code(&mut browser, &client, &user, &both).await;
    for wider in [c, "https://d.example.com", "https://id.example.com/admin"] {
        let refused = app.redeem(&client, &code, &[("resource", wider)]).await;
        assert_eq!(refused.outcome(), (400, "invalid_target".into()));
    }
    let tokens = app.redeem(&client, &code, &[("resource", b)]).await;
    assert_eq!(audience(&tokens), b);
    let next = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(audience(&next), json!([a, b]));
    let refused = app.refresh(&client, &next.text("refresh_token"), &[("resource", c)]).await;
    assert_eq!(refused.outcome(), (400, "invalid_target".into()));
    let next = app.refresh(&client, &next.text("refresh_token"), &[("resource", a)]).await;
    assert_eq!(audience(&next), a);

    // A request that names none leaves it to the client.
    let code = app.code(&mut browser, &client, &user, &[]).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    assert_eq!(audience(&tokens), a);
    let next = app.refresh(&client, &tokens.text("refresh_token"), &[("resource", c)]).await;
    assert_eq!(audience(&next), c);
}

#[tokio::test]
async fn a_users_token_never_opens_the_administration() {
    let app = TestApp::start().await;
    let scopes = ["openid", "clients:read", "clients:write", "users:read", "photos:read"];
    let more = json!({"type": "private", "scopes": scopes, "skipConsent": true});
    let (client, user) = (app.users_client(more).await, app.alice().await);
    let mut browser = app.browser();
    let asked = request(&client, &[("scope", "openid clients:read")]);
    assert_eq!(browser.open(&asked).await.client().get("error"), "invalid_scope");
    let admin = format!("{ISSUER}/admin");
    for changes in [&[("scope", "")][..], &[("scope", ""), ("resource", &admin)]] {
        let code = app.code(&mut browser, &client, &user, changes).await;
        let tokens = app.redeem(&client, &code, &[]).await;
        assert_eq!(tokens.text("scope"), "openid photos:read");
        let next = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
        let wider = [("scope", "openid clients:read")];
        let refused = app.refresh(&client, &next.text("refresh_token"), &wider).await;
        assert_eq!(refused.outcome(), (400, "invalid_scope".into()));
        for path in ["/admin/clients", "/admin/users"] {
            for token in [tokens.text("access_token"), next.text("id_token")] {
                let answer = app.server.get(path).bearer(&token).send().await;
                assert_eq!(answer.status, 401, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_code_the_answer_is_the_same_to_the_byte() {
    let app = TestApp::start().await;
    let (client, other) = (app.public_client().await, app.private_client().await);
    let (user, mut browser) = (app.alice().await, app.browser());
    let expired = app.code(&mut browser, &client, &user, &[]).await;
    app.advance(60);
    let code = app.code(&mut browser, &client, &user, &[]).await;
    let reused = app.code(&mut browser, &client, &user, &[]).await;
    assert_eq!(app.redeem(&client, &reused, &[]).await.status, 200);
    let verifier = "x".repeat(43);
    let answers = [
        app.redeem(&client, &"A".repeat(43), &[]).await,
        app.redeem(&client, "garbage", &[]).await,
        app.redeem(&client, &expired, &[]).await,
        app.redeem(&other, &code, &[]).await,
        app.redeem(&client, &code, &[("code_verifier", &verifier)]).await,
        app.redeem(&client, &code, &[("code_verifier", "")]).await,
        app.redeem(&client, &code, &[("redirect_uri", "https://app.example.com/other")]).await,
        app.redeem(&client, &reused, &[]).await,
        app.redeem(&client, &reused, &[]).await,
    ];
    let expected = json!({
        "error": "invalid_grant",
        "error_description": "the code or refresh token is not valid for this request",
    });
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!((answer.status, answer.json()), (400, expected.clone()), "{number}");
        assert_eq!(answer.body, answers[0].body);
        assert_eq!(answer.header("cache-control"), "no-store");
        let names = |headers: &HeaderMap| headers.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&answer.headers), names(&answers[0].headers), "{number}");
    }
}

#[tokio::test]
async fn codes_and_refresh_tokens_are_256_random_bits_and_no_two_are_alike() {
    const CODES: usize = 1000;
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let mut seen = HashSet::new();
    let mut codes = Vec::new();
    for _ in 0..CODES {
        let code = app.code(&mut browser, &client, &user, &[]).await;
        assert!(seen.insert(code.clone()));
        codes.push(code);
    }
    let mut macs = Vec::new();
    for code in codes.iter().take(CODES / 4) {
        let tokens = app.redeem(&client, code, &[]).await;
        let refresh_token = tokens.text("refresh_token");
        macs.push(refresh_token.rsplit('.').next().unwrap().to_owned());
        assert!(seen.insert(refresh_token));
        assert!(seen.insert(tokens.text("access_token")));
    }
    for texts in [codes, macs] {
        let decoded = texts.iter().map(|text| URL_SAFE_NO_PAD.decode(text).unwrap());
        let decoded: Vec<_> = decoded.collect();
        assert!(decoded.iter().all(|bytes| bytes.len() == 32));
        // Each bit is set in half of them: the bounds are more than six standard deviations away.
        for bit in 0..256 {
            let set = decoded.iter().filter(|bytes| bytes[bit / 8] >> (bit % 8) & 1 == 1).count();
            let (half, bound) = (texts.len() / 2, texts.len() / 5);
            assert!((half - bound..=half + bound).contains(&set), "bit {bit}: {set}");
        }
    }
}

#[tokio::test]
async fn an_m2m_client_has_no_codes() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let refused = app.redeem(&client, &"A".repeat(43), &[("code_verifier", VERIFIER)]).await;
    assert_eq!(refused.outcome(), (400, "unauthorized_client".into()));
}

/// OpenID Connect Core 1.0 §3.1.3.6.
fn at_hash(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16])
}

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}
