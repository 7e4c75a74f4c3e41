//! What machines hear when a store fails, at the token endpoint, its neighbours and the administration:
//! nothing is granted, and the caller hears the truth.

use identety_domain::grant::{Grant, GrantId};
use identety_tests::app::{TestApp, TestClient};
use identety_tests::call::Answer;
use rstest::rstest;
use serde_json::json;

use super::verbs::{
    ANSWERS_LOST, CORRUPT, Failing, Failure, UNAVAILABLE, UNAVAILABLE_FOR_WRITES, faulty_app,
};

fn no_internals(answer: &Answer) {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(!body.contains("injected"), "{body}");
}

#[tokio::test]
async fn a_store_that_is_down_is_503_with_retry_after_and_no_token() {
    let (app, fault) = faulty_app().await;
    let client = app.m2m_client(&["read"]).await;
    assert_eq!(app.token(&client, &[]).await.status, 200);
    fault.set(UNAVAILABLE);
    let answer = app.token(&client, &[]).await;
    assert_eq!(answer.outcome(), (503, "temporarily_unavailable".into()));
    assert_eq!(answer.header("retry-after"), "1");
    no_internals(&answer);
    fault.clear();
    assert_eq!(app.token(&client, &[]).await.status, 200);
}

#[tokio::test]
async fn an_unreadable_item_is_500_with_an_id_to_quote_and_no_token() {
    let (app, fault) = faulty_app().await;
    let client = app.m2m_client(&["read"]).await;
    assert_eq!(app.token(&client, &[]).await.status, 200);
    fault.set(CORRUPT);
    let answer = app.token(&client, &[]).await;
    assert_eq!(answer.outcome(), (500, "server_error".into()));
    assert!(answer.text("error_description").contains(answer.header("x-request-id")));
    no_internals(&answer);
}

#[rstest]
#[case(UNAVAILABLE, 503)]
#[case(CORRUPT, 500)]
#[tokio::test]
async fn the_administration_says_the_same_and_lets_nobody_in(
    #[case] what: Failure,
    #[case] status: u16,
) {
    let (app, fault) = faulty_app().await;
    let client = app.m2m_client(&["clients:read"]).await;
    let token = app.access_token(&client, &[]).await;
    fault.set(what);
    let bearer = || app.server.get("/admin/clients").bearer(&token);
    let (one, at_once) = tokio::join!(bearer().send(), bearer().send());
    let (after_it, by_key) =
        (bearer().send().await, app.admin("GET", "/admin/clients").send().await);
    for (answer, status) in [(one, status), (at_once, 503), (after_it, 503), (by_key, status)] {
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("retry-after"), if status == 503 { "1" } else { "" });
        no_internals(&answer);
    }
    fault.clear();
    app.advance(1);
    assert_eq!(bearer().send().await.status, 200);
}

#[tokio::test]
async fn a_write_that_fails_is_503_and_writes_nothing() {
    let (app, fault) = faulty_app().await;
    let client = app.m2m_client(&["read"]).await;
    fault.set(UNAVAILABLE_FOR_WRITES);
    let path = format!("/admin/clients/{}", client.id);
    for (method, path) in [
        ("POST", "/admin/clients".to_owned()),
        ("PATCH", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/secrets")),
    ] {
        let members = if path.ends_with("/secrets") {
            json!({})
        } else {
            json!({"name": "Changed", "type": "m2m"})
        };
        let answer = app.admin(method, &path).json(&members).send().await;
        assert_eq!(answer.status, 503, "{method} {path}");
    }
    fault.clear();
    let list = app.admin("GET", "/admin/clients").send().await.json();
    assert_eq!(list["meta"]["total"], 1);
    assert_eq!(list["nodes"][0]["name"], "Orders");
    assert_eq!(list["nodes"][0]["version"], 1);
}

#[tokio::test]
async fn a_write_of_a_user_that_fails_is_503_and_writes_nothing() {
    let (app, fault) = faulty_app().await;
    let user = app.user("ada@example.com", "correct horse").await;
    let path = format!("/admin/users/{}", user.id);
    let before = app.admin("GET", &path).send().await.json();
    fault.set(UNAVAILABLE_FOR_WRITES);
    for (method, path, members) in [
        ("POST", "/admin/users", json!({"email": "other@example.com"})),
        ("PATCH", &path, json!({"name": "Changed"})),
        ("PUT", &path, json!({"name": "Changed"})),
        ("PUT", &format!("{path}/password"), json!({"password": "battery staple"})),
        ("DELETE", &path, json!({})),
    ] {
        let answer = app.admin(method, path).json(&members).send().await;
        assert_eq!(answer.status, 503, "{method} {path}");
        no_internals(&answer);
    }
    fault.clear();
    assert_eq!(app.admin("GET", &path).send().await.json(), before);
    assert_eq!(app.admin("GET", "/admin/users").send().await.json()["meta"]["total"], 1);
}

#[tokio::test]
async fn a_right_secret_passes_while_its_use_cannot_be_written_down() {
    let (app, fault) = faulty_app().await;
    let client = app.m2m_client(&["read"]).await;
    assert_eq!(app.token(&client, &[]).await.status, 200);
    // An hour later its use is to be written down again.
    app.advance(3600);
    fault.set(UNAVAILABLE_FOR_WRITES);
    assert_eq!(app.token(&client, &[]).await.status, 200);
    let call = app.server.post("/oauth2/token").basic(&client.client_id, "wrong");
    let wrong = call.form(&[("grant_type", "client_credentials")]).send().await;
    assert_eq!(wrong.status, 503, "a guess that cannot be counted is not judged");
}

/// A server with a fault and with its keys, a client, and a code that was not used.
async fn code_in_hand(kind: &str) -> (TestApp, Failing, TestClient, String) {
    let (app, fault) = faulty_app().await;
    assert_eq!(app.server.get("/.well-known/jwks.json").send().await.status, 200);
    let client = app.users_client(json!({"type": kind})).await;
    let code = app.code(&mut app.browser(), &client, &app.alice().await, &[]).await;
    (app, fault, client, code)
}

async fn stored(app: &TestApp, code: &str) -> Grant {
    app.stores.grants.find_grant(&GrantId::of_code(code)).await.unwrap().unwrap()
}

/// What the caller hears of `fault`.
fn assert_failed(answer: &Answer, fault: Failure, what: &str) {
    if fault == CORRUPT {
        assert_eq!(answer.outcome(), (500, "server_error".into()), "{what}");
        assert!(answer.text("error_description").contains(answer.header("x-request-id")));
    } else {
        assert_eq!(answer.outcome(), (503, "temporarily_unavailable".into()), "{what}");
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.json().as_object().unwrap().len() == 2, "{what}: {}", answer.json());
    no_internals(answer);
}

#[rstest]
#[case("public", UNAVAILABLE)]
#[case("public", CORRUPT)]
#[case("private", UNAVAILABLE)]
#[case("private", CORRUPT)]
#[tokio::test]
async fn an_exchange_that_fails_at_any_call_of_a_store_burns_no_code(
    #[case] kind: &str,
    #[case] what: Failure,
) {
    let (app, fault, client, code) = code_in_hand(kind).await;
    for calls in 0.. {
        fault.set_after(calls, what);
        let answer = app.redeem(&client, &code, &[]).await;
        fault.clear();
        if answer.status == 200 {
            assert!(calls >= 5, "client, grant, session, user, redemption: {calls}");
            break;
        }
        assert_failed(&answer, what, &format!("after {calls} calls"));
        let grant = stored(&app, &code).await;
        assert_eq!((grant.redeemed, grant.ended_at), (None, None), "after {calls} calls");
    }
}

#[rstest]
#[case(UNAVAILABLE)]
#[case(CORRUPT)]
#[tokio::test]
async fn an_exchange_without_keys_is_503_and_burns_no_code(#[case] what: Failure) {
    let (app, fault) = faulty_app().await;
    let client = app.public_client().await;
    let code = app.code(&mut app.browser(), &client, &app.alice().await, &[]).await;
    // The keys are opened before anything else is asked of a store.
    fault.set(what);
    assert_failed(&app.redeem(&client, &code, &[]).await, UNAVAILABLE, "the keys");
    fault.clear();
    assert_eq!(app.redeem(&client, &code, &[]).await.status, 200);
}

#[rstest]
#[case(UNAVAILABLE)]
#[case(CORRUPT)]
#[tokio::test]
async fn a_refresh_that_fails_at_any_call_of_a_store_rotates_nothing(#[case] what: Failure) {
    let (app, fault, client, code) = code_in_hand("public").await;
    let tokens = app.redeem(&client, &code, &[]).await;
    for calls in 0.. {
        fault.set_after(calls, what);
        let answer = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
        fault.clear();
        if answer.status == 200 {
            assert!(calls >= 4, "client, grant, session, user, rotation: {calls}");
            break;
        }
        assert_failed(&answer, what, &format!("after {calls} calls"));
        let grant = stored(&app, &code).await;
        assert_eq!(grant.redeemed.unwrap().generation, 1, "after {calls} calls");
        assert_eq!(grant.ended_at, None);
    }
}

#[rstest]
#[case(UNAVAILABLE)]
#[case(CORRUPT)]
#[tokio::test]
async fn a_token_that_cannot_be_judged_is_neither_accepted_nor_called_invalid(
    #[case] what: Failure,
) {
    let (app, fault, client, code) = code_in_hand("private").await;
    let tokens = app.redeem(&client, &code, &[]).await;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    for (path, token) in [
        ("/oauth2/userinfo", &access),
        ("/oauth2/introspect", &access),
        ("/oauth2/introspect", &refresh),
    ] {
        for calls in 0.. {
            fault.set_after(calls, what);
            let answer = if path == "/oauth2/userinfo" {
                app.userinfo(token).await
            } else {
                app.introspect(&client, token).await
            };
            fault.clear();
            if answer.status == 200 {
                assert!(calls >= 4, "client, grant, session, user: {calls}");
                assert_ne!(answer.json()["active"], false);
                break;
            }
            assert_failed(&answer, what, &format!("{path} after {calls} calls"));
        }
    }
}

#[rstest]
#[case(UNAVAILABLE)]
#[case(CORRUPT)]
#[case(UNAVAILABLE_FOR_WRITES)]
#[tokio::test]
async fn a_revocation_that_fails_says_so_and_may_be_repeated(#[case] what: Failure) {
    let (app, fault, client, code) = code_in_hand("public").await;
    let tokens = app.redeem(&client, &code, &[]).await;
    for calls in 0.. {
        fault.set_after(calls, what);
        let answer = app.revoke(&client, &tokens.text("refresh_token")).await;
        fault.clear();
        if answer.status == 200 {
            assert!(calls >= 1, "{calls}");
            break;
        }
        assert_failed(&answer, what, &format!("after {calls} calls"));
        app.assert_alive(&client, &tokens).await;
    }
    app.assert_dead(&client, &[&tokens]).await;
}

#[tokio::test]
async fn reuse_that_cannot_be_punished_is_not_answered_as_if_it_were() {
    let (app, fault, client, code) = code_in_hand("public").await;
    let first = app.redeem(&client, &code, &[]).await;
    let second = app.refresh(&client, &first.text("refresh_token"), &[]).await;
    app.advance(10);
    fault.set(UNAVAILABLE_FOR_WRITES);
    let answers = [
        app.redeem(&client, &code, &[]).await,
        app.refresh(&client, &first.text("refresh_token"), &[]).await,
    ];
    fault.clear();
    for answer in answers {
        assert_failed(&answer, UNAVAILABLE_FOR_WRITES, "reuse");
    }
    app.assert_alive(&client, &second).await;
    assert_eq!(app.redeem(&client, &code, &[]).await.outcome(), (400, "invalid_grant".into()));
    app.assert_dead(&client, &[&first, &second]).await;
}

#[tokio::test]
async fn an_exchange_whose_answer_is_lost_gives_no_second_family() {
    let (app, fault, client, code) = code_in_hand("public").await;
    fault.set(ANSWERS_LOST);
    assert_failed(&app.redeem(&client, &code, &[]).await, ANSWERS_LOST, "the exchange");
    fault.clear();
    assert!(stored(&app, &code).await.redeemed.is_some());
    // The code is used, and who shows it again may be anybody.
    let again = app.redeem(&client, &code, &[]).await;
    assert_eq!(again.outcome(), (400, "invalid_grant".into()));
    assert!(stored(&app, &code).await.ended_at.is_some());
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_is_repeated_and_goes_on() {
    let (app, fault, client, code) = code_in_hand("public").await;
    let tokens = app.redeem(&client, &code, &[]).await;
    fault.set(ANSWERS_LOST);
    let lost = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_failed(&lost, ANSWERS_LOST, "the refresh");
    fault.clear();
    let again = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(again.status, 200);
    assert_eq!(stored(&app, &code).await.redeemed.unwrap().generation, 2, "one rotation");
    app.assert_alive(&client, &again).await;
    assert_eq!(app.refresh(&client, &again.text("refresh_token"), &[]).await.status, 200);
}

#[tokio::test]
async fn discovery_and_keys_do_not_touch_the_store() {
    let (app, fault) = faulty_app().await;
    assert_eq!(app.server.get("/.well-known/jwks.json").send().await.status, 200);
    for what in [UNAVAILABLE, CORRUPT] {
        fault.set(what);
        for path in ["/.well-known/jwks.json", "/.well-known/openid-configuration"] {
            assert_eq!(app.server.get(path).send().await.status, 200, "{path}");
        }
    }
}
