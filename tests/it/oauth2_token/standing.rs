//! What a user has allowed counts only while user and client stand by it: each end bites at once, at every
//! endpoint, for codes and for tokens.

use identety_tests::app::{TestApp, TestClient, TestUser};
use identety_tests::call::Answer;
use identety_tests::sign_in::PASSWORD;
use rstest::rstest;
use serde_json::json;

/// A private client with a chosen clientId, which another client can have later.
async fn register(app: &TestApp) -> TestClient {
    let chosen = json!({
        "type": "private", "clientId": "photos", "clientSecret": "a secret of more than 16",
    });
    app.users_client(chosen).await
}

struct Given {
    app: TestApp,
    client: TestClient,
    user: TestUser,
    code: String,
    tokens: Answer,
}

/// A code that was not used, and the tokens of another one.
async fn given() -> Given {
    let app = TestApp::start().await;
    let (client, user) = (register(&app).await, app.alice().await);
    let mut browser = app.browser();
    let code = app.code(&mut browser, &client, &user, &[]).await;
    let other = app.code(&mut browser, &client, &user, &[]).await;
    let tokens = app.redeem(&client, &other, &[]).await;
    assert_eq!(tokens.status, 200);
    app.advance(1);
    Given { app, client, user, code, tokens }
}

impl Given {
    async fn change_user(&self, method: &str, path: &str, members: serde_json::Value) {
        let path = format!("/admin/users/{}{path}", self.user.id);
        let answer = self.app.admin(method, &path).json(&members).send().await;
        assert!((200..300).contains(&answer.status), "{}", answer.json());
    }

    async fn delete_client(&self) {
        let path = format!("/admin/clients/{}", self.client.id);
        assert_eq!(self.app.admin("DELETE", &path).send().await.status, 200);
    }

    /// What code and refresh token lead to.
    async fn outcomes(&self) -> [(u16, String); 2] {
        let refresh = self.tokens.text("refresh_token");
        [
            self.app.redeem(&self.client, &self.code, &[]).await.outcome(),
            self.app.refresh(&self.client, &refresh, &[]).await.outcome(),
        ]
    }

    /// That the access token counts neither here nor at a resource server that asks.
    async fn assert_access_refused(&self) {
        let access = self.tokens.text("access_token");
        let info = self.app.userinfo(&access).await;
        assert_eq!(info.outcome(), (401, "invalid_token".into()));
        assert_eq!(info.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        assert!(!self.app.is_active(&access).await);
    }
}

#[rstest]
#[case::disabled("PATCH", "", json!({"isActive": false}))]
#[case::deleted("DELETE", "", json!({}))]
#[case::with_another_password("PUT", "/password", json!({"password": "another good password"}))]
#[tokio::test]
async fn nothing_of_a_user_counts_who_is(
    #[case] method: &str,
    #[case] path: &str,
    #[case] members: serde_json::Value,
) {
    let given = given().await;
    given.change_user(method, path, members).await;
    given.assert_access_refused().await;
    let refused = (400, "invalid_grant".to_owned());
    assert_eq!(given.outcomes().await, [refused.clone(), refused]);
}

#[tokio::test]
async fn a_user_who_is_enabled_again_has_what_was_granted_before() {
    let given = given().await;
    given.change_user("PATCH", "", json!({"isActive": false})).await;
    let refused = (400, "invalid_grant".to_owned());
    assert_eq!(given.outcomes().await, [refused.clone(), refused]);
    given.change_user("PATCH", "", json!({"isActive": true})).await;
    assert_eq!(given.app.userinfo(&given.tokens.text("access_token")).await.status, 200);
    let answered = (200, String::new());
    assert_eq!(given.outcomes().await, [answered.clone(), answered]);
}

#[tokio::test]
async fn a_user_who_has_another_password_signs_in_with_it_and_goes_on() {
    let given = given().await;
    let (app, new) = (&given.app, "another good password");
    given.change_user("PUT", "/password", json!({"password": new})).await;
    let user = TestUser { password: new.to_owned(), ..given.user.clone() };
    let tokens = app.tokens(&given.client, &user, &[]).await;
    app.assert_alive(&given.client, &tokens).await;
    given.assert_access_refused().await;
}

#[tokio::test]
async fn a_user_who_has_the_address_of_a_deleted_one_gets_nothing_of_theirs() {
    let given = given().await;
    given.change_user("DELETE", "", json!({})).await;
    let next = given.app.user(&given.user.email, PASSWORD).await;
    assert_ne!(next.id, given.user.id);
    given.assert_access_refused().await;
    let refused = (400, "invalid_grant".to_owned());
    assert_eq!(given.outcomes().await, [refused.clone(), refused]);
}

#[tokio::test]
async fn nothing_of_a_client_counts_while_it_is_disabled() {
    let given = given().await;
    given.app.change(&given.client, json!({"isActive": false})).await;
    given.assert_access_refused().await;
    let refused = (401, "invalid_client".to_owned());
    assert_eq!(given.outcomes().await, [refused.clone(), refused]);
    let refresh = given.tokens.text("refresh_token");
    for answer in [
        given.app.introspect(&given.client, &refresh).await,
        given.app.revoke(&given.client, &refresh).await,
    ] {
        assert_eq!(answer.outcome(), (401, "invalid_client".into()));
    }
    given.app.change(&given.client, json!({"isActive": true})).await;
    given.app.assert_alive(&given.client, &given.tokens).await;
    let answered = (200, String::new());
    assert_eq!(given.outcomes().await, [answered.clone(), answered]);
}

#[tokio::test]
async fn nothing_of_a_deleted_client_counts() {
    let given = given().await;
    given.delete_client().await;
    given.assert_access_refused().await;
    let refused = (401, "invalid_client".to_owned());
    assert_eq!(given.outcomes().await, [refused.clone(), refused]);
}

#[tokio::test]
async fn a_client_that_has_the_client_id_of_a_deleted_one_gets_nothing_of_it() {
    let given = given().await;
    let app = &given.app;
    given.delete_client().await;
    let next = register(app).await;
    assert_eq!((&next.client_id, &next.secret), (&given.client.client_id, &given.client.secret));
    assert_ne!(next.id, given.client.id);
    given.assert_access_refused().await;
    for token in ["access_token", "refresh_token"] {
        let answer = app.introspect(&next, &given.tokens.text(token)).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"active": false})));
        assert_eq!(app.revoke(&next, &given.tokens.text(token)).await.status, 200);
    }
    let refused = (400, "invalid_grant".to_owned());
    assert_eq!(given.outcomes().await, [refused.clone(), refused]);
    // Nor does the user's consent to the one count for the other.
    let mut browser = app.browser();
    app.code(&mut browser, &app.public_client().await, &given.user, &[]).await;
    let silent = [("prompt", "none")];
    let asked = identety_tests::sign_in::request(&next, &silent);
    assert_eq!(browser.open(&asked).await.client().get("error"), "consent_required");
}

#[tokio::test]
async fn the_token_of_a_deleted_m2m_client_is_none_of_the_next_with_its_client_id() {
    let app = TestApp::start().await;
    let chosen = json!({
        "name": "Orders", "type": "m2m", "scopes": ["clients:read", "tokens:introspect"],
        "clientId": "orders", "clientSecret": "a secret of more than 16",
    });
    let client = app.register(chosen.clone()).await;
    let token = app.access_token(&client, &[]).await;
    assert!(app.is_active(&token).await);
    assert_eq!(app.server.get("/admin/clients").bearer(&token).send().await.status, 200);
    app.advance(1);
    let path = format!("/admin/clients/{}", client.id);
    assert_eq!(app.admin("DELETE", &path).send().await.status, 200);
    let next = app.register(chosen).await;
    assert!(!app.is_active(&token).await);
    assert_eq!(app.introspect(&next, &token).await.json(), json!({"active": false}));
    assert_eq!(app.server.get("/admin/clients").bearer(&token).send().await.status, 401);
}

#[tokio::test]
async fn no_client_can_have_an_identifier_that_is_a_users() {
    let app = TestApp::start().await;
    let user = app.alice().await;
    for client_id in [user.id.clone(), user.id.to_uppercase(), user.id.replace('-', "")] {
        let chosen = json!({"name": "Alice", "type": "m2m", "clientId": client_id});
        let answer = app.admin("POST", "/admin/clients").json(&chosen).send().await;
        assert_eq!(answer.status, 400, "{client_id}");
        assert_eq!(answer.fields(), ["clientId"]);
    }
}
