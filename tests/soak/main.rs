//! A real `identety serve` at high load, for two minutes or as long as `IDENTETY_SOAK_SECONDS` says, while
//! secrets and keys rotate, clients are disabled, and the server is killed and started again on the same
//! data. Every worker keeps a ledger of what was acknowledged to it, and holds the server to it.
//!
//! In the first half of the time the server is killed every twenty seconds, and its keys rotate before it
//! starts again. The second half is one life, in which its memory and its descriptors must stay flat. What
//! was under way at a kill has an unknown end: it may have been done or not, but not half.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "whatever a test does not find ends the test"
)]

mod families;
mod flat;
mod machines;
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use families::Families;
use flat::Samples;
use machines::Machines;
use world::World;

/// How long a life is in the first half.
const LIFE: Duration = Duration::from_secs(20);
/// Workers that do everything with m2m clients, those that only fetch tokens, and those that are users.
const MACHINES: u32 = 4;
const LOADS: u32 = 4;
const USERS: u32 = 4;

fn seconds() -> u64 {
    let given = std::env::var("IDENTETY_SOAK_SECONDS").ok();
    given.map_or(120, |given| given.parse().expect("IDENTETY_SOAK_SECONDS is a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn at_high_load_with_kills_rotations_and_ended_clients_every_answer_is_right_and_none_is_lost()
 {
    let total = Duration::from_secs(seconds());
    let mut world = World::start().await;
    let shared = world.shared.clone();
    let mut machines = Vec::new();
    let mut families = Vec::new();
    for number in 0..MACHINES {
        machines.push(tokio::spawn(Machines::new(shared.clone(), number.into()).work()));
    }
    for number in 0..USERS {
        families.push(tokio::spawn(Families::new(shared.clone(), number).await.work()));
    }
    let mut loads = Vec::new();
    for _ in 0..LOADS {
        loads.push(tokio::spawn(machines::load(shared.clone())));
    }

    let start = Instant::now();
    let mut lives = 1;
    while start.elapsed() + LIFE < total / 2 {
        world.live(LIFE).await;
        world.kill_and_restart().await;
        lives += 1;
    }
    if lives == 1 {
        world.live(total / 4).await;
        world.kill_and_restart().await;
        lives += 1;
    }
    let mut samples = Samples::default();
    while start.elapsed() < total {
        world.live(Duration::from_millis(500)).await;
        samples.take(world.process());
    }
    shared.stop();
    let (mut ledgers, mut chains) = (Vec::new(), Vec::new());
    for worker in machines {
        ledgers.push(worker.await.expect("a worker"));
    }
    for worker in families {
        chains.push(worker.await.expect("a worker"));
    }
    for load in loads {
        load.await.expect("a worker");
    }
    println!("{lives} lives; {}", shared.summary());
    println!("{samples}");
    world.stop_and_restart().await;
    for ledger in &mut ledgers {
        ledger.check().await;
    }
    for chain in &mut chains {
        chain.check().await;
    }
    println!("held to {} clients and {} families", count(&ledgers), families_of(&chains));
    shared.check();
    samples.check();
    assert!(count(&ledgers) > 10 && families_of(&chains) > 10, "nothing happened");
}

fn count(ledgers: &[Machines]) -> usize {
    ledgers.iter().map(Machines::count).sum()
}

fn families_of(chains: &[Families]) -> usize {
    chains.iter().map(Families::count).sum()
}

/// What is known of something that was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    Yes,
    No,
    /// No answer came, or that the server is busy.
    Perhaps,
}

impl Known {
    /// What is known after one more request for it.
    fn after(self, is_done: bool) -> Self {
        match (self, is_done) {
            (_, true) | (Self::Yes, _) => Self::Yes,
            _ => Self::Perhaps,
        }
    }
}

/// What all workers share.
type Shared = Arc<world::Shared>;
