//! Whether the time of an answer tells what it must not: Welch's t-test over interleaved calls to the whole
//! server in this process, its store in memory. It needs a quiet machine and minutes, so it is no part of
//! `make test`, which holds the server to the work of the hashes that it computes.
//!
//! `make timing`, or with more rounds `ROUNDS=20000 make timing`. |t| below 4.5 is no difference that so many
//! calls could show. What is beyond that twice, with calls made anew, ends the program with exit code 1; the
//! means say how large the difference is. What it prints is a table in Markdown.
//!
//! Two kinds that differ by a random value of the server's own making are shown and not judged. The store has
//! an item of the one and none of the other, and to read an item takes its time; but nobody comes by such a
//! value by guessing, and who holds one learns no more than that it was made.

#![expect(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a tool for people, who see what goes wrong"
)]

use std::process::ExitCode;
use std::time::Instant;

use identety_http::ambient;
use identety_tests::app::{TestApp, TestClient};
use identety_tests::call::Call;
use identety_tests::sign_in::{PASSWORD, request};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::json;

/// Of a hundred calls, so many are looked at, the slowest are left out: the machine was busy with something else.
const KEPT: usize = 90;

/// From here on, two times are taken to differ.
const LIMIT: f64 = 4.5;

/// A secret and a password that nobody has.
const WRONG: &str = "a wrong secret that somebody chose";

/// What it takes to make a call of either kind.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Takes {
    /// A guess, of which one is right before long.
    AGuess,
    /// A value with at least 144 random bits, which this server made.
    AValueOfOurs,
}

/// The times of calls of two kinds, in microseconds.
#[derive(Default)]
struct Pair([Vec<f64>; 2]);

impl Pair {
    /// The mean of each kind and the t of their difference, of all calls below a bound for both.
    fn judge(&self, kept: usize) -> ([f64; 2], f64) {
        let Self([one, other]) = self;
        let mut all: Vec<_> = one.iter().chain(other).copied().collect();
        all.sort_by(f64::total_cmp);
        let bound = all[(all.len() - 1) * kept / 100];
        let moments = |times: &[f64]| {
            let times: Vec<_> = times.iter().filter(|time| **time <= bound).collect();
            let n = times.len() as f64;
            let mean = times.iter().copied().sum::<f64>() / n;
            let variance = times.iter().map(|time| (*time - mean).powi(2)).sum::<f64>() / (n - 1.0);
            (mean, variance / n)
        };
        let ((one, one_error), (other, other_error)) = (moments(one), moments(other));
        ([one, other], (one - other) / (one_error + other_error).sqrt())
    }

    /// What speaks most for a difference: the t of all calls, or that without the slowest.
    fn strongest(&self) -> f64 {
        [KEPT, 100].map(|kept| self.judge(kept).1.abs()).into_iter().fold(0.0, f64::max)
    }

    fn print(&self, what: &str) {
        let (means, t) = self.judge(KEPT);
        let (_, of_all) = self.judge(100);
        let Self([one, other]) = self;
        row([
            what,
            &(one.len() + other.len()).to_string(),
            &format!("{:.1}", means[0]),
            &format!("{:.1}", means[1]),
            &format!("{t:.2}"),
            &format!("{of_all:.2}"),
        ]);
    }
}

fn row([what, calls, one, other, t, of_all]: [&str; 6]) {
    println!("| {what:<64} | {calls:>6} | {one:>9} | {other:>9} | {t:>6} | {of_all:>6} |");
}

/// What is measured, and what has been found.
struct Timing {
    rounds: u32,
    rng: StdRng,
    /// The pairs that differ.
    found: Vec<String>,
}

impl Timing {
    /// Another address each time, so that no limit is met.
    fn address(&mut self) -> String {
        let mut byte = || self.rng.random::<u8>();
        format!("10.{}.{}.{}", byte(), byte(), byte())
    }

    /// Times calls of two kinds, whichever chance takes.
    async fn calls(&mut self, rounds: u32, make: impl Fn(usize) -> Call) -> Pair {
        let mut pair = Pair::default();
        for round in 0..rounds {
            let kind = usize::from(self.rng.random::<bool>());
            let call = make(kind).from(&self.address());
            let start = Instant::now();
            let answer = call.send().await;
            let time = start.elapsed().as_secs_f64() * 1e6;
            assert!(matches!(answer.status, 400 | 401), "{}", answer.status);
            // The first calls warm up.
            if round >= rounds.min(400) / 8 {
                pair.0[kind].push(time);
            }
        }
        pair
    }

    /// Measures a pair. What seems to differ is measured once more, with everything made anew: of many pairs
    /// that do not differ, one seems to by chance.
    async fn compare(
        &mut self,
        what: &str,
        takes: Takes,
        measure: impl AsyncFn(&mut Self) -> Pair,
    ) {
        let first = measure(self).await;
        first.print(what);
        if takes == Takes::AValueOfOurs {
            row(["not judged", "", "", "", "", ""]);
        } else if first.strongest() >= LIMIT {
            let again = measure(self).await;
            again.print("the same once more");
            if again.strongest() >= LIMIT {
                self.found.push(what.to_owned());
            }
        }
    }

    /// How often something is measured that takes fifty times as long as anything else.
    fn few(&self) -> u32 {
        self.rounds.div_ceil(8)
    }
}

fn token(app: &TestApp, id: &str, secret: &str) -> Call {
    let call = app.server.post("/oauth2/token").basic(id, secret);
    call.form(&[("grant_type", "client_credentials")])
}

/// The secret with one of its letters changed.
fn wrong_at(secret: &str, at: usize) -> String {
    let mut bytes = secret.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).expect("ASCII")
}

async fn clients(app: &TestApp, timing: &mut Timing) {
    let first_letter = |client: &TestClient| wrong_at(&client.secret, "m2m_secret_".len());
    timing
        .compare("a secret wrong in its first letter, in its last", Takes::AGuess, async |timing| {
            let client = app.m2m_client(&["read"]).await;
            // It is remembered that the right secret matched.
            assert_eq!(app.token(&client, &[]).await.status, 200);
            let last = wrong_at(&client.secret, client.secret.len() - 1);
            let secrets = [first_letter(&client), last];
            let rounds = timing.rounds;
            timing.calls(rounds, |kind| token(app, &client.client_id, &secrets[kind])).await
        })
        .await;
    timing
        .compare(
            "a known client, an unknown one of the same form",
            Takes::AValueOfOurs,
            async |timing| {
                let client = app.m2m_client(&["read"]).await;
                let unknown = wrong_at(&client.client_id, client.client_id.len() - 1);
                let (ids, secret) = ([client.client_id.clone(), unknown], first_letter(&client));
                let rounds = timing.rounds;
                timing.calls(rounds, |kind| token(app, &ids[kind], &secret)).await
            },
        )
        .await;
    timing
        .compare(
            "a known client with an imported secret, an unknown one",
            Takes::AGuess,
            async |timing| {
                let number = timing.rng.random::<u32>();
                let id = format!("imported-{number:010}");
                let secret = "a secret that somebody chose";
                app.register(json!({
                    "name": "Imported", "type": "m2m", "clientId": id, "clientSecret": secret,
                }))
                .await;
                let ids = [id, format!("unknown--{number:010}")];
                timing.calls(timing.few(), |kind| token(app, &ids[kind], WRONG)).await
            },
        )
        .await;
}

async fn codes(app: &TestApp, timing: &mut Timing) {
    let user = app.user("codes@example.com", PASSWORD).await;
    let rounds = timing.rounds;
    timing
        .compare(
            "a code of another client, one that never was",
            Takes::AValueOfOurs,
            async |timing| {
                let (owner, other) = (app.public_client().await, app.public_client().await);
                let code = app.code(&mut app.browser(), &owner, &user, &[]).await;
                let codes = [code.clone(), wrong_at(&code, code.len() / 2)];
                timing.calls(rounds, |kind| app.redeem_call(&other, &codes[kind])).await
            },
        )
        .await;
    timing
        .compare(
            "a code that has expired, one that never was",
            Takes::AValueOfOurs,
            async |timing| {
                let owner = app.public_client().await;
                let code = app.code(&mut app.browser(), &owner, &user, &[]).await;
                app.advance(61);
                let codes = [code.clone(), wrong_at(&code, code.len() / 2)];
                timing.calls(rounds, |kind| app.redeem_call(&owner, &codes[kind])).await
            },
        )
        .await;
}

async fn users(app: &TestApp, timing: &mut Timing) {
    let client = app.public_client().await;
    app.user("known@example.com", PASSWORD).await;
    let disabled = app.user("disab@example.com", PASSWORD).await;
    let path = format!("/admin/users/{}", disabled.id);
    let changed = app.admin("PATCH", &path).json(&json!({"isActive": false})).send().await;
    assert_eq!(changed.status, 200, "{}", changed.json());
    let without = json!({"email": "witho@example.com"});
    assert_eq!(app.admin("POST", "/admin/users").json(&without).send().await.status, 201);
    for (what, other) in [
        ("a sign-in of a known user, of an unknown one", "unkno@example.com"),
        ("a sign-in of a known user, of one without a password", "witho@example.com"),
        ("a sign-in of a known user, of a disabled one", "disab@example.com"),
    ] {
        let emails = ["known@example.com", other];
        let measure = async |timing: &mut Timing| sign_ins(app, &client, emails, timing).await;
        timing.compare(what, Takes::AGuess, measure).await;
    }
}

/// Times sign-ins of two users with a wrong password.
async fn sign_ins(
    app: &TestApp,
    client: &TestClient,
    emails: [&str; 2],
    timing: &mut Timing,
) -> Pair {
    let mut pair = Pair::default();
    for round in 0..timing.few() {
        // What has been counted of earlier failures is forgotten.
        app.advance(900);
        let mut browser = app.browser();
        browser.peer = timing.address();
        let page = browser.open(&request(client, &[])).await.page();
        let kind = usize::from(timing.rng.random::<bool>());
        let fields = [("email", emails[kind]), ("password", WRONG)];
        let start = Instant::now();
        let answer = browser.submit_once(&page, &fields).await;
        let time = start.elapsed().as_secs_f64() * 1e6;
        assert_eq!(answer.status, 400);
        if round >= 5 {
            pair.0[kind].push(time);
        }
    }
    pair
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let rng = ambient::rng().expect("randomness");
    let mut timing = Timing { rounds: rounds.unwrap_or(4_000), rng, found: Vec::new() };
    let dashes = |length: usize| format!("{}:", "-".repeat(length - 1));
    row(["of the first kind, of the second", "calls", "µs, first", "µs, other", "t", "t, all"]);
    let [calls, mean, t] = [6, 9, 6].map(dashes);
    row([&"-".repeat(64), &calls, &mean, &mean, &t, &t]);
    let app = TestApp::start().await;
    clients(&app, &mut timing).await;
    codes(&app, &mut timing).await;
    users(&app, &mut timing).await;
    for found in &timing.found {
        eprintln!("the time of an answer tells these apart: {found}");
    }
    if timing.found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
