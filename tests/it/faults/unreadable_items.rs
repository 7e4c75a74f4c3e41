//! Items that are not what the server has written.

use identety_tests::app::TestApp;
use identety_tests::faults::{Fault, Which};
use identety_tests::sign_in::request;
use serde_json::{Value, json};

use super::dynamodb::Scene;

/// The kinds of items that a request reads, and the attributes that may be missing: what is there only
/// sometimes. Of these a wrong value must be an error still.
const READ: [(&str, &[&str]); 5] = [
    ("CLIENT#", &["listing"]),
    (
        "GRANT#",
        &["redirectUri", "codeChallenge", "nonce", "claims", "endedAt", "ttl", "redemption"],
    ),
    ("USER#", &["listing", "password", "browsers"]),
    ("SESSION#", &["userAgent", "endedAt", "ttl"]),
    ("KEY", &[]),
];

#[tokio::test]
async fn an_item_that_lacks_something_or_has_it_wrong_is_500_and_opens_nothing() {
    let mut scene = Scene::new().await;
    let stored: Value = serde_json::from_str(&first_of_each(&scene.app)).unwrap();
    let faults = scene.faults.clone();
    let mut tried = 0;
    for (kind, optional) in READ.into_iter().filter(|(kind, _)| *kind != "KEY") {
        for name in stored[kind].as_object().unwrap().keys() {
            let is_key = ["pk", "sk", "ttl", "listing"].contains(&name.as_str());
            for damage in ["missing", "null", "wrong"] {
                if is_key || (damage == "missing" && optional.contains(&name.as_str())) {
                    continue;
                }
                let member = name.clone();
                let change = move |item: &mut Value| {
                    let Some(item) = item.as_object_mut() else { return };
                    item.remove(&member);
                    match damage {
                        "null" => item.insert(member.clone(), json!({"NULL": true})),
                        "wrong" => item.insert(member.clone(), json!({"B": "AAAA"})),
                        _ => None,
                    };
                };
                faults.set(Which::reads().of(kind), Fault::changed(change));
                let what = format!("{damage} {name} of {kind}");
                check_unreadable(&mut scene, kind, &what).await;
                tried += 1;
            }
        }
        // This release does not know what a layout after the next one means.
        let later = |item: &mut Value| item["schema"] = json!({"N": "3"});
        faults.set(Which::reads().of(kind), Fault::changed(later));
        check_unreadable(&mut scene, kind, &format!("schema 3 of {kind}")).await;
    }
    assert!(tried > 40, "{tried}");
    faults.clear();
    scene.app.assert_alive(&scene.client, &scene.tokens).await;
}

/// Checks what reads an item of that kind: it answers 500, and goes no further.
async fn check_unreadable(scene: &mut Scene, kind: &str, what: &str) {
    let (app, client, tokens) = (&scene.app, &scene.client, &scene.tokens);
    let silent = request(client, &[("prompt", "none")]);
    if kind == "SESSION#" {
        let landing = scene.browser.open(&silent).await.client();
        assert_eq!(landing.get("error"), "server_error", "{what}: {}", landing.url);
        return;
    }
    let access = tokens.text("access_token");
    // Of a code that was not used, nothing is missing without these.
    let is_of_use =
        ["redeemedAt", "generation", "rotatedAt"].map(|name| format!("missing {name} "));
    let code = if is_of_use.iter().any(|beginning| what.starts_with(beginning)) {
        app.refresh(client, &tokens.text("refresh_token"), &[]).await
    } else {
        app.redeem(client, &scene.code, &[]).await
    };
    let answers = [
        code,
        app.refresh(client, &tokens.text("refresh_token"), &[]).await,
        app.introspect(client, &access).await,
        app.userinfo(&access).await,
    ];
    for answer in answers {
        assert_eq!(answer.outcome(), (500, "server_error".into()), "{what}: {}", answer.json());
        assert!(answer.text("error_description").contains(answer.header("x-request-id")));
    }
}

/// An item of each kind, as JSON.
fn first_of_each(app: &TestApp) -> String {
    let mut found = serde_json::Map::new();
    for table in ["test-clients", "test-accounts", "test-grants"] {
        let request = serde_json::from_value(json!({"TableName": table})).unwrap();
        let scan = app.embedded.database().scan(request).unwrap();
        let scan = serde_json::to_value(&scan).unwrap();
        for item in scan["Items"].as_array().unwrap() {
            let pk = item["pk"]["S"].as_str().unwrap();
            let is_used = item.get("redeemedAt").is_some();
            let Some((kind, _)) = READ.iter().find(|(kind, _)| pk.starts_with(kind)) else {
                continue;
            };
            if *kind != "GRANT#" || is_used {
                found.insert((*kind).to_owned(), item.clone());
            }
        }
    }
    Value::Object(found).to_string()
}
