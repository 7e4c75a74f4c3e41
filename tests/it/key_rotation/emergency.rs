//! A key that is known to somebody else is taken away.

use identety_domain::client::SigningAlg;
use identety_domain::keys::{KeyState, Obstacle, PUBLISHED_BEFORE_SIGNING};
use identety_http::ambient;
use identety_keys::{ChangeError, Revoked};
use identety_tests::app::{TestApp, TestClient, unverified};
use identety_tests::call::Server;
use serde_json::json;

/// Within this time every process has followed.
const FOLLOWED: u64 = 301;

async fn revoke(app: &TestApp, kid: &str) -> Result<Revoked, ChangeError> {
    app.rotator().revoke(kid, app.now(), &mut ambient::rng().unwrap()).await
}

async fn kid(app: &TestApp, alg: SigningAlg, state: KeyState) -> String {
    let rings = app.rotator().rings().await.unwrap();
    let ring = rings.iter().find(|ring| ring.alg == alg).unwrap();
    ring.in_state(state).unwrap().kid.clone()
}

fn kid_of(token: &str) -> String {
    unverified(token).0["kid"].as_str().unwrap().to_owned()
}

async fn published(server: &Server) -> Vec<String> {
    let set = server.get("/.well-known/jwks.json").send().await.json();
    let kids = set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap());
    kids.map(str::to_owned).collect()
}

/// What a token of a user and one of an administrator are worth: at userinfo, introspection, and the
/// administration.
async fn worth(app: &TestApp, user: &str, admin: &str) -> (u16, bool, u16) {
    (
        app.userinfo(user).await.status,
        app.is_active(user).await,
        app.server.get("/admin/clients").bearer(admin).send().await.status,
    )
}

async fn admin(app: &TestApp) -> TestClient {
    app.m2m_client(&["clients:read"]).await
}

#[tokio::test]
async fn what_a_revoked_key_signed_is_refused_everywhere_within_five_minutes_and_new_tokens_count()
{
    let app = TestApp::start().await;
    let (client, alice) = (app.private_client().await, app.alice().await);
    let admin = admin(&app).await;
    let tokens = app.tokens(&client, &alice, &[]).await;
    let (user, of_admin) = (tokens.text("access_token"), app.access_token(&admin, &[]).await);
    assert_eq!(worth(&app, &user, &of_admin).await, (200, true, 200));
    app.advance(u64::from(PUBLISHED_BEFORE_SIGNING) - 4000);

    let next = kid(&app, SigningAlg::Es256, KeyState::Next).await;
    let tokens = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    let (user, of_admin) = (tokens.text("access_token"), app.access_token(&admin, &[]).await);
    assert_eq!(worth(&app, &user, &of_admin).await, (200, true, 200));
    let revoked = revoke(&app, &kid_of(&user)).await.unwrap();
    assert_eq!((revoked.was, &revoked.current), (KeyState::Current, &next));
    // The next key had not been published for long enough: verifiers will notice.
    assert!(matches!(revoked.obstacle, Some(Obstacle::NextIsYoung { .. })));

    app.advance(FOLLOWED);
    assert_eq!(worth(&app, &user, &of_admin).await, (401, false, 401));
    assert!(!published(&app.server).await.contains(&kid_of(&user)));

    // Sessions go on: refresh tokens hang on another key.
    let tokens = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json());
    let (user, of_admin) = (tokens.text("access_token"), app.access_token(&admin, &[]).await);
    assert_eq!((kid_of(&user), kid_of(&of_admin)), (next.clone(), next));
    assert_eq!(worth(&app, &user, &of_admin).await, (200, true, 200));
}

#[tokio::test]
async fn a_revoked_key_of_one_algorithm_leaves_the_tokens_of_the_other_alone() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    app.change(&client, json!({"accessTokenSigningAlg": "RS256"})).await;
    let token = app.access_token(&client, &[]).await;
    revoke(&app, &kid(&app, SigningAlg::Es256, KeyState::Current).await).await.unwrap();
    app.advance(FOLLOWED);
    assert!(app.is_active(&token).await);
    revoke(&app, &kid_of(&token)).await.unwrap();
    app.advance(FOLLOWED);
    assert!(!app.is_active(&token).await);
}

#[tokio::test]
async fn a_revoked_next_key_is_replaced_and_a_revoked_previous_one_is_gone() {
    let app = TestApp::start().await;
    let client = app.m2m_client(&["read"]).await;
    let token = app.access_token(&client, &[]).await;
    let alg = SigningAlg::Es256;
    let next = kid(&app, alg, KeyState::Next).await;
    let revoked = revoke(&app, &next).await.unwrap();
    assert_eq!((revoked.was, revoked.obstacle), (KeyState::Next, None));
    assert_eq!(revoked.current, kid_of(&token));
    app.advance(FOLLOWED);
    let kids = published(&app.server).await;
    assert!(kids.contains(&revoked.next) && !kids.contains(&next));
    assert!(app.is_active(&token).await);

    let mut rng = ambient::rng().unwrap();
    app.rotator().rotate(Some(alg), true, app.now(), &mut rng).await.unwrap();
    app.advance(FOLLOWED);
    assert!(app.is_active(&token).await, "a previous key still verifies");
    let revoked = revoke(&app, &kid_of(&token)).await.unwrap();
    assert_eq!((revoked.was, revoked.obstacle), (KeyState::Previous, None));
    app.advance(FOLLOWED);
    assert!(!app.is_active(&token).await);
    assert_eq!(published(&app.server).await.len(), 4);
}

#[tokio::test]
async fn a_key_that_is_not_there_cannot_be_revoked_and_nothing_changes() {
    let app = TestApp::start().await;
    let before = published(&app.server).await;
    let error = revoke(&app, "nobody").await.unwrap_err();
    assert_eq!(error.to_string(), "there is no key nobody");
    app.advance(FOLLOWED);
    assert_eq!(published(&app.server).await, before);
}

#[tokio::test]
async fn a_rotation_that_would_break_something_is_refused_unless_it_is_forced() {
    let app = TestApp::start().await;
    let before = published(&app.server).await;
    let mut rng = ambient::rng().unwrap();
    let error = app.rotator().rotate(None, false, app.now(), &mut rng).await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("RS256: the next key is not known everywhere before 20"), "{text}");
    app.advance(FOLLOWED);
    assert_eq!(published(&app.server).await, before);

    app.advance(u64::from(PUBLISHED_BEFORE_SIGNING));
    let rotated = app.rotator().rotate(None, false, app.now(), &mut rng).await.unwrap();
    assert_eq!(rotated.len(), 2);
    app.advance(u64::from(PUBLISHED_BEFORE_SIGNING));
    let error = app.rotator().rotate(None, false, app.now(), &mut rng).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("RS256: the previous key is needed for tokens that it signed"), "{text}");
    let forced = app.rotator().rotate(None, true, app.now(), &mut rng).await.unwrap();
    assert!(forced.iter().zip(&rotated).all(|(forced, rotated)| forced.from == rotated.to));
}

#[tokio::test]
async fn the_entity_tag_of_the_key_set_follows_the_keys_and_is_the_same_in_every_process() {
    let app = TestApp::start().await;
    let another = app.another_process(-45);
    let etag = async |server: &Server, known: &str| {
        let call = server.get("/.well-known/jwks.json").header("if-none-match", known);
        let answer = call.send().await;
        (answer.status, answer.header("etag").to_owned())
    };
    let (_, first) = etag(&app.server, "none").await;
    assert_eq!(etag(&app.server, &first).await, (304, first.clone()));
    assert_eq!(etag(&another, &first).await, (304, first.clone()));
    revoke(&app, &kid(&app, SigningAlg::Rs256, KeyState::Next).await).await.unwrap();
    app.advance(FOLLOWED);
    let (status, second) = etag(&app.server, &first).await;
    assert_eq!(status, 200);
    assert_ne!(first, second);
    assert_eq!(etag(&another, &second).await, (304, second));
}
