//! JSON and queries of the administration.

use http::Uri;
use serde_json::Value;

use crate::mutation::{Examples, fuzz};
use crate::world::World;

const BODIES: Examples = Examples {
    whole: &[
        r#"{"name": "Orders", "type": "m2m", "scopes": ["orders:read"], "accessTokenLifetime": 3600}"#,
        r#"{"name": "Photos", "type": "public", "redirectUris": ["https://a.example/cb"], "scopes": ["openid"],
            "grants": ["authorization_code", "refresh_token"], "metadata": {"team": "x"}, "skipConsent": true}"#,
        r#"{"name": "Web", "type": "private", "requirePkce": false, "allowedCorsOrigins": ["https://a.example"],
            "audiences": ["https://api.example"], "refreshTokenLifetime": 60, "contacts": ["a@b.example"],
            "settings": {"accessTokenTTL": 60}, "allowedScopes": ["a"], "logoUri": "https://a.example/x.png"}"#,
        r#"{"email": "a@example.com", "name": "A", "birthdate": "1815-12-10", "address": {"country": "GB"}}"#,
        r"{}",
    ],
    pieces: &[
        "null",
        "true",
        "1e999",
        "-1",
        "\"\"",
        "[]",
        "{}",
        "\"name\":",
        "\"type\":",
        "\"clientId\": \"x\",",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "[[[[[[[[",
        "{\"a\":",
        "99999999999999999999",
        ",",
        "\"__proto__\": {},",
        "\"secrets\": [],",
        "\"isActive\": 1,",
        "\u{202e}",
        "1.5",
    ],
};

/// Checks a refusal (RFC 9457): it names what is wrong, by its members or parameters where there are any.
#[track_caller]
fn check_problem(answer: &identety_tests::call::Answer) {
    let body = answer.json();
    assert_eq!(answer.header("content-type"), "application/problem+json", "{body}");
    assert_eq!(body["status"], answer.status, "{body}");
    assert!(!answer.text("detail").is_empty(), "{body}");
    if let Some(errors) = body.get("errors") {
        let errors = errors.as_array().expect("a list");
        // A parameter may be called nothing at all.
        let names = |error: &Value| {
            let is_text = |member: &str| error[member].as_str().is_some();
            is_text("field") && is_text("message") && error["message"] != ""
        };
        assert!(!errors.is_empty() && errors.iter().all(names), "{body}");
    }
}

/// An object, as any other reader takes it.
fn object(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok().filter(Value::is_object)
}

#[test]
fn whatever_json_comes_is_created_as_it_is_shown_or_refused_by_its_fields() {
    let world = World::start();
    fuzz(BODIES, 2_000, |bytes| {
        for path in ["/admin/clients", "/admin/users"] {
            let call = world.app.admin("POST", path).body("application/json", bytes.to_vec());
            let answer = world.ask(call);
            if answer.status != 201 {
                assert!(matches!(answer.status, 400 | 409 | 413), "{}", answer.status);
                check_problem(&answer);
                // Plain members, none of them twice, are judged one by one.
                let is_plain =
                    object(bytes).is_some_and(|sent| sent.to_string().len() == bytes.len());
                assert!(!is_plain || answer.json().get("errors").is_some(), "{}", answer.json());
                continue;
            }
            // Only JSON that any other reader takes for an object has been created.
            let sent = object(bytes).expect("an object");
            let one = format!("{path}/{}", answer.text("id"));
            let mut created = answer.json();
            created.as_object_mut().unwrap().remove("clientSecret");
            let shown = world.ask(world.app.admin("GET", &one));
            assert_eq!((shown.status, shown.json()), (200, created), "{sent}");
            // To send back what is shown changes nothing.
            let same = world.ask(world.app.admin("PATCH", &one).json(&shown.json()));
            assert_eq!(same.status, 200, "{}", same.json());
            assert_eq!(world.ask(world.app.admin("DELETE", &one)).status, 200);
        }
    });
}

#[test]
fn a_change_is_made_whole_or_not_at_all() {
    let world = World::start();
    let path = format!("/admin/clients/{}", world.client.id);
    fuzz(BODIES, 2_000, |bytes| {
        let before = world.ask(world.app.admin("GET", &path)).json();
        let call = world.app.admin("PATCH", &path).body("application/json", bytes.to_vec());
        let answer = world.ask(call);
        let after = world.ask(world.app.admin("GET", &path)).json();
        if answer.status == 200 {
            assert_eq!(answer.json(), after);
            for kept in ["id", "clientId", "type", "createdAt"] {
                assert_eq!(before[kept], after[kept], "{kept}");
            }
        } else {
            assert!(matches!(answer.status, 400 | 409 | 413), "{}", answer.status);
            check_problem(&answer);
            assert_eq!(before, after);
        }
    });
}

const QUERIES: Examples = Examples {
    whole: &[
        "limit=2&cursor=AZ-w0AAAcACAAAAAAAAAAA",
        "limit=100&page=1&sort=asc&sortBy=createdAt",
        "page=4294967295&limit=100",
        "columns=id,name&sortBy=name&sort=desc",
        "",
    ],
    pieces: &[
        "&",
        "=",
        "limit=",
        "page=0",
        "cursor=",
        "AAAA",
        "-1",
        "1e9",
        "0x10",
        "sortBy=",
        "clientSecret",
        "columns=",
        "%00",
        "%",
        "'%20OR%201=1",
        "=====",
        "sort=up",
        "99999999999999999999",
    ],
};

#[test]
fn every_query_of_a_list_gives_a_list_or_is_refused_by_its_parameters() {
    let world = World::start();
    fuzz(QUERIES, 6_000, |bytes| {
        for kind in ["clients", "users"] {
            let path = [format!("/admin/{kind}?").as_bytes(), bytes].concat();
            let path = String::from_utf8(path).ok();
            let Some(path) = path.filter(|path| path.parse::<Uri>().is_ok()) else { return };
            let answer = world.ask(world.app.admin("GET", &path));
            let body = answer.json();
            if answer.status == 200 {
                let nodes = body["nodes"].as_array().expect("nodes");
                let limit = body["meta"]["limit"].as_u64().expect("a limit");
                assert!((1..=100).contains(&limit) && nodes.len() as u64 <= limit, "{body}");
                assert!(nodes.iter().all(|node| node.get("clientSecret").is_none()), "{body}");
            } else {
                assert_eq!(answer.status, 400, "{path}");
                check_problem(&answer);
            }
        }
    });
}
