//! The policies of `infra/template.yaml` against what the functions ask of DynamoDB and KMS: everything that
//! a deployment does, done by the real binaries, each request judged by its function's role. Nothing is
//! missing, since nothing is refused, and nothing is too much, since everything is needed.
//!
//! What nobody here can record is left out of that: the log, which Lambda writes for a function; and the roles
//! of the schedule and of the roll-out, in whose name AWS acts. `infra/tests/test_policies.py` holds those.

use identety_domain::Timestamp;
use identety_domain::hashing::{HashCost, SecretHasher};
use identety_domain::store::{Change, Rehashed};
use identety_http::ambient;
use identety_tests::browser::{Browser, Form, html};
use identety_tests::call::{Answer, Call};
use identety_tests::deployment::Deployment;
use identety_tests::lambda::Stage;
use identety_tests::sign_in::{CALLBACK, CHALLENGE, authorize_path};
use identety_tests::story;
use serde_json::json;

const PASSWORD: &str = "a password of the policies";

#[tokio::test(flavor = "multi_thread")]
async fn a_role_allows_what_its_function_does_and_nothing_else() {
    let deployment = Deployment::start(Stage::default()).await;
    do_everything(&deployment).await;
    assert_eq!(deployment.gateway.failures(), []);
    assert_eq!(deployment.refusals(), [], "missing in a role");
    let idle = deployment.idle_permissions();
    let idle: Vec<_> = idle.iter().map(|(function, idle)| format!("{function}: {idle}")).collect();
    assert!(idle.is_empty(), "too much in a role: {idle:#?}");
    assert_eq!(deployment.allowed_twice(), [], "two statements of a role say the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_registers_themselves_a_role_allows_the_rest_and_nothing_else() {
    let deployment = Deployment::start_without_registration(Stage::default()).await;
    do_everything_but_register(&deployment).await;
    assert_eq!(deployment.gateway.failures(), []);
    assert_eq!(deployment.refusals(), [], "missing in a role");
    let idle = deployment.idle_permissions();
    let idle: Vec<_> = idle.iter().map(|(function, idle)| format!("{function}: {idle}")).collect();
    assert!(idle.is_empty(), "too much in a role: {idle:#?}");
}

async fn do_everything(deployment: &Deployment) {
    do_everything_but_register(deployment).await;
    register(deployment).await;
}

async fn do_everything_but_register(deployment: &Deployment) {
    let (server, issuer, api_key) = (deployment.server(), &deployment.issuer, &deployment.api_key);
    // The keys are made by the first process, and opened by the next.
    let next = deployment.another_token_function("UNUSED", "").await;
    next.ready().await.unwrap();
    story::m2m(&server, issuer, api_key).await;
    story::sign_in(&server, issuer, api_key).await;
    let list = admin(deployment, "GET", "/admin/users?limit=1").send().await;
    assert_eq!(list.status, 200, "{}", list.json());
    change_a_user(deployment).await;
    guess_the_api_key(deployment).await;
    sign_in_after_the_cost_of_hashing_has_changed(deployment).await;
    help_a_user_who_is_locked_out(deployment).await;
    rotate_the_keys(deployment).await;
}

fn admin(deployment: &Deployment, method: &str, path: &str) -> Call {
    let method = method.parse().unwrap();
    deployment.server().call(method, path).header("x-api-key", &deployment.api_key)
}

/// A client whose users are asked for their consent.
async fn app(deployment: &Deployment) -> String {
    let members = json!({
        "name": "Photos", "type": "public", "redirectUris": [CALLBACK],
        "scopes": ["openid", "profile", "email"],
    });
    let created = admin(deployment, "POST", "/admin/clients").json(&members).send().await;
    assert_eq!(created.status, 201, "{}", created.json());
    created.text("clientId")
}

async fn authorize(deployment: &Deployment, browser: &mut Browser) -> Answer {
    let client_id = app(deployment).await;
    let path = authorize_path(&[
        ("client_id", &client_id),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    browser.open(&path).await.page()
}

/// A change alone, and one with another address, which is a transaction.
async fn change_a_user(deployment: &Deployment) {
    let members = json!({"email": "eve@example.com", "password": PASSWORD});
    let created = admin(deployment, "POST", "/admin/users").json(&members).send().await;
    assert_eq!(created.status, 201, "{}", created.json());
    let path = format!("/admin/users/{}", created.text("id"));
    for change in [json!({"name": "Eve"}), json!({"email": "eva@example.com"})] {
        let changed = admin(deployment, "PATCH", &path).json(&change).send().await;
        assert_eq!(changed.status, 200, "{}", changed.json());
    }
}

async fn guess_the_api_key(deployment: &Deployment) {
    let call = deployment.server().get("/admin/clients").header("x-api-key", "wrong");
    assert_eq!(call.send().await.status, 401);
}

/// And sends the decision twice, as a double click does.
async fn sign_in_after_the_cost_of_hashing_has_changed(deployment: &Deployment) {
    let members = json!({"email": "ada@example.com", "password": PASSWORD});
    let created = admin(deployment, "POST", "/admin/users").json(&members).send().await;
    assert_eq!(created.status, 201, "{}", created.json());
    let users = &deployment.stores.users;
    let user = users.find(created.text("id").parse().unwrap()).await.unwrap().unwrap();
    let from = user.password.unwrap().phc;
    let mut rng = ambient::rng().unwrap();
    let hasher = SecretHasher::new(&mut rng);
    let cheap = hasher.hash(&PASSWORD.into(), HashCost::Generated, &mut rng).unwrap();
    users.record_rehash(user.id, Rehashed { from: &from, to: &cheap }).await.unwrap();

    let mut browser = Browser::new(deployment.server(), &deployment.issuer);
    let page = authorize(deployment, &mut browser).await;
    let entered = [("email", "ada@example.com"), ("password", PASSWORD)];
    let page = browser.submit(&page, &entered).await.page();
    assert!(html(&page).contains("id=\"allow\""), "{}", html(&page));
    let rehashed = users.find(user.id).await.unwrap().unwrap().password.unwrap().phc;
    assert_ne!(rehashed, cheap);

    let allowed = browser.submit_once(&page, &[("decision", "allow")]).await;
    let again = browser.submit_once(&page, &[("decision", "allow")]).await;
    assert!(allowed.header("location").contains("code="), "{}", html(&allowed));
    assert_eq!(again.header("location"), allowed.header("location"));
}

async fn help_a_user_who_is_locked_out(deployment: &Deployment) {
    let members = json!({"email": "kim@example.com", "password": PASSWORD});
    let created = admin(deployment, "POST", "/admin/users").json(&members).send().await;
    assert_eq!(created.status, 201, "{}", created.json());
    let path = |what: &str| format!("/admin/users/{}/{what}", created.text("id"));
    let unlocked = admin(deployment, "POST", &path("unlock")).send().await;
    assert_eq!(unlocked.status, 204, "{}", unlocked.json());
    let link = admin(deployment, "POST", &path("browser-links")).send().await;
    assert_eq!(link.status, 201, "{}", link.json());
    let mut browser = Browser::new(deployment.server(), &deployment.issuer);
    let page = browser.open(&link.text("url")).await.page();
    let known = browser.submit(&page, &[]).await.page();
    assert!(html(&known).contains("This browser is known now"), "{}", html(&known));
}

async fn register(deployment: &Deployment) {
    let mut browser = Browser::new(deployment.server(), &deployment.issuer);
    let page = authorize(deployment, &mut browser).await;
    let path = format!("/register?transaction={}", Form::of(&page).get("transaction"));
    let page = browser.open(&path).await.page();
    let entered = [("email", "ben@example.com"), ("name", "Ben"), ("password", PASSWORD)];
    let page = browser.submit(&page, &entered).await.page();
    assert!(html(&page).contains("id=\"allow\""), "{}", html(&page));
}

/// As in a hundred days.
async fn rotate_the_keys(deployment: &Deployment) {
    let keys = &deployment.stores.keys;
    for mut ring in keys.load().await.unwrap().rings {
        ring.version += 1;
        for key in &mut ring.keys {
            key.since = Timestamp::from_millis(key.since.millis() - 100 * 24 * 3_600 * 1_000);
        }
        assert_eq!(keys.put_ring(&ring).await.unwrap(), Change::Done);
    }
    let done = deployment.key_rotation.invoke(&json!({})).await.unwrap().to_string();
    assert!(done.contains("RS256 rotated") && done.contains("ES256 rotated"), "{done}");
}
