//! `/admin/users`.

mod access;
mod change;
mod create;
mod delete;
mod list;
mod lockout;
mod password;
mod replace;

use identety_tests::app::{TestApp, TestUser};
use identety_tests::call::{Answer, Call};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse";

async fn ada(app: &TestApp) -> TestUser {
    app.user("Ada@example.com", PASSWORD).await
}

fn call(app: &TestApp, method: &str, user: &TestUser) -> Call {
    app.admin(method, &format!("/admin/users/{}", user.id))
}

async fn create(app: &TestApp, members: &Value) -> Answer {
    app.admin("POST", "/admin/users").json(members).send().await
}

async fn patch(app: &TestApp, user: &TestUser, members: &Value) -> Answer {
    call(app, "PATCH", user).json(members).send().await
}

async fn show(app: &TestApp, user: &TestUser) -> Value {
    call(app, "GET", user).send().await.json()
}

/// Members of a user, each of them another than the default.
fn full() -> Value {
    json!({
        "email": "Ada@example.com", "emailVerified": true,
        "phoneNumber": "+4930123456", "phoneNumberVerified": true,
        "name": "Ada Lovelace", "givenName": "Ada", "familyName": "Lovelace",
        "middleName": "King", "nickname": "Countess", "preferredUsername": "ada",
        "profile": "https://example.com/ada", "picture": "https://example.com/ada.png",
        "website": "https://ada.example.com/", "gender": "female", "birthdate": "1815-12-10",
        "zoneinfo": "Europe/London", "locale": "en-GB",
        "address": {
            "formatted": "12 St James's Square\nLondon", "streetAddress": "12 St James's Square",
            "locality": "London", "region": "Greater London", "postalCode": "SW1Y 4JH",
            "country": "GB",
        },
        "isActive": false, "metadata": {"team": "engines"},
    })
}
