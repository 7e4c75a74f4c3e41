//! A real `identety serve` at high load, for a minute or as long as `IDENTETY_SOAK_SECONDS` says, while
//! secrets and keys rotate, clients are disabled, and the server is killed and started again on the same
//! data. Every worker keeps a ledger of what was acknowledged to it, and holds the server to it.
//!
//! In the first two fifths of the time the server is killed every few seconds, sometimes as soon as it has
//! started. What was under way at a kill has an unknown end: it may have been done or not, but not half. The
//! rest is one life, in which its memory and its descriptors must stay flat.
//!
//! Keys rotate under the load: by the server's own timer, which finds them old at the start of a life; and
//! in the long life by the timer of another process, and then by force. A process reads its keys again every
//! five minutes, and no test can hurry that. So in one minute another process of the same data, whose clock
//! is put forward, shows that one follows while it serves; of the server it is shown that it goes on with
//! the keys that it publishes, and takes up the others when it starts again. In ten minutes (`make soak`)
//! the server itself must follow in its long life.

#![expect(clippy::too_many_lines, reason = "a test tells its story from beginning to end")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "whatever a test does not find ends the test"
)]

mod beside;
mod families;
mod flat;
mod machines;
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use families::Families;
use flat::Samples;
use machines::Machines;
use world::World;

/// How long lives are in the first part, in milliseconds, in turn. The timer moves old keys on at the start
/// of a life, so some end then.
const LIVES: [u64; 5] = [5000, 2500, 100, 5000, 500];
/// Workers that do everything with m2m clients, those that only fetch tokens, and users, of whom each has two.
const MACHINES: u32 = 4;
const LOADS: u32 = 4;
const USERS: u32 = 2;
/// After so long a running server has read its keys again: five minutes, and a token.
const FOLLOWED: Duration = Duration::from_secs(310);

fn seconds() -> u64 {
    let given = std::env::var("IDENTETY_SOAK_SECONDS").ok();
    given.map_or(60, |given| given.parse().expect("IDENTETY_SOAK_SECONDS is a number"))
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
        for worker in Families::pair(&shared, number.into()).await {
            families.push(tokio::spawn(worker.work()));
        }
    }
    let mut loads = Vec::new();
    for _ in 0..LOADS {
        loads.push(tokio::spawn(machines::load(shared.clone())));
    }

    let start = Instant::now();
    let mut lives = 1;
    for life in LIVES.into_iter().cycle().map(Duration::from_millis) {
        if start.elapsed() + life > total * 2 / 5 {
            break;
        }
        world.live(life).await;
        world.kill_and_restart().await;
        lives += 1;
    }
    world.kill_and_restart_settled().await;
    let (all, quiet) = long_life(&mut world, total.saturating_sub(start.elapsed())).await;
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
    // Both workers of an account have the same ledger.
    let mut chains: Vec<_> = chains.into_iter().step_by(2).collect();
    println!("{lives} lives; {}", shared.summary());
    println!("the last life: {all}");
    println!("while nothing new is stored: {quiet}");
    world.stop_and_restart().await;
    let beside = world.beside();
    for ledger in &mut ledgers {
        ledger.check().await;
    }
    for chain in &mut chains {
        chain.check(&beside).await;
    }
    let (clients, (families, together)) = (count(&ledgers), counts(&chains));
    println!("held to {clients} clients and {families} families, {together} refreshes at once");
    let signing = beside.current().await;
    let (kids, signing) = (shared.kids(), BTreeSet::from_iter(signing));
    assert!(!kids.is_empty() && kids.is_subset(&signing), "{kids:?} sign, and not {signing:?}");
    shared.check();
    shared.check_amounts(total);
    let (by_timer, by_person) = world.moved;
    println!("keys were moved on {by_timer} times by the timer, {by_person} times by a person");
    assert!(lives >= 4 && by_timer > 0 && by_person > 0, "{lives}, {by_timer}, {by_person}");
    assert!(clients > 10 && families > 10 && together > 10, "nothing happened");
    all.check_bounded();
    quiet.check_flat();
}

/// The long life of the server, in which others move its keys on: what was seen of it, and what in its last
/// half, in which nothing new is stored.
async fn long_life(world: &mut World, time: Duration) -> (Samples, Samples) {
    let (mut all, mut quiet) = (Samples::default(), Samples::default());
    let shared = world.shared.clone();
    let before = world.beside().current_es256().await;
    let follower = world.beside().follow(&shared);
    world.sample(time / 4, &mut [&mut all]).await;
    {
        let beside = world.beside();
        beside.age_keys().await;
        beside.step().await;
    }
    let after = world.beside().current_es256().await;
    follower.read_again();
    world.sample(time / 4, &mut [&mut all]).await;
    assert!(follower.end().await.into_iter().eq(BTreeSet::from([before.clone(), after])));

    world.force_rotation().await;
    shared.quieten();
    world.sample(time / 2, &mut [&mut all, &mut quiet]).await;
    let patience = Instant::now() + 10 * time;
    while !quiet.suffice() && Instant::now() < patience {
        world.sample(Duration::from_secs(5), &mut [&mut all, &mut quiet]).await;
    }
    if time > FOLLOWED {
        let signing = world.beside().current_es256().await;
        assert!(shared.kids().contains(&signing), "the server has not followed in {time:?}");
    }
    (all, quiet)
}

fn count(ledgers: &[Machines]) -> usize {
    ledgers.iter().map(Machines::count).sum()
}

fn counts(chains: &[Families]) -> (usize, u32) {
    let each = || chains.iter().map(Families::counts);
    (each().map(|(families, _)| families).sum(), each().map(|(_, together)| together).sum())
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
