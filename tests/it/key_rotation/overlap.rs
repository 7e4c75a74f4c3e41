//! Verifiers that keep the key set for two hours see no failure, however often the keys rotate.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use identety_domain::Timestamp;
use identety_domain::client::SigningAlg;
use identety_domain::keys::{KeyState, Obstacle, RotationPeriod};
use identety_http::ambient;
use identety_keys::{ChangeError, Rotator};
use identety_tests::app::TestApp;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::fleet::{CLOCKS, Fleet, Token, Verifier};

const ALG: SigningAlg = SigningAlg::Es256;

/// A period so long that steps only forget: the rotations are made by hand, as fast as they may be.
fn never() -> RotationPeriod {
    RotationPeriod::days(365).unwrap()
}

/// The time of a process whose clock is this far ahead.
fn clock(app: &TestApp, ahead: i64) -> Timestamp {
    Timestamp::from_millis(app.now().millis().saturating_add_signed(ahead * 1000))
}

/// Rotates as soon as nothing forbids it; whether it did.
async fn rotate_if_allowed(rotator: &Rotator, now: Timestamp) -> bool {
    rotator.step(never(), now, &mut ambient::rng().unwrap()).await.unwrap();
    match rotator.rotate(Some(ALG), false, now, &mut ambient::rng().unwrap()).await {
        Ok(rotated) => rotated.len() == 1,
        Err(ChangeError::Obstacle(..) | ChangeError::Raced { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Replaces the next key, so that the next rotation waits for nothing but its youth.
async fn replace_next(rotator: &Rotator, now: Timestamp) {
    let rings = rotator.rings().await.unwrap();
    let ring = rings.iter().find(|ring| ring.alg == ALG).unwrap();
    let next = ring.in_state(KeyState::Next).unwrap().kid.clone();
    rotator.revoke(&next, now, &mut ambient::rng().unwrap()).await.unwrap();
}

/// Whether the previous key is gone, so that only the youth of the next stands before a rotation.
async fn previous_is_gone(rotator: &Rotator) -> bool {
    let rings = rotator.rings().await.unwrap();
    rings.iter().any(|ring| ring.alg == ALG && ring.in_state(KeyState::Previous).is_none())
}

/// For how many seconds the clock may go on at once: in small steps around every change, for all depends
/// on what happens then, and in large ones where nothing happens for hours.
async fn stride(app: &TestApp, rotator: &Rotator) -> u64 {
    const HOURS: u64 = 3 * 3600;
    let (now, rings) = (app.now(), rotator.rings().await.unwrap());
    let ring = rings.iter().find(|ring| ring.alg == ALG).unwrap();
    let was_lately = ring.keys.iter().any(|key| now.since(key.since).as_secs() < HOURS);
    let obstacles = ring.obstacles(now).into_iter().map(|obstacle| match obstacle {
        Obstacle::NextIsYoung { until } | Obstacle::PreviousIsNeeded { until } => until,
    });
    let is_soon = obstacles.max().is_none_or(|until| until.since(now).as_secs() < HOURS);
    if was_lately || is_soon { 100 } else { 1800 }
}

#[tokio::test]
async fn every_token_is_verified_until_its_end_across_rotations_as_fast_as_they_may_be() {
    let mut rng = StdRng::seed_from_u64(7);
    let fleet = Fleet::start().await;
    let rotator = fleet.app.rotator();
    let mut verifiers: Vec<_> = (0..8).map(|_| Verifier::default()).collect();
    let (mut alive, mut kids) = (Vec::<Token>::new(), BTreeSet::new());
    let (mut rotations, mut is_replaced) = (0, false);
    while rotations < 3 {
        let stride = stride(&fleet.app, &rotator).await;
        fleet.app.advance(rng.random_range(1..=3 * stride));
        let token = fleet.token(fleet.any_process(&mut rng)).await;
        kids.insert(token.kid.clone());
        for verifier in &mut verifiers {
            verifier.verify(&token, &fleet, &mut rng).await;
        }
        let now = fleet.app.now().seconds();
        alive.push(token);
        alive.retain(|token| now < token.exp);
        // The oldest is the first to lose its key.
        let chosen = [0, rng.random_range(0..alive.len())];
        for token in chosen.map(|number| alive[number].clone()) {
            let verifier = rng.random_range(0..verifiers.len());
            verifiers[verifier].verify(&token, &fleet, &mut rng).await;
        }
        let now = clock(&fleet.app, CLOCKS[rng.random_range(0..CLOCKS.len())]);
        if rotations % 2 == 1 && !is_replaced {
            rotator.step(never(), now, &mut ambient::rng().unwrap()).await.unwrap();
            if previous_is_gone(&rotator).await {
                replace_next(&rotator, now).await;
                is_replaced = true;
            }
        } else if rotate_if_allowed(&rotator, now).await {
            (rotations, is_replaced) = (rotations + 1, false);
        }
    }
    assert!(kids.len() == 3, "{kids:?}");
}

/// What the threads of the test share.
struct Load {
    fleet: Fleet,
    tokens: Mutex<Vec<Token>>,
    is_over: AtomicBool,
    /// How much each thread has done.
    progress: Vec<AtomicU64>,
}

impl Load {
    /// Lets time pass, and waits until every thread has done something more, so that none falls far behind
    /// the clock.
    async fn advance(&self, seconds: u64) {
        let done = || self.progress.iter().map(|done| done.load(Ordering::SeqCst));
        let before: Vec<_> = done().collect();
        self.fleet.app.advance(seconds);
        for _ in 0..60_000 {
            if done().zip(&before).all(|(now, before)| now > *before) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("a thread does not go on");
    }

    /// A thread does a few things for each step of the clock, and then waits for the next.
    async fn pace(&self, number: usize, step: &mut (u64, u32)) {
        self.progress[number].fetch_add(1, Ordering::SeqCst);
        let now = self.fleet.app.now().seconds();
        *step = if step.0 == now { (now, step.1 + 1) } else { (now, 1) };
        while step.1 >= 3
            && self.fleet.app.now().seconds() == step.0
            && !self.is_over.load(Ordering::SeqCst)
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn sign(self: Arc<Self>, number: usize) {
        let (mut rng, mut step) = (StdRng::seed_from_u64(number as u64), (0, 0));
        while !self.is_over.load(Ordering::SeqCst) {
            let token = self.fleet.token(&self.fleet.processes[number]).await;
            {
                let mut tokens = self.tokens.lock().unwrap();
                if tokens.len() < 400 {
                    tokens.push(token);
                } else {
                    let place = rng.random_range(0..tokens.len());
                    tokens[place] = token;
                }
            }
            self.pace(number, &mut step).await;
        }
    }

    async fn verify(self: Arc<Self>, number: usize) {
        let (mut rng, mut step) = (StdRng::seed_from_u64(number as u64), (0, 0));
        let mut verifier = Verifier::default();
        while !self.is_over.load(Ordering::SeqCst) {
            let token = {
                let tokens = self.tokens.lock().unwrap();
                // Every other one is among the newest.
                let newest = tokens.len().saturating_sub(8);
                let from = if rng.random_bool(0.5) { newest } else { 0 };
                (from < tokens.len()).then(|| tokens[rng.random_range(from..tokens.len())].clone())
            };
            if let Some(token) = token
                && self.fleet.app.now().seconds() < token.exp
            {
                verifier.verify(&token, &self.fleet, &mut rng).await;
            }
            self.pace(number, &mut step).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn no_token_is_refused_under_load_while_several_rotators_do_all_they_may() {
    let fleet = Fleet::start().await;
    let signers = fleet.processes.len();
    let progress = (0..2 * signers).map(|_| AtomicU64::new(0)).collect();
    let (tokens, is_over) = (Mutex::default(), AtomicBool::new(false));
    let load = Arc::new(Load { fleet, tokens, is_over, progress });
    let mut threads = tokio::task::JoinSet::new();
    for number in 0..signers {
        threads.spawn(load.clone().sign(number));
        threads.spawn(load.clone().verify(signers + number));
    }
    let app = &load.fleet.app;
    let rotators = CLOCKS.map(|ahead| (app.rotator(), ahead));
    let mut rotations = 0;
    while rotations < 2 {
        load.advance(stride(app, &rotators[0].0).await).await;
        assert!(threads.try_join_next().is_none(), "a thread ended");
        let [a, b, c, d] = &rotators;
        let all =
            [a, b, c, d].map(|(rotator, ahead)| rotate_if_allowed(rotator, clock(app, *ahead)));
        let [a, b, c, d] = all;
        let done = tokio::join!(a, b, c, d);
        let done = [done.0, done.1, done.2, done.3].into_iter().filter(|done| *done).count();
        assert!(done <= 1, "{done} rotations at once");
        rotations += done;
    }
    // Until the last process has followed.
    for _ in 0..8 {
        load.advance(100).await;
    }
    load.is_over.store(true, Ordering::SeqCst);
    while let Some(ended) = threads.join_next().await {
        ended.expect("no token is refused");
    }
}
