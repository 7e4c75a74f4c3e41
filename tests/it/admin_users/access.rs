//! Who may administrate users.

use identety_tests::app::TestApp;
use rstest::rstest;
use serde_json::json;

const ONE: &str = "/admin/users/01890000-0000-7000-8000-000000000000";
const PASSWORD: &str = "/admin/users/01890000-0000-7000-8000-000000000000/password";

const UNLOCK: &str = "/admin/users/01890000-0000-7000-8000-000000000000/unlock";
const BROWSER_LINKS: &str = "/admin/users/01890000-0000-7000-8000-000000000000/browser-links";

const READS: [(&str, &str); 3] = [("GET", "/admin/users"), ("GET", ONE), ("HEAD", ONE)];
const WRITES: [(&str, &str); 9] = [
    ("POST", "/admin/users"),
    ("PATCH", ONE),
    ("PUT", ONE),
    ("DELETE", ONE),
    ("PUT", PASSWORD),
    ("POST", UNLOCK),
    ("POST", BROWSER_LINKS),
    ("OPTIONS", "/admin/users"),
    ("DELETE", PASSWORD),
];

async fn status(app: &TestApp, method: &str, path: &str, token: &str) -> (u16, String) {
    let call = app.server.call(method.parse().unwrap(), path).bearer(token);
    let answer = call.json(&json!({})).send().await;
    (answer.status, answer.header("www-authenticate").to_owned())
}

#[tokio::test]
async fn without_valid_credentials_every_method_at_every_path_is_401() {
    let app = TestApp::start().await;
    for (method, path) in READS.into_iter().chain(WRITES) {
        let call = app.server.call(method.parse().unwrap(), path);
        assert_eq!(call.send().await.status, 401, "{method} {path}");
        assert_eq!(status(&app, method, path, "wrong").await.0, 401, "{method} {path}");
    }
}

#[rstest]
#[case("users:read", true, false)]
#[case("users:write", false, true)]
#[case("clients:read", false, false)]
#[case("clients:write", false, false)]
#[case("tokens:introspect", false, false)]
#[tokio::test]
async fn a_scope_opens_reading_or_writing_of_users(
    #[case] scope: &str,
    #[case] reads: bool,
    #[case] writes: bool,
) {
    let app = TestApp::start().await;
    let members = json!({
        "name": "Administrator", "type": "m2m", "scopes": [scope],
        "audiences": [format!("{}/admin", identety_tests::app::ISSUER)],
        "accessTokenSigningAlg": "ES256",
    });
    let administrator = app.register(members).await;
    let token = app.access_token(&administrator, &[]).await;
    for (paths, opens, needed) in
        [(&READS[..], reads, "users:read"), (&WRITES[..], writes, "users:write")]
    {
        for (method, path) in paths {
            let (status, challenge) = status(&app, method, path, &token).await;
            if opens {
                assert!([200, 400, 404, 405].contains(&status), "{method} {path}: {status}");
            } else {
                assert_eq!(status, 403, "{method} {path}");
                let asked = format!("Bearer error=\"insufficient_scope\", scope=\"{needed}\"");
                assert_eq!(challenge, asked, "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn an_administrator_of_users_has_no_say_over_clients() {
    let app = TestApp::start().await;
    let administrator = app.m2m_client(&["users:read", "users:write"]).await;
    let token = app.access_token(&administrator, &[]).await;
    for (path, needed) in [
        ("/admin/clients", "clients:read"),
        ("/admin", "clients:read"),
        ("/admin/x", "clients:read"),
    ] {
        let (status, challenge) = status(&app, "GET", path, &token).await;
        assert_eq!(status, 403, "{path}");
        assert!(challenge.contains(needed), "{path}: {challenge}");
    }
    // A path below users that is none is none of theirs either.
    let nothing = format!("{ONE}/nothing/more");
    assert_eq!(status(&app, "GET", &nothing, &token).await.0, 403);
    assert_eq!(app.admin("GET", &nothing).send().await.status, 404);
}
