//! The refresh token grant: RFC 6749 §6, RFC 9700 §4.14, OpenID Connect Core 1.0 §12.

use identety_tests::app::{ISSUER, TestApp, TestClient, unverified};
use identety_tests::call::Answer;
use identety_tests::faults::Request;
use rstest::rstest;
use serde_json::{Value, json};

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

async fn refreshed(app: &TestApp, client: &TestClient, before: &Answer) -> Answer {
    let answer = app.refresh(client, &before.text("refresh_token"), &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer
}

#[rstest]
#[case("public")]
#[case("private")]
#[tokio::test]
async fn the_answer_has_the_next_tokens_whatever_the_client_is(#[case] kind: &str) {
    let app = TestApp::start().await;
    let (client, user) = (app.users_client(json!({"type": kind})).await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[("scope", "openid photos:read")]).await;
    app.advance(5);
    let next = refreshed(&app, &client, &tokens).await;
    assert_eq!(next.header("cache-control"), "no-store");
    let mut body = next.json();
    for token in ["access_token", "refresh_token", "id_token"] {
        assert_ne!(body[token].take().as_str().unwrap(), tokens.text(token), "{token}");
    }
    assert_eq!(
        body,
        json!({
            "access_token": null, "refresh_token": null, "id_token": null,
            "token_type": "Bearer", "expires_in": 3600, "scope": "openid photos:read",
        })
    );
    app.assert_alive(&client, &next).await;
    assert_eq!(app.userinfo(&tokens.text("access_token")).await.status, 200);
}

#[tokio::test]
async fn the_next_id_token_is_of_the_same_sign_in_and_answers_no_nonce() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[]).await;
    let (_, before) = unverified(&tokens.text("id_token"));
    app.advance(120);
    let next = refreshed(&app, &client, &tokens).await;
    let (_, mut after) = unverified(&next.text("id_token"));
    let now = app.now().seconds();
    assert_ne!(after["at_hash"].take(), before["at_hash"]);
    assert_eq!(
        after,
        json!({
            "iss": ISSUER, "sub": user.id, "aud": client.client_id,
            "iat": now, "exp": now + 3600, "auth_time": now - 120,
            "acr": "1", "amr": ["pwd"], "at_hash": null, "sid": before["sid"],
            "email": user.email, "email_verified": true, "name": "Alice Adams",
            "updated_at": now - 120,
        })
    );
    for claim in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(after[claim], before[claim]);
    }
    let (_, access) = unverified(&next.text("access_token"));
    let (_, first) = unverified(&tokens.text("access_token"));
    assert_eq!((&access["sub"], &access["grant_id"]), (&first["sub"], &first["grant_id"]));
    assert_ne!(access["jti"], first["jti"]);
}

#[rstest]
#[case(0)]
#[case(9)]
#[tokio::test]
async fn the_same_token_again_within_ten_seconds_gets_the_same_successor(#[case] seconds: u64) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[]).await;
    let next = refreshed(&app, &client, &tokens).await;
    app.advance(seconds);
    let again = refreshed(&app, &client, &tokens).await;
    assert_eq!(again.text("refresh_token"), next.text("refresh_token"));
    assert_ne!(again.text("access_token"), next.text("access_token"));
    app.assert_alive(&client, &again).await;
    let third = refreshed(&app, &client, &next).await;
    assert_ne!(third.text("refresh_token"), next.text("refresh_token"));
}

#[tokio::test]
async fn the_same_token_after_ten_seconds_is_reuse_and_ends_the_family() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[]).await;
    let next = refreshed(&app, &client, &tokens).await;
    app.advance(10);
    app.assert_alive(&client, &next).await;
    let reused = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(reused.outcome(), invalid_grant());
    app.assert_dead(&client, &[&tokens, &next]).await;
}

#[tokio::test]
async fn the_same_token_is_reuse_at_once_when_its_successor_was_used() {
    let app = TestApp::start().await;
    let (client, user) = (app.private_client().await, app.alice().await);
    let first = app.tokens(&client, &user, &[]).await;
    let second = refreshed(&app, &client, &first).await;
    let third = refreshed(&app, &client, &second).await;
    let reused = app.refresh(&client, &first.text("refresh_token"), &[]).await;
    assert_eq!(reused.outcome(), invalid_grant());
    app.assert_dead(&client, &[&first, &second, &third]).await;
}

#[tokio::test]
async fn once_a_family_has_ended_an_old_token_or_its_code_ends_nothing_again() {
    let (app, faults) = TestApp::start_faulty().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    for end in ["reuse", "replay", "revocation"] {
        let code = app.code(&mut app.browser(), &client, &user, &[]).await;
        let first = app.redeem(&client, &code, &[]).await;
        let second = refreshed(&app, &client, &first).await;
        refreshed(&app, &client, &second).await;
        let old = first.text("refresh_token");
        match end {
            "reuse" => assert_eq!(app.refresh(&client, &old, &[]).await.outcome(), invalid_grant()),
            "replay" => {
                assert_eq!(app.redeem(&client, &code, &[]).await.outcome(), invalid_grant());
            }
            _ => assert_eq!(app.revoke(&client, &old).await.status, 200),
        }
        faults.take_requests();
        for _ in 0..2 {
            assert_eq!(app.refresh(&client, &old, &[]).await.outcome(), invalid_grant(), "{end}");
            assert_eq!(app.redeem(&client, &code, &[]).await.outcome(), invalid_grant(), "{end}");
        }
        let requests = faults.take_requests();
        let is_read = |request: &Request| request.operation == "GetItem";
        assert!(requests.iter().all(is_read), "{end}: {requests:?}");
    }
}

#[tokio::test]
async fn reuse_ends_one_family_and_no_other() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let (own, other) =
        (app.tokens(&client, &user, &[]).await, app.tokens(&client, &user, &[]).await);
    let next = refreshed(&app, &client, &own).await;
    app.advance(10);
    let reused = app.refresh(&client, &own.text("refresh_token"), &[]).await;
    assert_eq!(reused.outcome(), invalid_grant());
    app.assert_dead(&client, &[&next]).await;
    app.assert_alive(&client, &other).await;
}

#[tokio::test]
async fn another_client_can_neither_use_a_refresh_token_nor_end_its_family() {
    let app = TestApp::start().await;
    let (client, other) = (app.public_client().await, app.private_client().await);
    let tokens = app.tokens(&client, &app.alice().await, &[]).await;
    let next = refreshed(&app, &client, &tokens).await;
    app.advance(10);
    for stolen in [&tokens, &next] {
        let refused = app.refresh(&other, &stolen.text("refresh_token"), &[]).await;
        assert_eq!(refused.outcome(), invalid_grant());
    }
    app.assert_alive(&client, &next).await;
}

#[rstest]
#[case("openid photos:write")]
#[case("photos:write offline_access")]
#[case("offline_access profile")]
#[case("unknown")]
#[case(" ")]
#[case("\"")]
#[tokio::test]
async fn a_scope_beyond_the_grant_is_invalid_scope_and_uses_up_nothing(#[case] scope: &str) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[("scope", "openid photos:read")]).await;
    let refused = app.refresh(&client, &tokens.text("refresh_token"), &[("scope", scope)]).await;
    assert_eq!(refused.outcome(), (400, "invalid_scope".into()));
    app.assert_alive(&client, &tokens).await;
}

#[tokio::test]
async fn a_narrower_scope_is_for_this_once() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let scope = [("scope", "openid photos:read photos:write")];
    let tokens = app.tokens(&client, &user, &scope).await;
    let narrow = [("scope", "photos:read")];
    let next = app.refresh(&client, &tokens.text("refresh_token"), &narrow).await;
    assert_eq!((next.status, next.text("scope")), (200, "photos:read".into()));
    assert_eq!(unverified(&next.text("access_token")).1["scope"], "photos:read");
    assert!(next.json().get("id_token").is_none());
    assert_eq!(
        app.userinfo(&next.text("access_token")).await.outcome(),
        (403, "insufficient_scope".into())
    );
    let whole = refreshed(&app, &client, &next).await;
    assert_eq!(whole.text("scope"), scope[0].1);
    assert_eq!(app.userinfo(&whole.text("access_token")).await.status, 200);
}

/// A client whose refresh tokens live for 100 seconds, and for 250 together.
async fn short_lived(app: &TestApp) -> TestClient {
    let more = json!({
        "type": "public", "accessTokenLifetime": 60,
        "refreshTokenLifetime": 100, "refreshTokenAbsoluteLifetime": 250,
    });
    app.users_client(more).await
}

#[tokio::test]
async fn a_refresh_token_expires_when_it_is_not_used() {
    let app = TestApp::start().await;
    let (client, user) = (short_lived(&app).await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[]).await;
    app.advance(99);
    let next = refreshed(&app, &client, &tokens).await;
    app.advance(100);
    let refused = app.refresh(&client, &next.text("refresh_token"), &[]).await;
    assert_eq!(refused.outcome(), invalid_grant());
}

#[tokio::test]
async fn a_family_expires_however_often_it_is_used() {
    let app = TestApp::start().await;
    let (client, user) = (short_lived(&app).await, app.alice().await);
    let mut tokens = app.tokens(&client, &user, &[]).await;
    for seconds in [90, 90, 69] {
        app.advance(seconds);
        tokens = refreshed(&app, &client, &tokens).await;
    }
    app.advance(1);
    let refused = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(refused.outcome(), invalid_grant());
    assert_eq!(app.userinfo(&tokens.text("access_token")).await.status, 200);
}

#[tokio::test]
async fn shortened_lifetimes_bite_at_once_and_longer_ones_help() {
    let app = TestApp::start().await;
    let (client, user) = (short_lived(&app).await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[]).await;
    app.advance(60);
    app.change(&client, json!({"refreshTokenLifetime": 50})).await;
    let refused = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(refused.outcome(), invalid_grant());
    app.change(&client, json!({"refreshTokenLifetime": 100})).await;
    let next = refreshed(&app, &client, &tokens).await;

    app.advance(60);
    let both = json!({"refreshTokenLifetime": 100, "refreshTokenAbsoluteLifetime": 120});
    app.change(&client, both).await;
    let refused = app.refresh(&client, &next.text("refresh_token"), &[]).await;
    assert_eq!(refused.outcome(), invalid_grant());
    app.change(&client, json!({"refreshTokenAbsoluteLifetime": 250})).await;
    refreshed(&app, &client, &next).await;
}

#[tokio::test]
async fn a_token_of_another_kind_is_no_refresh_token_and_no_code() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let code = app.code(&mut app.browser(), &client, &user, &[]).await;
    let tokens = app.redeem(&client, &code, &[]).await;
    let grant = unverified(&tokens.text("access_token")).1["grant_id"].clone();
    let grant = grant.as_str().unwrap();
    let refresh = tokens.text("refresh_token");
    let mac = refresh.rsplit('.').next().unwrap();
    for other in [
        tokens.text("access_token"),
        tokens.text("id_token"),
        code,
        grant.to_owned(),
        format!("{grant}.2.{mac}"),
        format!("{grant}.01.{mac}"),
        format!("{grant}.-1.{mac}"),
        format!("{grant}.4294967296.{mac}"),
        format!("{grant}.1."),
        format!("{refresh}A"),
        format!("{refresh}="),
        ".".repeat(2000),
    ] {
        let refused = app.refresh(&client, &other, &[]).await;
        assert_eq!(refused.outcome(), invalid_grant(), "{other}");
    }
    for other in ["access_token", "refresh_token", "id_token"] {
        let refused = app.redeem(&client, &tokens.text(other), &[]).await;
        assert_eq!(refused.outcome(), invalid_grant(), "{other}");
    }
    let empty = app.refresh(&client, "", &[]).await;
    assert_eq!(empty.outcome(), (400, "invalid_request".into()));
    app.assert_alive(&client, &tokens).await;
}

#[tokio::test]
async fn a_refresh_token_that_was_changed_anywhere_is_invalid_grant() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[]).await;
    let token = tokens.text("refresh_token");
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(app.refresh(&client, &changed, &[]).await.outcome(), invalid_grant(), "{at}");
    }
    app.assert_alive(&client, &tokens).await;
}

#[tokio::test]
async fn a_client_that_lost_the_grant_is_unauthorized() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[]).await;
    app.change(&client, json!({"grants": ["authorization_code"]})).await;
    let refused = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(refused.outcome(), (400, "unauthorized_client".into()));
    app.change(&client, json!({"grants": ["authorization_code", "refresh_token"]})).await;
    refreshed(&app, &client, &tokens).await;
}

#[tokio::test]
async fn a_change_of_algorithm_bites_at_the_next_token_and_older_tokens_still_count() {
    let app = TestApp::start().await;
    let (client, user) = (app.private_client().await, app.alice().await);
    let older = app.tokens(&client, &user, &[]).await;
    let to = json!({"accessTokenSigningAlg": "RS256", "idTokenSigningAlg": "RS256"});
    app.change(&client, to).await;
    let newer = refreshed(&app, &client, &older).await;
    for (tokens, alg) in [(&older, "ES256"), (&newer, "RS256")] {
        for token in ["access_token", "id_token"] {
            assert_eq!(unverified(&tokens.text(token)).0["alg"], alg);
        }
        let access = tokens.text("access_token");
        assert_eq!(app.userinfo(&access).await.status, 200);
        assert!(app.is_active(&access).await);
    }
    assert_eq!(app.revoke(&client, &older.text("access_token")).await.status, 200);
    app.assert_dead(&client, &[&older, &newer]).await;
}

#[tokio::test]
async fn whatever_is_wrong_with_a_refresh_token_the_answer_is_the_same_to_the_byte() {
    let app = TestApp::start().await;
    let (client, other) = (short_lived(&app).await, app.private_client().await);
    let user = app.alice().await;
    let expired = app.tokens(&client, &user, &[]).await;
    app.advance(100);
    let [live, revoked, reused] = [
        app.tokens(&client, &user, &[]).await,
        app.tokens(&client, &user, &[]).await,
        app.tokens(&client, &user, &[]).await,
    ];
    app.revoke(&client, &revoked.text("refresh_token")).await;
    let next = refreshed(&app, &client, &reused).await;
    refreshed(&app, &client, &next).await;
    let answers = [
        app.refresh(&client, "garbage", &[]).await,
        app.refresh(&client, &format!("{}.1.{}", "A".repeat(24), "A".repeat(43)), &[]).await,
        app.refresh(&client, &expired.text("refresh_token"), &[]).await,
        app.refresh(&other, &live.text("refresh_token"), &[]).await,
        app.refresh(&client, &revoked.text("refresh_token"), &[]).await,
        app.refresh(&client, &reused.text("refresh_token"), &[]).await,
        app.refresh(&client, &reused.text("refresh_token"), &[]).await,
        app.redeem(&client, "garbage", &[]).await,
    ];
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer.outcome(), invalid_grant(), "{number}");
        assert_eq!(answer.body, answers[0].body);
    }
}

/// The clocks of two instances may differ, and one may be set back.
#[tokio::test]
async fn a_clock_that_steps_back_makes_no_token_live_longer_than_it_says() {
    let app = TestApp::start().await;
    let (client, user) = (short_lived(&app).await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[]).await;
    app.advance(60);
    let next = refreshed(&app, &client, &tokens).await;
    app.rewind(60);
    // Not for another minute: it may be ten seconds ahead and no more.
    assert_eq!(app.userinfo(&next.text("access_token")).await.status, 401);
    let third = refreshed(&app, &client, &next).await;
    assert_eq!(third.json()["expires_in"], 60);
    let (_, claims) = unverified(&third.text("access_token"));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 60);
    assert_eq!(app.userinfo(&third.text("access_token")).await.status, 200);
    app.advance(60);
    assert_eq!(app.userinfo(&third.text("access_token")).await.status, 401);
    // The rotation was written down under the earlier time, and that is what the lifetime is counted from.
    app.advance(40);
    let refused = app.refresh(&client, &third.text("refresh_token"), &[]).await;
    assert_eq!(refused.outcome(), invalid_grant());
}

#[rstest]
#[case(10, 200)]
#[case(11, 401)]
#[tokio::test]
async fn an_access_token_of_an_instance_ahead_counts_when_it_is_ten_seconds_ahead_at_most(
    #[case] ahead: u64,
    #[case] status: u16,
) {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    app.advance(ahead);
    let tokens = app.tokens(&client, &user, &[]).await;
    app.rewind(ahead);
    assert_eq!(app.userinfo(&tokens.text("access_token")).await.status, status);
    // A code and a refresh token say nothing of when they were made, so they work at once.
    refreshed(&app, &client, &tokens).await;
}

#[tokio::test]
async fn a_code_of_an_instance_ahead_or_behind_works_within_its_minute() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    let code = app.code(&mut browser, &client, &user, &[]).await;
    app.rewind(60);
    assert_eq!(app.redeem(&client, &code, &[]).await.status, 200);
    app.advance(60);
    let code = app.code(&mut browser, &client, &user, &[]).await;
    app.advance(60);
    assert_eq!(app.redeem(&client, &code, &[]).await.outcome(), invalid_grant());
}

#[tokio::test]
async fn signing_out_ends_what_has_no_offline_access_and_nothing_of_other_browsers() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let (mut browser, mut elsewhere) = (app.browser(), app.browser());
    let online = app.code(&mut browser, &client, &user, &[]).await;
    let online = app.redeem(&client, &online, &[]).await;
    let offline = [("scope", "openid offline_access")];
    let offline = app.code(&mut browser, &client, &user, &offline).await;
    let offline = app.redeem(&client, &offline, &[]).await;
    let other = app.code(&mut elsewhere, &client, &user, &[]).await;
    let other = app.redeem(&client, &other, &[]).await;
    let unused = app.code(&mut browser, &client, &user, &[]).await;

    let page = browser.open("/signout").await.page();
    browser.submit(&page, &[]).await.page();
    app.assert_dead(&client, &[&online]).await;
    assert_eq!(app.redeem(&client, &unused, &[]).await.outcome(), invalid_grant());
    app.assert_alive(&client, &offline).await;
    app.assert_alive(&client, &other).await;
    refreshed(&app, &client, &offline).await;
    refreshed(&app, &client, &other).await;

    let page = elsewhere.open("/signout").await.page();
    elsewhere.submit(&page, &[]).await.page();
    app.assert_dead(&client, &[&other]).await;
    app.assert_alive(&client, &offline).await;
}

#[tokio::test]
async fn a_grant_outlives_a_session_that_has_merely_expired() {
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let tokens = app.tokens(&client, &user, &[]).await;
    app.advance(8 * 86_400);
    let next = refreshed(&app, &client, &tokens).await;
    app.assert_alive(&client, &next).await;
    let claims: Value = unverified(&next.text("id_token")).1;
    assert_eq!(claims["auth_time"].as_u64().unwrap(), app.now().seconds() - 8 * 86_400);
}
