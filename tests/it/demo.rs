//! The demo app of `identety serve`, and the user that comes with it.

use std::fs;
use std::path::Path;

use identety_tests::binaries;
use identety_tests::browser::Browser;
use identety_tests::serve::Serve;
use rstest::rstest;
use serde_json::{Value, json};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Signs the user of `admin.json` in to the demo app; gives where the browser is sent.
async fn sign_in(serve: &Serve) -> String {
    let admin = serve.admin();
    let user = &admin["demoUser"];
    let (email, password) = (user["email"].as_str().unwrap(), user["password"].as_str().unwrap());
    let url = format!(
        "{issuer}/oauth2/authorize?response_type=code&client_id=demo&redirect_uri={issuer}/demo\
         &scope=openid&code_challenge={CHALLENGE}&code_challenge_method=S256",
        issuer = serve.url,
    );
    let mut browser = Browser::new(serve.server(), &serve.url);
    let landing = browser.authorize(&url, email, password).await;
    landing.url.strip_prefix(&serve.url).unwrap().to_owned()
}

/// A call to the administration API with the API key.
async fn admin(serve: &Serve, method: &str, path: &str) -> Value {
    let key = serve.admin()["apiKey"].as_str().unwrap().to_owned();
    let call = serve.server().call(method.parse().unwrap(), path).header("x-api-key", &key);
    let answer = call.send().await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

fn rewrite(data: &Path, change: impl FnOnce(&mut Value)) {
    let path = data.join("admin.json");
    let mut file = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut file);
    fs::write(&path, file.to_string()).unwrap();
}

#[test]
fn the_vendored_library_is_the_one_that_npm_gives() {
    const FILE: &str = "oidc-client-ts.min.js";
    let root = binaries::root();
    let package = root.join("tests/clients/node_modules/oidc-client-ts");
    assert!(package.exists(), "{} is missing; `make test` sets it up", package.display());
    let original = fs::read(package.join("dist/browser").join(FILE)).unwrap();
    assert!(fs::read(root.join("cli/demo").join(FILE)).unwrap() == original);
    let package: Value =
        serde_json::from_slice(&fs::read(package.join("package.json")).unwrap()).unwrap();
    let notice = fs::read_to_string(root.join("cli/demo/NOTICE.txt")).unwrap();
    let version = package["version"].as_str().unwrap();
    assert!(notice.contains(&format!("oidc-client-ts {version},")), "{notice}");
}

#[tokio::test]
async fn its_files_are_served_and_its_page_allows_nothing_from_elsewhere() {
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start(data.path()).await;
    for (path, media_type) in [
        ("/demo", "text/html; charset=utf-8"),
        ("/demo/", "text/html; charset=utf-8"),
        ("/demo/demo.css", "text/css; charset=utf-8"),
        ("/demo/demo.js", "text/javascript; charset=utf-8"),
        ("/demo/oidc-client-ts.min.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = serve.server().get(path).send().await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), media_type);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("set-cookie"), "");
    }
    let page = serve.server().get("/demo").send().await;
    insta::assert_snapshot!(page.header("content-security-policy"), @"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https: data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(serve.server().post("/demo").send().await.status, 405);
    assert_eq!(serve.server().get("/demo/other").send().await.status, 404);
}

#[tokio::test]
async fn the_demo_user_is_printed_once_and_signs_in_at_any_port() {
    let data = tempfile::tempdir().unwrap();
    let first = Serve::start(data.path()).await;
    let user = first.admin()["demoUser"].clone();
    let password = user["password"].as_str().unwrap();
    let line = first.welcome.iter().find(|line| line.contains("/demo")).unwrap();
    assert!(line.contains(&format!("{}/demo ", first.url)), "{line}");
    assert!(line.contains(&format!("demo@example.com / {password}")), "{line}");
    assert!(sign_in(&first).await.starts_with("/demo?code="));
    let old_url = first.url.clone();
    assert!(first.stop().await.status.success());

    let second = Serve::start(data.path()).await;
    assert_ne!(second.url, old_url);
    assert!(!second.welcome.join("\n").contains(password));
    assert_eq!(second.admin()["demoUser"], user);
    assert!(sign_in(&second).await.starts_with("/demo?code="));
}

#[tokio::test]
async fn data_of_an_earlier_version_get_a_demo_user_at_the_next_start() {
    let data = tempfile::tempdir().unwrap();
    let first = Serve::start(data.path()).await;
    let users = admin(&first, "GET", "/admin/users").await;
    let id = users["nodes"][0]["id"].as_str().unwrap();
    admin(&first, "DELETE", &format!("/admin/users/{id}")).await;
    let old = first.admin();
    first.stop().await;
    rewrite(data.path(), |file| {
        file.as_object_mut().unwrap().remove("demoUser").unwrap();
    });

    let second = Serve::start(data.path()).await;
    assert_ne!(second.admin()["demoUser"]["password"], old["demoUser"]["password"]);
    assert_eq!(second.admin()["apiKey"], old["apiKey"]);
    assert!(sign_in(&second).await.starts_with("/demo?code="));
}

/// Whoever has the address may have nothing to do with the demo, so a later start gives them no other password.
#[rstest]
#[case::a_first_start(true)]
#[case::a_later_start(false)]
#[tokio::test]
async fn a_user_of_that_address_is_taken_over_at_a_first_start_alone(#[case] is_first_start: bool) {
    let data = tempfile::tempdir().unwrap();
    let first = Serve::start(data.path()).await;
    first.stop().await;
    if is_first_start {
        fs::remove_file(data.path().join("admin.json")).unwrap();
    } else {
        rewrite(data.path(), |file| {
            file.as_object_mut().unwrap().remove("demoUser").unwrap();
        });
    }
    let second = Serve::start(data.path()).await;
    assert_eq!(second.admin()["demoUser"].is_object(), is_first_start);
    if is_first_start {
        assert!(sign_in(&second).await.starts_with("/demo?code="));
    }
}

#[tokio::test]
async fn a_client_of_that_name_that_is_not_the_demo_app_is_left_alone() {
    let data = tempfile::tempdir().unwrap();
    let first = Serve::start(data.path()).await;
    let clients = admin(&first, "GET", "/admin/clients").await;
    let demo = clients["nodes"].as_array().unwrap().iter().find(|it| it["clientId"] == "demo");
    let id = demo.unwrap()["id"].as_str().unwrap();
    admin(&first, "DELETE", &format!("/admin/clients/{id}")).await;
    let key = first.admin()["apiKey"].as_str().unwrap().to_owned();
    let own = json!({"name": "Own", "type": "public", "clientId": "demo", "redirectUris": ["https://a.example/cb"]});
    let call = first.server().post("/admin/clients").header("x-api-key", &key).json(&own);
    let made = call.send().await;
    assert_eq!(made.status, 201, "{}", made.json());
    first.stop().await;

    let second = Serve::start(data.path()).await;
    let path = format!("/admin/clients/{}", made.text("id"));
    assert_eq!(admin(&second, "GET", &path).await, made.json());
}
