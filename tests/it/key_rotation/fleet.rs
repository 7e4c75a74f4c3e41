//! A deployment of several processes, and the APIs that verify its tokens.

use std::collections::HashMap;
use std::sync::Mutex;

use identety_domain::keys::VERIFIERS_KEEP;
use identety_tests::app::{TestApp, TestClient, unverified};
use identety_tests::call::Server;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// How far the clocks of the processes are ahead of the true one, in seconds.
pub(super) const CLOCKS: [i64; 4] = [0, 60, -60, 25];

/// Several processes over one store, each with its own clock, which follow rotations each at its own time.
pub(super) struct Fleet {
    pub(super) app: TestApp,
    pub(super) processes: Vec<Server>,
    client: TestClient,
    /// The HTTP cache before the key set: the last answer, and until when it may be given.
    cache: Mutex<Option<(Value, u64)>>,
}

impl Fleet {
    pub(super) async fn start() -> Self {
        let app = TestApp::start().await;
        // The longest tokens there are.
        let client = json!({
            "name": "Orders", "type": "m2m", "scopes": ["read"], "accessTokenLifetime": 86_400,
            "accessTokenSigningAlg": "ES256",
        });
        let client = app.register(client).await;
        let processes = CLOCKS.map(|ahead| app.another_process(ahead)).into();
        // The first keys are made.
        app.access_token(&client, &[]).await;
        Self { app, processes, client, cache: Mutex::default() }
    }

    pub(super) fn any_process(&self, rng: &mut StdRng) -> &Server {
        &self.processes[rng.random_range(0..self.processes.len())]
    }

    /// A new token, signed by one process.
    pub(super) async fn token(&self, process: &Server) -> Token {
        let call = process.post("/oauth2/token").basic(&self.client.client_id, &self.client.secret);
        let answer = call.form(&[("grant_type", "client_credentials")]).send().await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        let text = answer.text("access_token");
        let (header, claims) = unverified(&text);
        Token {
            kid: header["kid"].as_str().unwrap().to_owned(),
            exp: claims["exp"].as_u64().unwrap(),
            text,
        }
    }

    /// The key set, as it comes through an HTTP cache.
    async fn key_set(&self, rng: &mut StdRng) -> Value {
        let now = self.app.now().seconds();
        let kept = self.cache.lock().unwrap().clone();
        if let Some((kept, _)) = kept.filter(|(_, until)| now < *until) {
            return kept;
        }
        let answer = self.any_process(rng).get("/.well-known/jwks.json").send().await;
        let max_age = answer.header("cache-control").rsplit_once("max-age=").unwrap().1.to_owned();
        let until = now + max_age.parse::<u64>().unwrap();
        *self.cache.lock().unwrap() = Some((answer.json(), until));
        answer.json()
    }
}

/// A token that was issued.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) kid: String,
    /// Until when it counts, in seconds.
    pub(super) exp: u64,
}

/// An API that verifies tokens, as those behind API Gateway do: it keeps the key set for two hours, and
/// looks no sooner, not even for a key that it does not know.
#[derive(Default)]
pub(super) struct Verifier {
    fetched: Option<u64>,
    keys: HashMap<String, (Algorithm, DecodingKey)>,
}

impl Verifier {
    /// Fails when the token is refused.
    pub(super) async fn verify(&mut self, token: &Token, fleet: &Fleet, rng: &mut StdRng) {
        let now = fleet.app.now().seconds();
        let keeps = u64::from(VERIFIERS_KEEP);
        if self.fetched.is_none_or(|fetched| now >= fetched + keeps) {
            let set = fleet.key_set(rng).await;
            self.keys = set["keys"].as_array().unwrap().iter().map(decoding).collect();
            self.fetched = Some(now);
        }
        let known = || self.keys.keys().collect::<Vec<_>>();
        let Some((algorithm, key)) = self.keys.get(&token.kid) else {
            panic!(
                "{now}: {} is not in the key set of {:?}: {:?}",
                token.kid,
                self.fetched,
                known()
            )
        };
        let mut validation = Validation::new(*algorithm);
        // The clock of these tests is not the library's.
        validation.validate_exp = false;
        validation.validate_aud = false;
        jsonwebtoken::decode::<Value>(&token.text, key, &validation).expect("a good signature");
    }
}

fn decoding(jwk: &Value) -> (String, (Algorithm, DecodingKey)) {
    let text = |name: &str| jwk[name].as_str().unwrap();
    let key = match text("kty") {
        "RSA" => (Algorithm::RS256, DecodingKey::from_rsa_components(text("n"), text("e"))),
        _ => (Algorithm::ES256, DecodingKey::from_ec_components(text("x"), text("y"))),
    };
    (text("kid").to_owned(), (key.0, key.1.unwrap()))
}
