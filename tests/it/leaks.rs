//! What is in no table: whatever would help somebody who reads one.

use identety_tests::app::TestApp;
use identety_tests::browser::{Browser, Form};
use identety_tests::sign_in::{PASSWORD, VERIFIER, request};
use serde_json::json;

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
