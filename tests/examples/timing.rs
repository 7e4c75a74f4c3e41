//! Whether the time of an answer tells what it must not: Welch's t-test over interleaved calls to the whole
//! server in this process, its store in memory. A measurement, to be read by a person; what tests hold the
//! server to is the number of hashes that it computes.
//!
//! `make timing`, or with more rounds `ROUNDS=20000 make timing`. |t| below 4.5 is no difference that so many
//! calls could show; above it there may be one, and the means say how large it is.

#![expect(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a tool for people, who see what goes wrong"
)]

use std::time::Instant;

use identety_http::ambient;
use identety_tests::app::{TestApp, TestClient};
use identety_tests::call::Call;
use identety_tests::sign_in::{PASSWORD, request};
use rand::RngExt as _;
use rand::rngs::StdRng;

/// Of a hundred calls, so many are looked at, the slowest are left out: the machine was busy with something else.
const KEPT: usize = 90;

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

    fn report(&self, what: &str) {
        let (means, t) = self.judge(KEPT);
        let (_, raw) = self.judge(100);
        let Self([one, other]) = self;
        println!(
            "{what:<58} {:>6} {:>6} {:>10.1} {:>10.1} {t:>7.2} {raw:>7.2}",
            one.len(),
            other.len(),
            means[0],
            means[1],
        );
    }
}

/// Another address each time, so that no limit is met.
fn address(rng: &mut StdRng) -> String {
    format!("10.{}.{}.{}", rng.random::<u8>(), rng.random::<u8>(), rng.random::<u8>())
}

/// Times calls of two kinds, whichever chance takes.
async fn compare(
    what: &str,
    rounds: u32,
    rng: &mut StdRng,
    make: impl Fn(usize, &mut StdRng) -> Call,
) {
    let mut pair = Pair::default();
    for round in 0..rounds {
        let kind = usize::from(rng.random::<bool>());
        let call = make(kind, rng);
        let call = call.from(&address(rng));
        let start = Instant::now();
        let answer = call.send().await;
        let time = start.elapsed().as_secs_f64() * 1e6;
        assert!(matches!(answer.status, 400 | 401), "{}", answer.status);
        // The first calls warm up.
        if round >= 50 {
            pair.0[kind].push(time);
        }
    }
    pair.report(what);
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

async fn clients(app: &TestApp, rounds: u32, rng: &mut StdRng) {
    let client = app.m2m_client(&["read"]).await;
    // It is remembered that the right secret matched.
    assert_eq!(app.token(&client, &[]).await.status, 200);
    let TestClient { client_id, secret, .. } = &client;
    let first = wrong_at(secret, "m2m_secret_".len());
    let last = wrong_at(secret, secret.len() - 1);
    let secrets = [first.as_str(), &last];
    compare("a secret wrong in its first letter, in its last", rounds, rng, |kind, _| {
        token(app, client_id, secrets[kind])
    })
    .await;
    let unknown = wrong_at(client_id, client_id.len() - 1);
    let ids = [client_id.as_str(), &unknown];
    compare("a known client, an unknown one of the same form", rounds, rng, |kind, _| {
        token(app, ids[kind], &first)
    })
    .await;
}

async fn codes(app: &TestApp, rounds: u32, rng: &mut StdRng) {
    let (owner, other) = (app.public_client().await, app.public_client().await);
    let user = app.user("codes@example.com", PASSWORD).await;
    let code = app.code(&mut app.browser(), &owner, &user, &[]).await;
    let unknown = wrong_at(&code, code.len() / 2);
    let codes = [code.as_str(), &unknown];
    compare("a code of another client, one that never was", rounds, rng, |kind, _| {
        app.redeem_call(&other, codes[kind])
    })
    .await;
    app.advance(61);
    compare("a code that has expired, one that never was", rounds, rng, |kind, _| {
        app.redeem_call(&owner, codes[kind])
    })
    .await;
}

async fn users(app: &TestApp, rounds: u32, rng: &mut StdRng) {
    let client = app.public_client().await;
    app.user("known@example.com", PASSWORD).await;
    let emails = ["known@example.com", "unkno@example.com"];
    let mut pair = Pair::default();
    for round in 0..rounds {
        // What has been counted of earlier failures is forgotten.
        app.advance(900);
        let mut browser = app.browser();
        browser.peer = address(rng);
        let page = browser.open(&request(&client, &[])).await.page();
        let kind = usize::from(rng.random::<bool>());
        let fields = [("email", emails[kind]), ("password", "a wrong password")];
        let start = Instant::now();
        let answer = browser.submit_once(&page, &fields).await;
        let time = start.elapsed().as_secs_f64() * 1e6;
        assert_eq!(answer.status, 400);
        if round >= 10 {
            pair.0[kind].push(time);
        }
    }
    pair.report("a sign-in of a known user, of an unknown one");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let rounds: u32 = rounds.unwrap_or(4_000);
    let mut rng = ambient::rng().expect("randomness");
    println!(
        "{:<58} {:>6} {:>6} {:>10} {:>10} {:>7} {:>7}",
        "of the first kind, of the second", "calls", "calls", "µs", "µs", "t", "t, all"
    );
    let app = TestApp::start().await;
    clients(&app, rounds, &mut rng).await;
    codes(&app, rounds, &mut rng).await;
    users(&app, rounds.div_ceil(8), &mut rng).await;
}
