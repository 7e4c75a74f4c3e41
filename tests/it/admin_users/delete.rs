//! `DELETE /admin/users/{id}`.

use identety_domain::Scope;
use identety_domain::grant::{Allowed, Generation};
use identety_tests::app::TestApp;

use super::{PASSWORD, ada, call, show};

#[tokio::test]
async fn deleting_answers_with_the_user_as_it_was_and_it_is_gone() {
    let app = TestApp::start().await;
    let user = ada(&app).await;
    let shown = show(&app, &user).await;
    let answer = call(&app, "DELETE", &user).send().await;
    assert_eq!((answer.status, answer.json()), (200, shown));
    for method in ["GET", "DELETE"] {
        assert_eq!(call(&app, method, &user).send().await.status, 404);
    }
    assert_eq!(app.admin("GET", "/admin/users").send().await.json()["meta"]["total"], 0);
    let everything = app.dump();
    assert!(!everything.contains(&user.id) && !everything.contains("ada@example.com"));
}

#[tokio::test]
async fn the_email_of_a_deleted_user_is_free_for_another_one() {
    let app = TestApp::start().await;
    let first = ada(&app).await;
    assert_eq!(call(&app, "DELETE", &first).send().await.status, 200);
    let second = app.user("ada@example.com", PASSWORD).await;
    assert_ne!(second.id, first.id);
}

#[tokio::test]
async fn the_consents_of_a_deleted_user_are_forgotten() {
    let app = TestApp::start().await;
    let (user, other) = (ada(&app).await, app.user("grace@example.com", PASSWORD).await);
    let client = app.m2m_client(&[]).await.id.parse().unwrap();
    let scope = Scope::parse("openid").unwrap();
    let consents = &app.stores.consents;
    for user in [&user, &other] {
        let user = user.id.parse().unwrap();
        let allowed =
            Allowed { scope: &scope, resources: &[], claims: &[], generation: Generation::from(1) };
        consents.consent(user, client, &allowed, app.now()).await.unwrap();
    }
    assert_eq!(call(&app, "DELETE", &user).send().await.status, 200);
    assert_eq!(consents.consented(user.id.parse().unwrap(), client).await.unwrap(), None);
    let others = consents.consented(other.id.parse().unwrap(), client).await.unwrap();
    assert!(others.unwrap().covers(&scope, &[], &[]));
}
