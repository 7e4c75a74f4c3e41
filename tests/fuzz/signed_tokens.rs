//! JWTs that a key of the server has really signed, whatever they say: so what is read after the signature
//! is reached, and only what a good token says may open anything.

use std::panic::AssertUnwindSafe;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bolero::check;
use identety_domain::client::{Client, ClientId, SigningAlg};
use identety_domain::keys::{KeyState, PublicKey, SealedKey, SigningKey};
use identety_domain::store::Change;
use identety_tests::app::{TestApp, unverified};
use identety_tests::browser::{Browser, Shown};
use identety_tests::sign_in::request;
use serde_json::Value;
use uuid::Uuid;

use crate::mutation::{Examples, fuzz};
use crate::oracle::{AHEAD, Hinted, KID, good, hint};
use crate::world::World;

/// The longest token that the server looks at, in bytes.
const LONGEST: usize = 8192;
/// A key of the server, as a process has it that still signs with the key of before.
struct Signing(EcdsaKeyPair, SystemRandom);

impl Signing {
    /// A new key, which the server publishes.
    async fn published_by(app: &TestApp) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key pair");
        let point = pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        let [x, y] = [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate));
        let stored = app.stores.keys.load().await.expect("the keys");
        let ring = stored.rings.into_iter().find(|ring| ring.alg == SigningAlg::Es256);
        let mut ring = ring.expect("a ring");
        ring.version += 1;
        ring.keys.push(SigningKey {
            kid: KID.to_owned(),
            state: KeyState::Previous,
            since: app.now(),
            public: PublicKey::Ec { crv: "P-256".to_owned(), x, y },
            sealed: SealedKey(String::new()),
        });
        let change = app.stores.keys.put_ring(&ring).await.expect("a store");
        assert_eq!(change, Change::Done);
        // Every process has read its keys again by then.
        app.advance(600);
        Self(pair, SystemRandom::new())
    }

    fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let message = format!("{header}.{claims}");
        let signature = self.0.sign(&self.1, message.as_bytes()).expect("a signature");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A server, a key of it, and what tokens are made of here.
struct Given {
    world: AssertUnwindSafe<World>,
    signing: Signing,
    machine: Client,
    client: Client,
    user: Uuid,
    /// The grant of the user to the client.
    grant: String,
    /// Where the user has signed in.
    browser: Browser,
}

impl Given {
    fn start() -> Self {
        let world = World::start();
        let (app, client) = (&world.app, &world.client);
        let stored = |id: &str| {
            let id = ClientId::parse(id).expect("an identifier");
            world.wait(app.stores.clients.find(&id)).expect("a store").expect("a client")
        };
        let (machine, of_users) = (stored(&world.machine.client_id), stored(&client.client_id));
        let mut browser = app.browser();
        let code = world.wait(app.code(&mut browser, client, &world.user, &[]));
        let tokens = world.wait(app.redeem(client, &code, &[]));
        let (_, claims) = unverified(&tokens.text("access_token"));
        let grant = claims["grant_id"].as_str().expect("a grant").to_owned();
        let user = world.user.id.parse().expect("a UUID");
        let signing = world.wait(Signing::published_by(app));
        Self { world, signing, machine, client: of_users, user, grant, browser }
    }

    /// Shows a token with this header and these claims everywhere.
    fn judge(&self, header: &[u8], claims: &[u8]) {
        let (world, app) = (&self.world, &self.world.app);
        let token = self.signing.sign(header, claims);
        let good = good(header, claims, app).filter(|_| token.len() <= LONGEST);
        let shown =
            format!("{} {}", String::from_utf8_lossy(header), String::from_utf8_lossy(claims));

        // Each of the two clients hears of its own tokens, of a grant as long as that is its own.
        for (caller, client) in [(&world.machine, &self.machine), (&world.client, &self.client)] {
            let call = app.client_call("/oauth2/introspect", caller, &[("token", &token)]);
            let answer = world.ask(call);
            let is_active = good.as_ref().is_some_and(|good| {
                let grant = good.grant.as_ref();
                let stands = grant.is_none_or(|id| *id == self.grant && *client == self.client);
                good.is_of(client) && stands
            });
            assert_eq!(answer.status, 200, "{shown}");
            assert_eq!(answer.json()["active"], is_active, "{shown}");
        }

        let info = world.ask(app.server.get("/oauth2/userinfo").bearer(&token));
        let is_told = good.as_ref().is_some_and(|good| {
            good.is_of(&self.client)
                && good.grant.as_ref() == Some(&self.grant)
                && good.allows("openid", &self.client)
        });
        assert_eq!(info.status == 200, is_told, "{} {shown}", info.status);
        assert!(is_told || matches!(info.status, 401 | 403), "{} {shown}", info.status);

        let list = world.ask(app.server.get("/admin/clients").bearer(&token));
        let is_admin = good.as_ref().is_some_and(|good| {
            good.is_of(&self.machine)
                && good.grant.is_none()
                && good.audience.contains(&format!("{}/admin", app.issuer))
                && good.allows("clients:read", &self.machine)
        });
        assert_eq!(list.status == 200, is_admin, "{} {shown}", list.status);
        assert!(is_admin || matches!(list.status, 401 | 403), "{} {shown}", list.status);

        let hint = hint(header, claims, app, &world.client.client_id);
        let hint = hint.filter(|_| token.len() <= LONGEST);
        let silently = [("id_token_hint", token.as_str()), ("prompt", "none")];
        let path = request(&world.client, &silently);
        let Shown::Client(landing) = world.wait(self.browser.clone().open(&path)) else {
            panic!("a page: {shown}")
        };
        let expected = match hint {
            None => "invalid_request",
            Some(Hinted::Genuine(user)) if user == self.user => "",
            Some(Hinted::Genuine(_) | Hinted::UnknownKey) => "login_required",
        };
        assert_eq!(landing.get("error"), expected, "{shown}");
        assert_eq!(landing.get("code").is_empty(), !expected.is_empty(), "{shown}");
    }

    /// Members that are right: of a machine's token for the administration, of a user's, of an ID token.
    fn right(&self, kind: Kind) -> [Members; 2] {
        let app = &self.world.app;
        let now = app.now().seconds();
        let text = |text: &str| Value::from(text).to_string();
        let typ = if matches!(kind, Kind::Id) { "JWT" } else { "at+jwt" };
        let header = vec![("typ", text(typ)), ("alg", text("ES256")), ("kid", text(KID))];
        let mut claims = vec![
            ("iss", text(app.issuer)),
            ("exp", (now + 3600).to_string()),
            ("iat", now.to_string()),
        ];
        let (machine, client) = (&self.world.machine.client_id, &self.world.client.client_id);
        claims.extend(match kind {
            Kind::Machine => vec![
                ("sub", text(machine)),
                ("client_id", text(machine)),
                ("aud", text(&format!("{}/admin", app.issuer))),
                ("scope", text("clients:read")),
                ("nbf", now.to_string()),
                ("jti", text("a")),
            ],
            Kind::User => vec![
                ("sub", text(&self.user.to_string())),
                ("client_id", text(client)),
                ("aud", r#"["https://api.example.com"]"#.to_owned()),
                ("scope", text("openid email")),
                ("nbf", now.to_string()),
                ("jti", text("b")),
                ("grant_id", text(&self.grant)),
            ],
            Kind::Id => vec![("sub", text(&self.user.to_string())), ("aud", text(client))],
        });
        [header, claims]
    }

    /// What a member may be instead: moments, texts, and JSON of every kind.
    fn odd(&self) -> Odd {
        let app = &self.world.app;
        let now = app.now().seconds();
        let created = self.client.created_at.seconds();
        let text = |text: &str| Value::from(text).to_string();
        let (machine, client) = (&self.world.machine.client_id, &self.world.client.client_id);
        let moments =
            [now - 1, now, now + 1, now + AHEAD, now + AHEAD + 1, created, created - 1, u64::MAX];
        let admin = format!("{}/admin", app.issuer);
        let (with_slash, user) = (format!("{}/", app.issuer), self.user.to_string());
        let texts = [
            machine,
            client,
            &self.grant,
            &user,
            &admin,
            &with_slash,
            app.issuer,
            "at+jwt",
            "JWT",
            "AT+JWT",
            "application/at+jwt",
            "application/",
            "none",
            "RS256",
            "es256",
            "next",
            "openid clients:read",
            "clients:read",
            "openid  email",
            "\u{e9}",
            "",
        ];
        let json = [
            "null",
            "true",
            "-1",
            "1e3",
            "1.0",
            "18446744073709551616",
            "[]",
            "{}",
            "[\"x\"]",
            "\"\\ud800\"",
        ];
        Odd {
            moments: moments.map(|moment| moment.to_string()).to_vec(),
            texts: texts.map(text).to_vec(),
            json: json.map(str::to_owned).to_vec(),
        }
    }
}

/// Values that are wrong in one place or another.
struct Odd {
    moments: Vec<String>,
    texts: Vec<String>,
    json: Vec<String>,
}

impl Odd {
    /// Those that a member of this name could be mistaken for.
    fn of(&self, name: &str) -> Vec<&str> {
        let is_moment = ["iat", "nbf", "exp"].contains(&name);
        let own = if is_moment { &self.moments } else { &self.texts };
        own.iter().chain(&self.json).map(String::as_str).collect()
    }
}

/// Names and values, which are JSON, in the order in which they stand.
type Members = Vec<(&'static str, String)>;

#[derive(Clone, Copy)]
enum Kind {
    Machine,
    User,
    Id,
}

const KINDS: [Kind; 3] = [Kind::Machine, Kind::User, Kind::Id];

fn object(members: &[(&str, String)]) -> String {
    let members: Vec<_> =
        members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// Members that a token may have, or had better not.
const MORE: [&str; 9] =
    ["crit", "jwk", "jku", "x5u", "nonce", "scope", "grant_id", "nbf", "client_id"];

/// Makes up to three of the members odd, as the bytes of the engine say.
fn bend(parts: &mut [Members; 2], odd: &Odd, script: &[u8]) {
    for change in script.chunks_exact(3).take(3) {
        let [what, which, value] = *change else { return };
        let part = &mut parts[usize::from(what >= 64)];
        let at = usize::from(which) % (part.len() + 1);
        let name = part.get(at).map_or(MORE[usize::from(which / 16) % MORE.len()], |own| own.0);
        let values = odd.of(name);
        let value = values[usize::from(value) % values.len()].to_owned();
        match what % 8 {
            0..5 if at < part.len() => part[at].1 = value,
            5 if at < part.len() => drop(part.remove(at)),
            // There twice, with another value or with the same.
            6 => part.insert(at, (name, value)),
            7 if at < part.len() => part.insert(at, part[at].clone()),
            _ => part.push((name, value)),
        }
    }
}

#[test]
fn of_tokens_that_are_signed_only_those_open_something_whose_every_member_is_right() {
    let given = AssertUnwindSafe(Given::start());
    let odd = AssertUnwindSafe(given.odd());
    let judge = |parts: [Vec<(&str, String)>; 2]| {
        let [header, claims] = parts.map(|part| object(&part));
        given.judge(header.as_bytes(), claims.as_bytes());
    };
    // Each member alone: wrong in every way, missing, there twice; and each that had better not be there.
    for kind in KINDS {
        judge(given.right(kind));
        for part in [0, 1] {
            let members = given.right(kind)[part].clone();
            for (at, (name, _)) in members.iter().enumerate() {
                let bent = |change: &dyn Fn(&mut Members)| {
                    let mut parts = given.right(kind);
                    change(&mut parts[part]);
                    judge(parts);
                };
                for value in odd.of(name) {
                    bent(&|part| part[at].1 = value.to_owned());
                }
                bent(&|part| drop(part.remove(at)));
                bent(&|part| part.push(part[at].clone()));
            }
            for name in MORE.into_iter().filter(|name| members.iter().all(|own| own.0 != *name)) {
                for value in ["null", "\"x\"", "[]", "1"] {
                    let mut parts = given.right(kind);
                    parts[part].push((name, value.to_owned()));
                    judge(parts);
                }
            }
        }
    }
    check!().with_iterations(500).with_max_len(10).for_each(|script: &[u8]| {
        let [kind, script @ ..] = script else { return };
        let mut parts = given.right(KINDS[usize::from(*kind) % KINDS.len()]);
        bend(&mut parts, &odd, script);
        judge(parts);
    });
}

#[test]
fn of_tokens_that_are_signed_none_opens_anything_unless_both_parts_are_the_json_of_a_good_one() {
    let given = AssertUnwindSafe(Given::start());
    // Header and claims, a line each.
    let mut examples: Vec<_> =
        KINDS.iter().map(|kind| given.right(*kind).map(|part| object(&part)).join("\n")).collect();
    // The values alone, in the order in which the server declares its members: no object, so no claims.
    let values = |members: &[(&str, String)], order: &[&str]| {
        let value = |name: &&str| {
            let found = members.iter().find(|(other, _)| other == name);
            found.map_or("null", |(_, value)| value).to_owned()
        };
        format!("[{}]", order.iter().map(value).collect::<Vec<_>>().join(","))
    };
    let [header, claims] = given.right(Kind::User);
    let listed = [
        values(&header, &["alg", "typ", "kid", "crit"]),
        values(
            &claims,
            &[
                "iss",
                "sub",
                "aud",
                "client_id",
                "scope",
                "iat",
                "nbf",
                "exp",
                "jti",
                "grant_id",
                "cnf",
                "act",
            ],
        ),
    ];
    examples.push(format!("{}\n{}", listed[0], object(&claims)));
    examples.push(format!("{}\n{}", object(&header), listed[1]));
    let [header, claims] = given.right(Kind::Id);
    let listed = values(&claims, &["iss", "sub", "aud"]);
    examples.push(format!("{}\n{listed}", object(&header)));
    let leaked: Vec<&'static str> =
        examples.into_iter().map(|example| &*Box::leak(example.into_boxed_str())).collect();
    let examples = Examples {
        whole: Box::leak(leaked.into_boxed_slice()),
        pieces: &[
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "null",
            "0",
            "-",
            "1e",
            " ",
            "\n",
            "\t",
            "\u{feff}",
            "{}",
            "\"x\":",
            "\"x\":\"\\ud800\",",
            "\"x\":1e999,",
            "\"x\":[[[[]]]],",
            "\"crit\":null,",
            "\"scope\":null,",
            "\"exp\":99999999999,",
            "\"grant_id\":null,",
            "\"\\u0065xp\":1,",
            "/* */",
            "'",
        ],
    };
    fuzz(examples, 800, |bytes| {
        let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let (header, claims) = bytes.split_at(at);
        given.judge(header, claims.strip_prefix(b"\n").unwrap_or_default());
    });
}
