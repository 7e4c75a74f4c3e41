//! The server, its lives, and what must hold of every answer.

use std::collections::{BTreeMap, HashMap};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use identety_tests::binaries;
use identety_tests::browser::html;
use identety_tests::call::{Answer, Call, Server};
use identety_tests::serve::{self, Serve};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use tempfile::TempDir;

/// The server's process and data.
pub(crate) struct World {
    pub(crate) shared: crate::Shared,
    data: TempDir,
    port: u16,
    running: Option<Serve>,
}

/// What workers know of the server, and what they have found wrong.
pub(crate) struct Shared {
    /// Where to call it.
    pub(crate) server: Server,
    /// Its issuer.
    pub(crate) issuer: String,
    pub(crate) api_key: String,
    client: Mutex<Client<HttpConnector, Body>>,
    /// Even while it is up, odd while it is down.
    life: AtomicU64,
    stopped: AtomicBool,
    wrong: Mutex<Vec<String>>,
    answered: Mutex<BTreeMap<u16, u64>>,
    keys: Mutex<HashMap<String, DecodingKey>>,
}

fn client() -> Client<HttpConnector, Body> {
    // The server ends connections that are idle for ten seconds.
    let idle = Duration::from_secs(5);
    Client::builder(TokioExecutor::new()).pool_idle_timeout(idle).build_http()
}

/// A port that stays the same over all lives: below those that the system gives to connections.
fn port() -> u16 {
    let ports = 20_000..30_000_u16;
    let first = u16::try_from(std::process::id() % 10_000).expect("a small number");
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let turned = ports.clone().skip(first.into()).chain(ports);
    turned.into_iter().find(free).expect("a free port")
}

impl World {
    pub(crate) async fn start() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let port = port();
        let running = start(&data, port).await;
        let shared = Shared {
            server: running.server(),
            issuer: running.url.clone(),
            api_key: running.admin()["apiKey"].as_str().expect("an API key").to_owned(),
            client: Mutex::new(client()),
            life: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            wrong: Mutex::default(),
            answered: Mutex::default(),
            keys: Mutex::default(),
        };
        Self { shared: Arc::new(shared), data, port, running: Some(running) }
    }

    /// The id of the server's process.
    pub(crate) fn process(&self) -> u32 {
        self.running.as_ref().expect("a server").id()
    }

    /// Lets time pass, but not when something is wrong already.
    pub(crate) async fn live(&self, time: Duration) {
        self.shared.check();
        tokio::time::sleep(time).await;
        self.shared.check();
    }

    /// Kills the server, rotates its keys, and starts it again.
    pub(crate) async fn kill_and_restart(&mut self) {
        self.shared.life.fetch_add(1, SeqCst);
        self.running.take().expect("a server").kill().await;
        let rotated = tokio::process::Command::new(binaries::identety())
            .args(["keys", "rotate", "--force", "--data"])
            .arg(self.data.path())
            .output()
            .await
            .expect("identety");
        assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
        self.restart().await;
    }

    /// Stops the server as Ctrl-C does, and starts it again.
    pub(crate) async fn stop_and_restart(&mut self) {
        self.shared.life.fetch_add(1, SeqCst);
        let ended = self.running.take().expect("a server").stop().await;
        assert!(ended.status.success(), "{}", ended.stderr);
        let panicked = ended.stderr.lines().find(|line| line.contains("panicked"));
        assert_eq!(panicked, None);
        self.restart().await;
    }

    async fn restart(&mut self) {
        self.running = Some(start(&self.data, self.port).await);
        *self.shared.client.lock().unwrap() = client();
        self.shared.life.fetch_add(1, SeqCst);
    }
}

async fn start(data: &TempDir, port: u16) -> Serve {
    let mut command = serve::command_on(port, data.path());
    command.args(["--log", "warn"]);
    Serve::spawn(command, data.path()).await
}

impl Shared {
    /// The answer to a call; `None` when the server was killed meanwhile, so that nobody knows.
    pub(crate) async fn ask(&self, call: Call) -> Option<Answer> {
        let life = self.life.load(SeqCst);
        let client = self.client.lock().unwrap().clone();
        let answer = call.try_send(&client).await;
        let Some(answer) = answer else {
            if life.is_multiple_of(2) && self.life.load(SeqCst) == life {
                self.report("no answer, though the server is up".to_owned());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            return None;
        };
        *self.answered.lock().unwrap().entry(answer.status).or_default() += 1;
        if answer.status == 503 && answer.header("retry-after").is_empty() {
            self.report("503 that does not say when to come back".to_owned());
        }
        if answer.status >= 500 && answer.status != 503 {
            self.report(format!("{} {}", answer.status, html(&answer)));
        }
        Some(answer)
    }

    /// The answer, if it says anything but that the server is busy; it must be one of `expected` then.
    pub(crate) async fn expect(&self, what: &str, call: Call, expected: &[u16]) -> Option<Answer> {
        let answer = self.ask(call).await.filter(|answer| answer.status != 503)?;
        if !expected.contains(&answer.status) {
            self.report(format!("{what}: {} {}", answer.status, html(&answer)));
            return None;
        }
        Some(answer)
    }

    /// Notes what is wrong.
    pub(crate) fn report(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }

    /// Fails with everything that was wrong, if anything was.
    pub(crate) fn check(&self) {
        let wrong = self.wrong.lock().unwrap();
        let first = wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
        assert!(wrong.is_empty(), "{} wrong answers, such as\n{first}", wrong.len());
    }

    /// Tells workers to stop.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, SeqCst);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.stopped.load(SeqCst) || !self.wrong.lock().unwrap().is_empty()
    }

    pub(crate) fn summary(&self) -> String {
        let answered = self.answered.lock().unwrap();
        format!("{} answers: {answered:?}", answered.values().sum::<u64>())
    }

    /// Checks a token by the published keys, and gives its claims; `None` when the keys cannot be had.
    pub(crate) async fn verify(&self, token: &str) -> Option<Value> {
        let header = decode_header(token).expect("a header");
        let kid = header.kid.expect("a kid");
        let known = |kid: &str| self.keys.lock().unwrap().get(kid).cloned();
        if known(&kid).is_none() {
            let answer = self.ask(self.server.get("/.well-known/jwks.json")).await?;
            let set: JwkSet = serde_json::from_slice(&answer.body).ok()?;
            let pairs = set.keys.iter().filter_map(|jwk| {
                Some((jwk.common.key_id.clone()?, DecodingKey::from_jwk(jwk).ok()?))
            });
            self.keys.lock().unwrap().extend(pairs);
        }
        let Some(key) = known(&kid) else {
            self.report(format!("{kid} is not published"));
            return None;
        };
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.issuer]);
        validation.validate_aud = false;
        match decode::<Value>(token, &key, &validation) {
            Ok(token) => Some(token.claims),
            Err(error) => {
                self.report(format!("a token that does not verify: {error}"));
                None
            }
        }
    }
}
