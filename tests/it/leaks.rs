//! What is in no table, in no log and in no error: whatever would help somebody who reads one.

use std::path::Path;
use std::process::Stdio;

use identety_tests::app::TestApp;
use identety_tests::binaries;
use identety_tests::browser::{Browser, Form};
use identety_tests::call::Server;
use identety_tests::deployment::Deployment;
use identety_tests::lambda::Stage;
use identety_tests::serve::Serve;
use identety_tests::sign_in::{PASSWORD, VERIFIER, request};
use identety_tests::story;
use serde_json::json;
use tokio::process::Command;

/// The shortest part of a secret that is looked for.
const PART: usize = 12;

/// The values of the browser's cookies.
fn cookies(browser: &Browser) -> Vec<String> {
    browser.cookies.values().cloned().collect()
}

/// Each part of `secret`, as it is and as its bytes would look in hexadecimal digits.
fn parts(secret: &str) -> Vec<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let mut texts = vec![secret.to_owned(), STANDARD.encode(secret)];
    for bytes in [URL_SAFE_NO_PAD.decode(secret).ok(), Some(secret.as_bytes().to_vec())] {
        let digit = |digit: u8| char::from_digit(digit.into(), 16);
        let hex = |bytes: Vec<u8>| -> String {
            let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            halves.filter_map(digit).collect()
        };
        texts.extend(bytes.clone().map(|bytes| STANDARD.encode(bytes)));
        texts.extend(bytes.map(hex));
    }
    let windows = texts.iter().flat_map(|text| text.as_bytes().windows(PART));
    windows.map(|window| String::from_utf8_lossy(window).into_owned()).collect()
}

#[tokio::test]
async fn no_table_holds_a_code_token_cookie_password_or_verifier_nor_a_part_of_one() {
    let app = TestApp::start().await;
    let (client, user) = (app.private_client().await, app.alice().await);
    let (mut browser, wrong) = (app.browser(), "a password that was typed wrong");
    let mut secrets = Vec::new();

    // The whole flow, with a wrong password on the way; each step leaves something in a table.
    let page = browser.open(&request(&client, &[])).await.page();
    secrets.extend(cookies(&browser));
    let entered = [("email", user.email.as_str()), ("password", wrong)];
    let page = browser.submit(&page, &entered).await.page();
    secrets.extend(
        Form::of(&page).hidden.into_iter().filter(|(name, _)| name == "csrf").map(|it| it.1),
    );
    let shown = browser.submit(&page, &[entered[0], ("password", PASSWORD)]).await;
    secrets.extend(cookies(&browser));
    let code = app.go_on(&mut browser, shown, &user).await.get("code");
    let tokens = app.redeem(&client, &code, &[]).await;
    let next = app.refresh(&client, &tokens.text("refresh_token"), &[]).await;
    assert_eq!(next.status, 200);
    assert_eq!(app.introspect(&client, &next.text("refresh_token")).await.json()["active"], true);
    // One more of each that stays unused, and what people enter who register or sign in again.
    let unused = app.code(&mut browser, &client, &user, &[]).await;
    let again = browser.open(&request(&client, &[("prompt", "login")])).await.page();
    browser.submit(&again, &entered).await.page();
    secrets.extend(cookies(&browser));
    let (path, new) = (format!("/admin/users/{}/password", user.id), "chosen by an administrator");
    let set = app.admin("PUT", &path).json(&json!({"password": new})).send().await;
    assert_eq!(set.status, 204);

    secrets.extend(
        [PASSWORD, wrong, new, VERIFIER, &client.secret, &app.api_key, &code, &unused]
            .map(str::to_owned),
    );
    for answer in [&tokens, &next] {
        // Before its last dot a refresh token names its grant, which is no secret.
        let refresh = answer.text("refresh_token");
        secrets.push(refresh.rsplit('.').next().unwrap().to_owned());
        secrets.extend(["access_token", "id_token"].map(|token| answer.text(token)));
    }
    assert!(secrets.len() > 15, "{}", secrets.len());
    let everything = app.dump();
    for expected in [user.email.as_str(), &client.client_id, "$argon2id$", "photos:read", "GRANT#"]
    {
        assert!(everything.contains(expected), "{expected}");
    }
    for secret in &secrets {
        assert!(secret.len() >= PART, "{secret}");
        for part in parts(secret) {
            assert!(!everything.contains(&part), "{part} of {secret}");
        }
    }
}

/// The longest parts of `secrets` that a log may not have; those of the beginnings that all have in common
/// are in other values too.
pub(crate) fn assert_unseen(text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(secret.len() >= 8, "{secret}");
        assert!(!text.contains(secret.as_str()), "{secret}");
        for part in parts(secret).into_iter().filter(|part| !part.contains("_secret_")) {
            assert!(!text.contains(&part), "{part} of {secret}");
        }
    }
}

/// Secrets where they do not belong: in queries, paths, names, headers and bodies of the wrong kind.
async fn put_secrets_in_wrong_places(server: &Server, api_key: &str, secret: &str) -> String {
    let form = "application/x-www-form-urlencoded";
    let (in_json, in_name) =
        (format!(r#"{{"name": "x", "type": "m2m", "{secret}": 1}}"#), format!("{secret}=1"));
    let settings = format!(r#"{{"name": "x", "type": "m2m", "settings": {{"{secret}": 1}}}}"#);
    let pairs = format!(r#"{{"name": "x", "type": "m2m", "metadata": {{"{secret}\u0007": "x"}}}}"#);
    let twice = format!(r#"{{"{secret}": 1, "{secret}": 1}}"#);
    let admin = |method: &str, path: &str| {
        server.call(method.parse().unwrap(), path).header("x-api-key", api_key)
    };
    let json = "application/json";
    let calls = [
        server.get(format!("/oauth2/token?client_secret={secret}")),
        server.get(format!("/{secret}")),
        server.get(format!("/admin/{secret}")).header("x-api-key", secret),
        server.get("/admin/clients").header("x-api-key", secret).header("cookie", secret),
        server.get("/admin/clients").bearer(secret),
        server
            .get("/oauth2/userinfo")
            .bearer(secret)
            .header("origin", &format!("https://{secret}")),
        server.call(secret.parse().unwrap(), "/oauth2/token"),
        server.post("/oauth2/token").basic(secret, secret).form(&[("grant_type", secret)]),
        server.post("/oauth2/token").basic("m2m_x", secret).form(&[("grant_type", secret)]),
        server.post("/oauth2/token").body(form, in_name.clone()),
        server.post("/oauth2/token").body(form, format!("{in_name}&{in_name}")),
        server.post("/oauth2/token").body(secret, secret.to_owned()),
        server.post("/oauth2/token").form(&[("client_id", secret), ("code", secret)]),
        server.post("/oauth2/revoke").form(&[("client_id", secret), ("token", secret)]),
        server.post("/oauth2/introspect").form(&[("client_id", "x"), ("client_assertion", secret)]),
        server.get(format!("/oauth2/authorize?client_id={secret}&redirect_uri={secret}")),
        server.get(format!("/oauth2/logout?id_token_hint={secret}&client_id={secret}")),
        server
            .get(format!("/signin?transaction={secret}"))
            .header("cookie", &format!("a={secret}")),
        server.post("/signin").form(&[("password", secret), ("transaction", secret)]),
        server.post("/signin").form(&[(secret, secret)]),
        server.post("/consent").form(&[("csrf", secret), ("transaction", secret)]),
        admin("GET", &format!("/admin/clients?{secret}=1")),
        admin("GET", &format!("/admin/clients?cursor={secret}&sortBy={secret}&columns={secret}")),
        admin("GET", &format!("/admin/clients/{secret}")),
        admin("DELETE", &format!("/admin/users/{secret}")),
        admin("POST", "/admin/clients").body(json, in_json),
        admin("POST", "/admin/clients").body(json, settings),
        admin("POST", "/admin/clients").body(json, pairs),
        admin("POST", "/admin/clients").body(json, twice),
        admin("POST", "/admin/clients").body(json, format!("{{\"{secret}")),
        admin("POST", "/admin/clients").json(&json!({"name": secret, "type": secret})),
        admin("POST", "/admin/clients")
            .json(&json!({"name": "x", "type": "m2m", "grants": [secret],
            "clientSecret": "short", "redirectUris": [secret], "scopes": [format!("{secret}\"")]})),
        admin("POST", "/admin/users").json(&json!({"email": secret, "password": secret})),
    ];
    let mut bodies = String::new();
    for call in calls {
        let answer = call.send().await;
        assert!(answer.status >= 400 || answer.status == 303 || answer.status == 200);
        assert!(answer.status < 500, "{}: {}", answer.status, answer.json());
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        // Whoever makes up a name of a member or a parameter is told which one is unknown.
        let is_about_a_name = !answer.fields().is_empty();
        bodies.push_str(if is_about_a_name { "" } else { &told });
    }
    bodies
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_of_a_function_at_any_level_holds_a_secret_and_no_error_tells_one() {
    let deployment = Deployment::start_with_log(Stage::default(), "trace,hyper=trace").await;
    let (server, issuer, api_key) = (deployment.server(), &deployment.issuer, &deployment.api_key);
    let mut secrets = story::sign_in(&server, issuer, api_key).await;
    story::m2m(&server, issuer, api_key).await;
    let stray = "Zx9-a-secret-in-the-wrong-place-7Qw";
    let told = put_secrets_in_wrong_places(&server, api_key, stray).await;
    secrets.push(stray.to_owned());

    let functions = [&deployment.token, &deployment.authorize, &deployment.client_admin];
    let logs: String = functions.iter().map(|function| function.logs()).collect();
    assert!(logs.lines().count() > 80, "{logs}");
    let in_a_name = "not valid: one that is unknown";
    for expected in
        ["/oauth2/token", "/consent", "/admin/clients/{id}", "_aws", "wrong_password", in_a_name]
    {
        assert!(logs.contains(expected), "{expected}");
    }
    assert_unseen(&logs, &secrets);
    for unseen in ["$argon2", "eyJ", "Basic ", "Bearer ", "identety-session=", VERIFIER] {
        assert!(!logs.contains(unseen), "{unseen}");
    }
    assert_unseen(&told, &secrets);
}

/// What `identety keys` prints, on both of its outputs, when it is asked to tell everything.
async fn printed_by_keys(arguments: &[&str], data: &Path) -> String {
    let mut command = Command::new(binaries::identety());
    command.arg("keys").args(arguments).arg("--data").arg(data).stdin(Stdio::null());
    for variable in ["IDENTETY_LOG", "RUST_LOG"] {
        command.env(variable, "trace");
    }
    let output = command.env("RUST_BACKTRACE", "full").output().await.unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(!(out.is_empty() && err.is_empty()), "{arguments:?}");
    out + &err
}

#[tokio::test]
async fn the_program_that_changes_keys_tells_no_secret_of_the_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let serve = Serve::start(data).await;
    let admin = serve.admin();
    assert!(serve.stop().await.status.success());
    let seal = std::fs::read_to_string(data.join("seal.key")).unwrap().trim().to_owned();
    let another = "0123456789abcdef".repeat(4);
    let mut secrets = vec![seal.clone(), another.clone()];
    for secret in [&admin["clientSecret"], &admin["apiKey"], &admin["demoUser"]["password"]] {
        secrets.push(secret.as_str().unwrap().to_owned());
    }

    let json = printed_by_keys(&["list", "--output", "json"], data).await;
    let (_, kid) = json.split_once(r#""kid": ""#).unwrap();
    let (kid, _) = kid.split_once('"').unwrap();
    let mut printed = json.clone();
    for arguments in [
        &["list"][..],
        &["rotate"],
        &["rotate", "--force"],
        &["rotate", "--force", "--output", "json"],
        &["revoke", kid],
        &["revoke", "no-such-key"],
    ] {
        printed += &printed_by_keys(arguments, data).await;
    }
    // Nor does it when it cannot open what is there.
    for content in [another.as_str(), &seal[1..]] {
        std::fs::write(data.join("seal.key"), content).unwrap();
        for arguments in [&["list"][..], &["rotate", "--force"], &["revoke", kid]] {
            printed += &printed_by_keys(arguments, data).await;
        }
    }
    std::fs::write(data.join("admin.json"), admin["apiKey"].as_str().unwrap()).unwrap();
    printed += &printed_by_keys(&["list"], data).await;
    for expected in ["current", "--force", "is revoked", "there is no key", "seal.key"] {
        assert!(printed.contains(expected), "{expected}: {printed}");
    }
    assert_unseen(&printed, &secrets);
    assert!(!printed.contains("$argon2"), "{printed}");
}
