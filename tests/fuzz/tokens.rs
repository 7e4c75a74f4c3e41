//! JWTs, codes and refresh tokens, and requests to the token and authorization endpoints.

use http::{HeaderValue, Uri};
use identety_tests::sign_in::{CALLBACK, request};

use crate::mutation::{Examples, fuzz};
use crate::world::World;

/// What there is to put into a token. The tokens themselves are made by the server, when a test starts.
const PIECES: &[&str] = &[
    ".",
    "..",
    "=",
    "e30",
    "eyJhbGciOiJub25lIn0",
    "eyJhbGciOiJIUzI1NiJ9",
    "AAAA",
    "A",
    "_",
    "-",
    "0",
    "1",
    "4294967295",
    "\u{e9}",
];

fn legal(description: &str) -> bool {
    description.chars().all(|c| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~'))
}

#[test]
fn a_token_that_is_not_the_very_one_that_was_given_opens_nothing() {
    let world = World::start();
    let tokens = world.wait(world.app.tokens(&world.client, &world.user, &[]));
    let of_admin = world.wait(world.app.access_token(&world.machine, &[]));
    let given = [
        of_admin,
        tokens.text("access_token"),
        tokens.text("id_token"),
        tokens.text("refresh_token"),
    ];
    let leaked: Vec<&'static str> =
        given.iter().map(|token| &*Box::leak(token.clone().into_boxed_str())).collect();
    let examples = Examples { whole: Box::leak(leaked.into_boxed_slice()), pieces: PIECES };
    fuzz(examples, 4_000, |bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (app, client) = (&world.app, &world.client);
        if HeaderValue::from_str(&format!("Bearer {text}")).is_ok() {
            let list = world.ask(app.server.get("/admin/clients").bearer(&text));
            let is_admin = text == given[0];
            assert_eq!(list.status == 200, is_admin, "{text}");
            assert!(is_admin || matches!(list.status, 400 | 401 | 403), "{}", list.status);
            let info = world.ask(app.server.get("/oauth2/userinfo").bearer(&text));
            assert_eq!(info.status == 200, text == given[1], "{text}");
        }
        if given.contains(&text) {
            return;
        }
        let asked = world.ask(app.client_call("/oauth2/introspect", client, &[("token", &text)]));
        assert!(
            asked.status == 400 || asked.json() == serde_json::json!({"active": false}),
            "{text}"
        );
        for call in [app.refresh_call(client, &text), app.redeem_call(client, &text)] {
            let answer = world.ask(call);
            assert_eq!(answer.status, 400, "{text}");
            assert!(legal(&answer.text("error_description")));
        }
    });
    // Nobody has ended by that what belongs to somebody else.
    world.wait(world.app.assert_alive(&world.client, &tokens));
}

const REQUESTS: Examples = Examples {
    whole: &[
        "grant_type=client_credentials&scope=clients%3Aread",
        "grant_type=client_credentials&client_id=x&client_secret=y&resource=https%3A%2F%2Fa.example",
        "grant_type=authorization_code&code=abc&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "grant_type=refresh_token&refresh_token=a.1.b&scope=openid",
        "token=abc&token_type_hint=access_token",
    ],
    pieces: &[
        "&",
        "=",
        "%00",
        "%",
        "grant_type=",
        "password",
        "client_secret=z",
        "resource=",
        "scope=\"",
        "+",
    ],
};

#[test]
fn every_form_gets_an_oauth_answer() {
    let world = World::start();
    fuzz(REQUESTS, 4_000, |bytes| {
        for path in ["/oauth2/token", "/oauth2/revoke", "/oauth2/introspect"] {
            let call = world.app.server.post(path);
            let call = call.basic(&world.machine.client_id, &world.machine.secret);
            let body = bytes.to_vec();
            let answer = world.ask(call.body("application/x-www-form-urlencoded", body));
            let json = answer.json();
            if answer.status == 200 {
                let is_revoked = path == "/oauth2/revoke" && answer.body.is_empty();
                assert!(is_revoked || json.is_object(), "{json}");
                continue;
            }
            assert!(matches!(answer.status, 400 | 401), "{} {json}", answer.status);
            assert!(!answer.text("error").is_empty(), "{json}");
            assert!(legal(&answer.text("error_description")), "{json}");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    });
}

#[test]
fn every_authorization_request_is_a_page_or_leads_to_the_clients_own_uri() {
    let world = World::start();
    let path = request(&world.client, &[]);
    let (_, query) = path.split_once('?').expect("a query");
    let silent = request(&world.client, &[("prompt", "none")]);
    let (_, silent) = silent.split_once('?').expect("a query");
    let whole = [query, silent].map(|query| &*Box::leak(query.to_owned().into_boxed_str()));
    let examples = Examples {
        whole: Box::leak(Box::new(whole)),
        pieces: &[
            "&",
            "=",
            "%00",
            "%0D%0A",
            "%",
            "state=",
            "redirect_uri=https%3A%2F%2Fevil.example",
            "scope=",
            "%23",
            "response_mode=form_post",
            "response_type=token",
            "prompt=login",
            "max_age=0",
            "request=x",
            "%40evil.example",
        ],
    };
    fuzz(examples, 3_000, |bytes| {
        let path = [b"/oauth2/authorize?", bytes].concat();
        let Some(path) = String::from_utf8(path).ok().filter(|path| path.parse::<Uri>().is_ok())
        else {
            return;
        };
        let answer = world.ask(world.app.server.get(path.as_str()));
        match answer.status {
            303 => {
                let location = answer.header("location");
                let own = format!("{}/signin?transaction=", world.app.issuer);
                let is_own = location.starts_with(&own) || location.starts_with("/signin?");
                let rest = location.strip_prefix(CALLBACK);
                let is_clients = rest.is_some_and(|rest| rest.starts_with('?'));
                assert!(is_own || is_clients, "{location}");
                assert!(!is_clients || location.contains("iss=https"), "{location}");
                assert!(!location.contains("code="), "nobody has signed in: {location}");
            }
            status => {
                let is_page = answer.header("content-type").starts_with("text/html");
                assert!(is_page && matches!(status, 200 | 400), "{status}");
                assert!(
                    answer.header("content-security-policy").contains("frame-ancestors 'none'")
                );
            }
        }
    });
}
