use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::models::keys::{PublicKey, SealedKey};
use crate::values::SigningAlg;

const DAY: Seconds = 86_400;

fn key(kid: &str) -> NewKey {
    NewKey {
        kid: kid.to_owned(),
        public: PublicKey::Rsa { n: "AQAB".into(), e: "AQAB".into() },
        sealed: SealedKey("sealed".into()),
    }
}

fn at(seconds: Seconds) -> Timestamp {
    Timestamp::from_seconds(1_900_000_000).plus(seconds)
}

fn first() -> KeyRing {
    KeyRing::first(SigningAlg::Rs256, key("a"), key("b"), at(0))
}

fn period() -> RotationPeriod {
    RotationPeriod::days(30).unwrap()
}

fn states(ring: &KeyRing) -> Vec<(&str, KeyState)> {
    ring.keys.iter().map(|key| (key.kid.as_str(), key.state)).collect()
}

#[test]
fn a_rotation_moves_each_key_one_state_on_and_forgets_the_previous_one() {
    let ring = first();
    assert_eq!(states(&ring), [("a", KeyState::Current), ("b", KeyState::Next)]);
    let ring = ring.rotated(key("c"), at(1));
    assert_eq!(
        states(&ring),
        [("a", KeyState::Previous), ("b", KeyState::Current), ("c", KeyState::Next)]
    );
    let ring = ring.rotated(key("d"), at(2));
    assert_eq!(
        states(&ring),
        [("b", KeyState::Previous), ("c", KeyState::Current), ("d", KeyState::Next)]
    );
    assert_eq!(ring.version, 3);
    assert!(ring.keys.iter().all(|key| key.since == at(2)));
}

#[test]
fn a_rotation_is_due_when_the_current_key_has_signed_for_the_period() {
    let ring = first();
    assert_eq!(ring.due(at(30 * DAY - 1), period()), Due::Nothing);
    assert_eq!(ring.due(at(30 * DAY), period()), Due::Rotate);
}

#[test]
fn a_previous_key_goes_when_no_token_of_it_can_be_alive_anywhere() {
    let ring = first().rotated(key("c"), at(30 * DAY));
    let end = 30 * DAY + PUBLISHED_AFTER_SIGNING;
    assert_eq!(ring.due(at(end - 1), period()), Due::Nothing);
    assert_eq!(ring.due(at(end), period()), Due::Forget);
    let ring = ring.without_previous();
    assert_eq!(states(&ring), [("b", KeyState::Current), ("c", KeyState::Next)]);
    assert_eq!(ring.due(at(end), period()), Due::Nothing);
}

#[test]
fn no_rotation_is_due_while_the_next_key_is_young_or_the_previous_one_needed() {
    let young = first().with_next(key("c"), at(30 * DAY));
    let until = at(30 * DAY + PUBLISHED_BEFORE_SIGNING);
    assert_eq!(young.obstacles(at(30 * DAY)), [Obstacle::NextIsYoung { until }]);
    assert_eq!(young.due(at(30 * DAY + PUBLISHED_BEFORE_SIGNING - 1), period()), Due::Nothing);
    assert_eq!(young.due(until, period()), Due::Rotate);

    let fresh = first().rotated(key("c"), at(0));
    let (next, previous) = (at(PUBLISHED_BEFORE_SIGNING), at(PUBLISHED_AFTER_SIGNING));
    assert_eq!(
        fresh.obstacles(at(0)),
        [Obstacle::NextIsYoung { until: next }, Obstacle::PreviousIsNeeded { until: previous }]
    );
    assert_eq!(fresh.obstacles(next), [Obstacle::PreviousIsNeeded { until: previous }]);
    assert_eq!(fresh.obstacles(previous), []);
}

#[test]
fn the_shortest_period_waits_for_nothing_but_itself() {
    let shortest = RotationPeriod::days(RotationPeriod::MIN_DAYS).unwrap();
    let ring = first().rotated(key("c"), at(0));
    assert_eq!(ring.due(at(2 * DAY - 1), shortest), Due::Forget);
    assert_eq!(ring.due(at(2 * DAY), shortest), Due::Rotate);
}

#[test]
fn a_clock_that_stepped_back_makes_nothing_due() {
    let ring = first().rotated(key("c"), at(40 * DAY));
    assert_eq!(ring.due(at(0), period()), Due::Nothing);
}

#[test]
fn a_revoked_current_key_gives_way_to_the_next_and_leaves_the_previous_alone() {
    let ring = first().rotated(key("c"), at(1)).without_current(key("d"), at(2));
    assert_eq!(
        states(&ring),
        [("a", KeyState::Previous), ("c", KeyState::Current), ("d", KeyState::Next)]
    );
    let since: Vec<_> = ring.keys.iter().map(|key| key.since).collect();
    assert_eq!(since, [at(1), at(2), at(2)]);
    assert_eq!(ring.version, 3);
}

#[test]
fn a_ring_that_no_rule_makes_is_not_sound() {
    assert!(first().is_sound());
    let with = |change: fn(&mut KeyRing)| {
        let mut ring = first().rotated(key("c"), at(1));
        change(&mut ring);
        ring.is_sound()
    };
    assert!(with(|_| ()));
    assert!(!with(|ring| ring.keys.clear()));
    assert!(!with(|ring| ring.keys.truncate(2)));
    assert!(!with(|ring| ring.keys[0].state = KeyState::Current));
    assert!(!with(|ring| ring.keys[2].state = KeyState::Previous));
    assert!(!with(|ring| ring.keys[1].kid = "a".to_owned()));
}

#[test]
fn a_period_is_2_to_365_days() {
    assert_eq!("90".parse(), Ok(RotationPeriod::default()));
    assert_eq!(RotationPeriod::default().to_string(), "90");
    for wrong in ["1", "366", "0", "-5", "", "90d", "4294967297"] {
        let error = wrong.parse::<RotationPeriod>().unwrap_err();
        assert_eq!(error.to_string(), format!("{wrong:?} is no number of days from 2 to 365"));
    }
}

/// What may happen to a ring.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// Time passes, and the scheduler comes.
    Step(Seconds),
    /// Time passes, and a person rotates, if nothing breaks.
    Rotate(Seconds),
    /// Time passes, and a person revokes a key.
    Revoke(Seconds, KeyState),
    /// The clock is corrected, and the scheduler comes.
    StepBack(Seconds),
}

fn event() -> impl Strategy<Value = Event> {
    let span = || prop_oneof![0..600u32, 0..4 * 3600u32, 0..2 * DAY, 0..40 * DAY];
    let state =
        prop_oneof![Just(KeyState::Next), Just(KeyState::Current), Just(KeyState::Previous)];
    prop_oneof![
        5 => span().prop_map(Event::Step),
        2 => span().prop_map(Event::Rotate),
        1 => (span(), state).prop_map(|(span, state)| Event::Revoke(span, state)),
        1 => (0..120u32).prop_map(Event::StepBack),
    ]
}

/// What became of each key: when it was published, when it began to sign, and when another took its place.
#[derive(Default)]
struct History {
    published: BTreeMap<String, Timestamp>,
    signed_until: BTreeMap<String, Timestamp>,
    revoked: BTreeSet<String>,
}

impl History {
    /// The rules of a change that breaks nothing.
    fn check(&self, before: &KeyRing, after: &KeyRing, now: Timestamp) {
        let (old, new) = (before.current().unwrap(), after.current().unwrap());
        if old.kid != new.kid {
            let published = self.published[&new.kid];
            assert!(published.plus(VERIFIERS_KEEP + SETTLES_WITHIN) <= now, "signs too early");
        }
        for gone in before.keys.iter().filter(|key| after.key(&key.kid).is_none()) {
            assert_eq!(gone.state, KeyState::Previous, "a key goes that never was previous");
            let last_token =
                self.signed_until[&gone.kid].plus(SETTLES_WITHIN + LONGEST_ACCESS_TOKEN);
            assert!(last_token.plus(VERIFIERS_KEEP) <= now, "goes too early");
        }
    }

    fn note(&mut self, before: &KeyRing, after: &KeyRing, now: Timestamp) {
        let old = before.current().unwrap();
        if old.kid != after.current().unwrap().kid {
            self.signed_until.insert(old.kid.clone(), now);
        }
        for key in &after.keys {
            self.published.entry(key.kid.clone()).or_insert(now);
            assert!(!self.revoked.contains(&key.kid), "a revoked key came back");
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_rules_hold(
        events in prop::collection::vec(event(), 1..60),
        days in RotationPeriod::MIN_DAYS..=40,
    ) {
        let period = RotationPeriod::days(days).unwrap();
        let (mut ring, mut now, mut history) = (first(), at(0), History::default());
        history.note(&ring, &ring, now);
        for (number, event) in events.into_iter().enumerate() {
            let new = key(&format!("new {number}"));
            let after = match event {
                Event::Step(span) => {
                    now = now.plus(span);
                    stepped(&ring, new, now, period)
                }
                Event::StepBack(span) => {
                    now = Timestamp::from_millis(now.millis() - u64::from(span) * 1000);
                    stepped(&ring, new, now, period)
                }
                Event::Rotate(span) => {
                    now = now.plus(span);
                    ring.obstacles(now).is_empty().then(|| ring.rotated(new, now))
                }
                Event::Revoke(span, state) => {
                    now = now.plus(span);
                    let revoked = revoked(&ring, state, new, now);
                    if let Some((kid, after)) = revoked {
                        prop_assert!(after.key(&kid).is_none());
                        prop_assert!(after.is_sound());
                        prop_assert_eq!(after.version, ring.version + 1);
                        history.revoked.insert(kid);
                        history.note(&ring, &after, now);
                        ring = after;
                    }
                    None
                }
            };
            if let Some(after) = after {
                prop_assert!(after.is_sound());
                prop_assert_eq!(after.version, ring.version + 1);
                history.check(&ring, &after, now);
                history.note(&ring, &after, now);
                ring = after;
            }
        }
    }

    #[test]
    fn an_hourly_step_keeps_every_key_at_work_for_its_period_and_little_more(
        days in RotationPeriod::MIN_DAYS..=40,
        phase in 0..3600u32,
    ) {
        let period = RotationPeriod::days(days).unwrap();
        let (mut ring, mut rotations) = (first(), 0);
        for hour in 0..3 * 24 * days {
            let now = at(phase + hour * 3600);
            if let Some(after) = stepped(&ring, key(&format!("at {hour}")), now, period) {
                rotations += u32::from(after.current() != ring.current());
                ring = after;
            }
            let age = now.since(ring.current().unwrap().since).as_secs();
            prop_assert!(age < u64::from(days * DAY + 3600), "{age}");
        }
        prop_assert!(rotations == 2, "{rotations}");
    }
}

fn stepped(ring: &KeyRing, new: NewKey, now: Timestamp, period: RotationPeriod) -> Option<KeyRing> {
    match ring.due(now, period) {
        Due::Nothing => None,
        Due::Forget => Some(ring.without_previous()),
        Due::Rotate => Some(ring.rotated(new, now)),
    }
}

fn revoked(
    ring: &KeyRing,
    state: KeyState,
    new: NewKey,
    now: Timestamp,
) -> Option<(String, KeyRing)> {
    let kid = ring.in_state(state)?.kid.clone();
    let after = match state {
        KeyState::Next => ring.with_next(new, now),
        KeyState::Current => ring.without_current(new, now),
        KeyState::Previous => ring.without_previous(),
    };
    Some((kid, after))
}
