//! `POST /admin/users/{id}/unlock` and `…/browser-links`.

use identety_domain::limits::{Admission, SignInLimits};
use identety_tests::app::{TestApp, TestUser};
use rstest::rstest;
use serde_json::json;
use uuid::Uuid;

use super::{ada, call, show};

const UNLOCK: &str = "unlock";
const BROWSER_LINKS: &str = "browser-links";

fn path(user: &TestUser, what: &str) -> String {
    format!("/admin/users/{}/{what}", user.id)
}

/// Whether an unknown browser at `peer` may try Ada's password. The attempt counts as a failure.
async fn may_try(app: &TestApp, peer: &str) -> bool {
    let limits = SignInLimits { attempts: app.stores.attempts.clone() };
    let admission = limits.admit(&mut app.context(peer), "ada@example.com").await.unwrap();
    matches!(admission, Admission::Admitted(_))
}

#[tokio::test]
async fn an_unlocked_account_takes_attempts_again_from_every_address() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let shown = show(&app, &user).await;
    for round in 0..3 {
        for n in 0..100 {
            assert!(may_try(&app, &format!("192.0.2.{}", n / 10)).await, "{round} {n}");
        }
        assert!(!may_try(&app, "192.0.2.0").await);
        assert!(!may_try(&app, "198.51.100.1").await);
        let answer = app.admin("POST", &path(&user, UNLOCK)).send().await;
        assert_eq!(answer.status, 204, "{}", answer.json());
        assert!(answer.body.is_empty());
    }
    // Once more says the same, and the user is as before.
    assert_eq!(app.admin("POST", &path(&user, UNLOCK)).send().await.status, 204);
    assert!(may_try(&app, "192.0.2.0").await);
    assert_eq!(show(&app, &user).await, shown);
}

#[tokio::test]
async fn an_account_that_is_not_locked_may_be_unlocked() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    assert_eq!(app.admin("POST", &path(&user, UNLOCK)).json(&json!({})).send().await.status, 204);
    assert!(may_try(&app, "192.0.2.1").await);
}

#[tokio::test]
async fn a_link_is_made_with_its_end() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let answer = app.admin("POST", &path(&user, BROWSER_LINKS)).send().await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    let members: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["expiresAt", "url"]);
    assert_eq!(body["expiresAt"], app.now().plus(600).to_string());
    let url = answer.text("url");
    assert!(url.starts_with(&format!("{}/known-browser?token=", app.issuer)), "{url}");
    let another = app.admin("POST", &path(&user, BROWSER_LINKS)).send().await;
    assert_ne!(another.text("url"), url);
}

#[tokio::test]
async fn for_a_disabled_user_no_link_is_made() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let off = json!({"isActive": false});
    assert_eq!(call(&app, "PATCH", &user).json(&off).send().await.status, 200);
    assert_eq!(app.admin("POST", &path(&user, BROWSER_LINKS)).send().await.status, 409);
    assert_eq!(app.admin("POST", &path(&user, UNLOCK)).send().await.status, 204);
}

#[rstest]
#[case(UNLOCK)]
#[case(BROWSER_LINKS)]
#[tokio::test]
async fn nothing_else_can_be_asked_for(#[case] what: &str) {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let post = |path: String| app.admin("POST", &path);
    let more = post(path(&user, what)).json(&json!({"expiresIn": 9})).send().await;
    assert_eq!(more.status, 400);
    assert_eq!(more.json()["errors"][0]["field"], "expiresIn");
    let nobody = TestUser { id: Uuid::nil().to_string(), ..user.clone() };
    assert_eq!(post(path(&nobody, what)).send().await.status, 404);
    let odd = TestUser { id: "ada".to_owned(), ..user.clone() };
    assert_eq!(post(path(&odd, what)).send().await.status, 404);
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let answer = app.admin(method, &path(&user, what)).send().await;
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{method}");
    }
}
