//! The server, its lives, and what must hold of every answer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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

use crate::beside::{self, Beside};
use crate::flat::Samples;

/// In this time after its start, and it takes a fraction of it, the server's timer has moved on keys that
/// are old.
const TIMER_WITHIN: Duration = Duration::from_secs(4);

/// How many good answers there must be of each kind of work, in every minute: a part of what a slow machine
/// makes, and in half of the time only. A server that says that it is busy, or that refuses, does not come near.
const FEWEST_IN_A_MINUTE: [(&str, u64); 12] = [
    ("load", 300),
    ("create", 5),
    ("fetch", 100),
    ("an ended secret", 1),
    ("rotate", 1),
    ("disable", 1),
    ("delete", 1),
    ("list", 2),
    ("page", 20),
    ("redeem", 10),
    ("refresh", 100),
    ("revoke", 2),
];

/// The server's process and data.
pub(crate) struct World {
    pub(crate) shared: crate::Shared,
    data: TempDir,
    port: u16,
    running: Option<Serve>,
    started: Instant,
    /// The keys that signed, by the store, when the server was started.
    current: Vec<String>,
    /// Those of them that the timer has to move on.
    due: Vec<String>,
    /// Who moves them on next.
    mover: Mover,
    /// How often a kill found the keys moved on by the server's own timer, and how often a person did that
    /// while it was down.
    pub(crate) moved: (u32, u32),
}

/// Who moves the keys on while the server is killed again and again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mover {
    /// The server's own timer, while it serves.
    Timer,
    /// A person, while it is down.
    Person,
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
    is_quiet: AtomicBool,
    wrong: Mutex<Vec<String>>,
    /// How many answers there were of each kind of work, by status.
    answered: Mutex<BTreeMap<(&'static str, u16), u64>>,
    /// The key set, as an API keeps it.
    keys: Mutex<HashMap<String, DecodingKey>>,
    /// Whether a rotation was forced, so that a key may sign which the key set did not have long before.
    is_emergency: AtomicBool,
    /// The keys that tokens of the server's present life were signed with.
    kids: Mutex<BTreeSet<String>>,
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
            is_quiet: AtomicBool::new(false),
            wrong: Mutex::default(),
            answered: Mutex::default(),
            keys: Mutex::default(),
            is_emergency: AtomicBool::new(false),
            kids: Mutex::default(),
        };
        let shared = Arc::new(shared);
        shared.fetch_keys().await.expect("a key set");
        let current = Beside::open(data.path()).current().await;
        Self {
            shared,
            data,
            port,
            running: Some(running),
            started: Instant::now(),
            current,
            due: Vec::new(),
            mover: Mover::Timer,
            moved: (0, 0),
        }
    }

    /// The server's data, opened a second time.
    pub(crate) fn beside(&self) -> Beside {
        Beside::open(self.data.path())
    }

    /// Lets time pass, but not when something is wrong already.
    pub(crate) async fn live(&self, time: Duration) {
        self.shared.check();
        tokio::time::sleep(time).await;
        self.shared.check();
    }

    /// The same, with a look at the process now and then.
    pub(crate) async fn sample(&self, time: Duration, samples: &mut [&mut Samples]) {
        let start = Instant::now();
        let process = self.running.as_ref().expect("a server").id();
        while start.elapsed() < time {
            self.live(Duration::from_millis(500)).await;
            for samples in &mut *samples {
                samples.take(process, self.shared.answers());
            }
        }
    }

    /// Kills the server, and starts it again. Unless it has moved its keys on in this life, they are made so
    /// old that its timer will do so in the next, or a person rotates them now: one step in each life, so
    /// that every key is published in the life before it signs.
    pub(crate) async fn kill_and_restart(&mut self) {
        if self.kill().await || !self.due.is_empty() {
            // One step was made, or is to be made still.
        } else if self.mover == Mover::Timer {
            let beside = self.beside();
            beside.age_keys().await;
            self.due = beside.current().await;
            self.mover = Mover::Person;
        } else {
            self.rotate_by_command().await;
            self.moved.1 += 1;
            self.mover = Mover::Timer;
        }
        self.restart().await;
    }

    /// The same without another step, until the timer has nothing to do in the next life.
    pub(crate) async fn kill_and_restart_settled(&mut self) {
        loop {
            self.live(2 * TIMER_WITHIN).await;
            self.kill().await;
            self.restart().await;
            if self.due.is_empty() {
                break;
            }
        }
    }

    /// Kills the server. Whether its timer has moved the keys on in this life.
    async fn kill(&mut self) -> bool {
        self.shared.life.fetch_add(1, SeqCst);
        let lived = self.started.elapsed();
        self.running.take().expect("a server").kill().await;
        let current = self.beside().current().await;
        self.due.retain(|kid| current.contains(kid));
        if lived > TIMER_WITHIN && !self.due.is_empty() {
            self.shared.report(format!("in {lived:?} the timer has not moved {:?} on", self.due));
        }
        let has_moved = current != self.current;
        self.moved.0 += u32::from(has_moved);
        has_moved
    }

    /// Forces a rotation of the keys of the server that is down.
    async fn rotate_by_command(&self) {
        let rotated = tokio::process::Command::new(binaries::identety())
            .args(["keys", "rotate", "--force", "--data"])
            .arg(self.data.path())
            .output()
            .await
            .expect("identety");
        assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    }

    /// Forces a rotation beside the server, which goes on with the keys that it has read.
    pub(crate) async fn force_rotation(&self) {
        self.beside().force().await;
        self.shared.is_emergency.store(true, SeqCst);
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
        self.current = self.beside().current().await;
        self.shared.kids.lock().unwrap().clear();
        self.running = Some(start(&self.data, self.port).await);
        self.started = Instant::now();
        *self.shared.client.lock().unwrap() = client();
        self.shared.life.fetch_add(1, SeqCst);
        self.shared.fetch_keys().await.expect("a key set");
    }
}

async fn start(data: &TempDir, port: u16) -> Serve {
    let mut command = serve::command_on(port, data.path());
    let days = beside::PERIOD_DAYS.to_string();
    command.args(["--log", "warn", "--key-rotation-days", &days]);
    Serve::spawn(command, data.path()).await
}

impl Shared {
    /// The answer to a call; `None` when the server was killed meanwhile, so that nobody knows.
    async fn ask(&self, kind: &'static str, call: Call) -> Option<Answer> {
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
        *self.answered.lock().unwrap().entry((kind, answer.status)).or_default() += 1;
        Some(answer)
    }

    /// The answer, which must be one of `expected`. That it is busy the server may never say: its store is
    /// in the same process, throttles nobody, and is opened before the first request.
    pub(crate) async fn expect(
        &self,
        kind: &'static str,
        of: &(dyn Debug + Sync),
        call: Call,
        expected: &[u16],
    ) -> Option<Answer> {
        let answer = self.ask(kind, call).await?;
        if !expected.contains(&answer.status) {
            self.report(format!("{kind} {of:?}: {} {}", answer.status, html(&answer)));
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

    /// Fails where too little was done of any kind of work in this time.
    pub(crate) fn check_amounts(&self, time: Duration) {
        let answered = self.answered.lock().unwrap();
        for (kind, fewest) in FEWEST_IN_A_MINUTE {
            let good = |(of, status): &(&str, u16)| {
                *of == kind && (*status < 400 || kind == "an ended secret" && *status == 401)
            };
            let count: u64 =
                answered.iter().filter(|(key, _)| good(key)).map(|(_, count)| count).sum();
            let fewest = fewest * time.as_secs() / 60;
            assert!(
                count >= fewest,
                "{kind}: {count} good answers, and not {fewest}: {answered:?}"
            );
        }
    }

    /// Tells workers to stop.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, SeqCst);
    }

    /// Tells workers to go on with what there is, and to add nothing to it.
    pub(crate) fn quieten(&self) {
        self.is_quiet.store(true, SeqCst);
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.is_quiet.load(SeqCst)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.stopped.load(SeqCst) || !self.wrong.lock().unwrap().is_empty()
    }

    /// How many answers there were.
    pub(crate) fn answers(&self) -> u64 {
        self.answered.lock().unwrap().values().sum()
    }

    pub(crate) fn summary(&self) -> String {
        let answered = self.answered.lock().unwrap();
        let each =
            answered.iter().map(|((kind, status), count)| format!("{kind} {status}: {count}"));
        let each = each.collect::<Vec<_>>().join(", ");
        format!("{} answers: {each}", answered.values().sum::<u64>())
    }

    /// The keys that tokens of the server's present life were signed with.
    pub(crate) fn kids(&self) -> BTreeSet<String> {
        self.kids.lock().unwrap().clone()
    }

    /// Fetches the key set; `None` when it cannot be had.
    pub(crate) async fn fetch_keys(&self) -> Option<()> {
        let call = self.server.get("/.well-known/jwks.json");
        let answer = self.expect("key set", &(), call, &[200]).await?;
        let set: JwkSet = serde_json::from_slice(&answer.body).ok()?;
        let pairs = set
            .keys
            .iter()
            .filter_map(|jwk| Some((jwk.common.key_id.clone()?, DecodingKey::from_jwk(jwk).ok()?)));
        *self.keys.lock().unwrap() = pairs.collect();
        Some(())
    }

    /// Checks a token of the server, and gives its claims.
    pub(crate) async fn verify(&self, token: &str) -> Option<Value> {
        let kid = decode_header(token).ok().and_then(|header| header.kid);
        self.kids.lock().unwrap().extend(kid);
        self.verify_any(token).await
    }

    /// Checks a token of any process as an API does that fetches the key set once in each life of the
    /// server: so that it knows every key that signs, but those of emergencies, for which it looks again.
    pub(crate) async fn verify_any(&self, token: &str) -> Option<Value> {
        let header = decode_header(token).expect("a header");
        let kid = header.kid.expect("a kid");
        let known = |kid: &str| self.keys.lock().unwrap().get(kid).cloned();
        if known(&kid).is_none() && self.is_emergency.load(SeqCst) {
            self.fetch_keys().await?;
        }
        let Some(key) = known(&kid) else {
            self.report(format!("{kid} signs, and was not published before"));
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
