//! The whole server in one process, on a store in memory, with a clock that tests set.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use identety::app::App;
use identety_domain::hashing::{HashCost, SecretHasher};
use identety_domain::store::Stores;
use identety_domain::{Choices, Services};
use identety_domain::{
    Issuer, Outcome, PeerAddress, RequestContext, RequestHeaders, RequestId, Settings, Timestamp,
    admin,
};
use identety_dynamodb::{Embedded, Tables, create_tables};
use identety_http::ambient;
use identety_http::edge::Clock;
use identety_keys::{Rotator, Sealing};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::call::{Answer, Call, Server};
use crate::fixture_keys::{self, Keys};

/// The issuer of every [`TestApp`].
pub const ISSUER: &str = "https://id.example.com";

/// A server to test.
pub struct TestApp {
    /// Where it is.
    pub server: Server,
    /// Its API key.
    pub api_key: String,
    /// Its stores.
    pub stores: Stores,
    /// Its DynamoDB.
    pub embedded: Embedded,
    /// Its hasher.
    pub hasher: Arc<SecretHasher>,
    /// Its issuer.
    pub issuer: &'static str,
    clock: Arc<AtomicU64>,
}

/// How a server is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Its issuer.
    pub issuer: &'static str,
    /// What it chooses.
    pub choices: Choices,
    /// Where its signing keys come from.
    pub keys: Keys,
}

impl Default for Setup {
    fn default() -> Self {
        let choices = Choices { registration_is_open: true, ..Choices::default() };
        Self { issuer: ISSUER, choices, keys: Keys::default() }
    }
}

/// A client that a test registered.
#[derive(Clone, Debug)]
pub struct TestClient {
    /// The key of the administration API.
    pub id: String,
    /// The identifier.
    pub client_id: String,
    /// The secret; empty for public clients.
    pub secret: String,
}

/// A user that a test registered.
#[derive(Clone, Debug)]
pub struct TestUser {
    /// The key of the administration API, and the `sub`.
    pub id: String,
    /// The e-mail address, as it was given.
    pub email: String,
    /// The password.
    pub password: String,
}

impl TestApp {
    /// A server without clients. Its clock stands still, at the time of this call.
    pub async fn start() -> Self {
        Self::start_with(|stores| stores).await
    }

    /// A server that makes keys of its own when it first needs them: see [`Keys`].
    pub async fn start_without_keys() -> Self {
        let setup = Setup { keys: Keys::OwnAtFirstNeed, ..Setup::default() };
        Self::start_as(setup, |stores| stores).await
    }

    /// A server whose stores go through `wrap`, which may make them fail.
    pub async fn start_with(wrap: impl FnOnce(Stores) -> Stores) -> Self {
        Self::start_as(Setup::default(), wrap).await
    }

    /// The same, set up in another way.
    pub async fn start_as(setup: Setup, wrap: impl FnOnce(Stores) -> Stores) -> Self {
        Self::start_on(setup, |embedded| {
            wrap(identety_dynamodb::stores(&embedded.client(), &tables()))
        })
        .await
    }

    /// The same, with the stores that `join` makes of an embedded DynamoDB that has the [`tables`].
    pub async fn start_on(setup: Setup, join: impl FnOnce(&Embedded) -> Stores) -> Self {
        let (issuer, now) = (setup.issuer, ambient::now());
        let embedded = Embedded::in_memory().expect("an embedded store");
        create_tables(&embedded.client(), &tables()).await.expect("tables");
        match setup.keys {
            Keys::Copies => fixture_keys::store(&embedded, now).await,
            Keys::OwnAtFirstNeed => {}
        }
        let stores = join(&embedded);
        let mut rng = ambient::rng().expect("randomness");
        let hasher = Arc::new(SecretHasher::new(&mut rng));
        let api_key = admin::generate_api_key(&mut rng);
        let phc = hasher.hash(&api_key, HashCost::Generated, &mut rng).expect("a hash");
        stores.api_keys.set_api_key(&phc).await.expect("an API key");

        let clock = Arc::new(AtomicU64::new(now.millis()));
        let process = Process { setup, stores: &stores, hasher: &hasher, clock: &clock };
        let server = process.start(0);
        let api_key = api_key.expose().to_owned();
        Self { server, api_key, stores, embedded, hasher, issuer, clock }
    }

    /// Another process of the same deployment, whose clock is so many seconds ahead, or behind.
    pub fn another_process(&self, ahead: i64) -> Server {
        let setup = Setup { issuer: self.issuer, ..Setup::default() };
        let (stores, hasher, clock) = (&self.stores, &self.hasher, &self.clock);
        Process { setup, stores, hasher, clock }.start(ahead)
    }

    /// What changes the signing keys of this deployment.
    pub fn rotator(&self) -> Rotator {
        Rotator::new(self.stores.keys.clone(), sealing())
    }

    /// Lets time pass.
    pub fn advance(&self, seconds: u64) {
        self.clock.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Sets the clock back, as a correction may.
    pub fn rewind(&self, seconds: u64) {
        self.clock.fetch_sub(seconds * 1000, Ordering::SeqCst);
    }

    /// The time of the server.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.load(Ordering::SeqCst))
    }

    /// The context of a request from `peer`, for rules that are asked without one.
    pub fn context(&self, peer: &str) -> RequestContext {
        RequestContext {
            id: RequestId::new("test"),
            now: self.now(),
            peer: PeerAddress(peer.to_owned()),
            method: "POST".to_owned(),
            path: "/signin".to_owned(),
            headers: RequestHeaders::default(),
            rng: Box::new(ambient::rng().expect("randomness")),
            outcome: Outcome::default(),
        }
    }

    /// A call to the administration API, with the API key.
    pub fn admin(&self, method: &str, path: &str) -> Call {
        let method = method.parse().expect("a method");
        self.server.call(method, path).header("x-api-key", &self.api_key)
    }

    /// Registers a client.
    pub async fn register(&self, members: Value) -> TestClient {
        let answer = self.admin("POST", "/admin/clients").json(&members).send().await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        TestClient {
            id: answer.text("id"),
            client_id: answer.text("clientId"),
            secret: answer.text("clientSecret"),
        }
    }

    /// Registers an m2m client that may have `scopes`. It signs with ES256, which is quick.
    pub async fn m2m_client(&self, scopes: &[&str]) -> TestClient {
        let alg = "ES256";
        self.register(
            json!({"name": "Orders", "type": "m2m", "scopes": scopes, "accessTokenSigningAlg": alg}),
        )
        .await
    }

    /// Changes a client.
    pub async fn change(&self, client: &TestClient, members: Value) {
        let path = format!("/admin/clients/{}", client.id);
        let answer = self.admin("PATCH", &path).json(&members).send().await;
        assert_eq!(answer.status, 200, "{}", answer.json());
    }

    /// Registers a user.
    pub async fn user(&self, email: &str, password: &str) -> TestUser {
        self.user_with(json!({"email": email, "password": password})).await
    }

    /// Registers a user with these members, `email` and `password` among them.
    pub async fn user_with(&self, members: Value) -> TestUser {
        let answer = self.admin("POST", "/admin/users").json(&members).send().await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        let text = |name: &str| members[name].as_str().unwrap_or_default().to_owned();
        TestUser { id: answer.text("id"), email: text("email"), password: text("password") }
    }

    /// All items of all tables, as text.
    pub fn dump(&self) -> String {
        let Tables { clients, accounts, keys, grants } = tables();
        let mut text = String::new();
        for table in [clients, accounts, keys, grants] {
            // The way of the stores has no Scan; the tables are read where they are.
            let request = serde_json::from_value(json!({ "TableName": table })).expect("a scan");
            let response = self.embedded.database().scan(request).expect("the items");
            text.push_str(&serde_json::to_string(&response).expect("JSON"));
        }
        text
    }

    /// A `client_credentials` request of `client`, with more parameters.
    pub async fn token(&self, client: &TestClient, parameters: &[(&str, &str)]) -> Answer {
        let grant = [("grant_type", "client_credentials")];
        self.server
            .post("/oauth2/token")
            .basic(&client.client_id, &client.secret)
            .form(&[&grant, parameters].concat())
            .send()
            .await
    }

    /// A token of `client`.
    pub async fn access_token(&self, client: &TestClient, parameters: &[(&str, &str)]) -> String {
        let answer = self.token(client, parameters).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.text("access_token")
    }
}

/// What a process is made of.
struct Process<'a> {
    setup: Setup,
    stores: &'a Stores,
    hasher: &'a Arc<SecretHasher>,
    clock: &'a Arc<AtomicU64>,
}

impl Process<'_> {
    fn start(self, ahead: i64) -> Server {
        let Self { setup, stores, hasher, clock } = self;
        let Setup { issuer, choices, keys: _ } = setup;
        let settings = Settings {
            issuer: Issuer::parse(issuer).expect("an issuer"),
            default_audience: "https://api.example.com".into(),
        };
        let clock = clock.clone();
        let read: Clock = Arc::new(move || {
            let now = clock.load(Ordering::SeqCst);
            Timestamp::from_millis(now.saturating_add_signed(ahead * 1000))
        });
        let services = Services::new(settings, stores.clone(), hasher.clone(), choices);
        let app = App::new(&services, sealing(), read);
        Server::Router(app.expect("an app").into_router())
    }
}

/// What seals the keys of every [`TestApp`].
pub(crate) fn sealing() -> Sealing {
    Sealing::Local(Zeroizing::new([7; 32]))
}

/// The tables of every [`TestApp`].
pub fn tables() -> Tables {
    Tables::with_prefix("test-")
}

/// The header and the claims of a JWT, unverified.
pub fn unverified(token: &str) -> (Value, Value) {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    });
    (parts.next().expect("a header"), parts.next().expect("claims"))
}
