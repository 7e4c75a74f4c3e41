//! [`AttemptStore`](identety_domain::store::AttemptStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::Timestamp;
use identety_domain::store::{Allowance, Count, Counter};

use super::Stores;
use super::fixtures::at;

const KEY: &str = "ATTEMPTS#a#1";

/// A day, in seconds.
const DAY: u32 = 86_400;

pub async fn attempts_are_counted_below_the_limit(stores: &Stores) {
    for limit in [3, 5] {
        while count(stores, KEY, limit).await == Count::Counted {}
        for _ in 0..2 {
            assert_eq!(count(stores, KEY, limit).await, Count::Refused(counted(limit)));
        }
    }
    let lowered = count(stores, KEY, 2).await;
    assert_eq!(lowered, Count::Refused(counted(5)), "the limit may have been lowered");
    assert_eq!(find(stores, KEY).await, counted(5));
}

pub async fn under_another_key_attempts_are_counted_anew(stores: &Stores) {
    for key in ["ATTEMPTS#a#1", "ATTEMPTS#a#2", "ATTEMPTS#b#1"] {
        assert_eq!(find(stores, key).await, Counter::default(), "{key}");
        for _ in 0..2 {
            assert_eq!(count(stores, key, 2).await, Count::Counted, "{key}");
        }
        assert_eq!(count(stores, key, 2).await, Count::Refused(counted(2)), "{key}");
    }
}

pub async fn where_no_attempt_is_allowed_none_is_counted(stores: &Stores) {
    for _ in 0..2 {
        assert_eq!(count(stores, KEY, 0).await, Count::Refused(Counter::default()));
    }
    assert_eq!(count(stores, KEY, 1).await, Count::Counted);
    assert_eq!(count(stores, KEY, 0).await, Count::Refused(counted(1)));
}

pub async fn an_attempt_waits_for_the_pause_after_the_last_one(stores: &Stores) {
    let paced = Allowance { below: 9, apart: 60, kept: DAY };
    let count = async |now| stores.attempts.count_attempt(KEY, &paced, now).await.expect("a count");
    assert_eq!(count(at(0)).await, Count::Counted);
    let first = Counter { count: 1, last_at: Some(at(0)), resets: 0 };
    for early in [0, 1, 59_999] {
        assert_eq!(count(at(early)).await, Count::Refused(first), "{early}");
    }
    assert_eq!(count(at(60_000)).await, Count::Counted);
    let second = Counter { count: 2, last_at: Some(at(60_000)), resets: 0 };
    assert_eq!(count(at(60_001)).await, Count::Refused(second));
    uncount(stores).await;
    let taken_back = Counter { count: 1, ..second };
    assert_eq!(count(at(60_001)).await, Count::Refused(taken_back), "the time of it stays");
}

/// DynamoDB forgets an item days after it may, so what it says decides.
pub async fn a_counter_that_was_left_alone_for_long_enough_counts_anew(stores: &Stores) {
    let allowance = Allowance { below: 2, apart: 0, kept: DAY };
    let count =
        async |now| stores.attempts.count_attempt(KEY, &allowance, now).await.expect("a count");
    let day = u64::from(DAY) * 1000;
    stores.attempts.reset_attempts(KEY, DAY, at(0)).await.expect("a writing");
    assert_eq!(count(at(0)).await, Count::Counted);
    assert_eq!(count(at(1)).await, Count::Counted);
    let full = Counter { count: 2, last_at: Some(at(1)), resets: 1 };
    assert_eq!(count(at(day)).await, Count::Refused(full));
    assert_eq!(count(at(day + 1)).await, Count::Counted);
    let anew = Counter { count: 1, last_at: Some(at(day + 1)), resets: 1 };
    assert_eq!(find(stores, KEY).await, anew);
    assert_eq!(count(at(day + 1)).await, Count::Counted);
    assert_eq!(count(at(day + 2)).await, Count::Refused(Counter { count: 2, ..anew }));
}

pub async fn an_attempt_that_is_taken_back_does_not_count(stores: &Stores) {
    full(stores, 2).await;
    uncount(stores).await;
    assert_eq!(find(stores, KEY).await, counted(1));
    assert_eq!(count(stores, KEY, 2).await, Count::Counted);
    assert_eq!(count(stores, KEY, 2).await, Count::Refused(counted(2)));
}

pub async fn where_nothing_counts_nothing_is_taken_back(stores: &Stores) {
    uncount(stores).await;
    clear(stores).await;
    assert_eq!(find(stores, KEY).await, Counter::default());
    assert_eq!(count(stores, KEY, 1).await, Count::Counted);
    for _ in 0..3 {
        uncount(stores).await;
    }
    assert_eq!(count(stores, KEY, 1).await, Count::Counted);
    assert_eq!(count(stores, KEY, 1).await, Count::Refused(counted(1)));
}

pub async fn attempts_that_are_cleared_do_not_count_and_no_reset_is_lost(stores: &Stores) {
    stores.attempts.reset_attempts(KEY, DAY, at(0)).await.expect("a writing");
    full(stores, 3).await;
    clear(stores).await;
    assert_eq!(find(stores, KEY).await, Counter { resets: 1, ..counted(0) });
    full(stores, 3).await;
}

pub async fn a_reset_starts_a_counter_anew_whether_or_not_there_is_one(stores: &Stores) {
    for resets in 1..=3 {
        stores.attempts.reset_attempts(KEY, DAY, at(5)).await.expect("a writing");
        let anew = Counter { count: 0, last_at: Some(at(5)), resets };
        assert_eq!(find(stores, KEY).await, anew);
        full(stores, 2).await;
    }
}

/// A counter at the time of these tests.
fn counted(count: u32) -> Counter {
    Counter { count, last_at: Some(at(0)), resets: 0 }
}

/// Counts up to a limit.
async fn full(stores: &Stores, limit: u32) {
    for _ in 0..limit {
        assert_eq!(count(stores, KEY, limit).await, Count::Counted);
    }
}

async fn find(stores: &Stores, key: &str) -> Counter {
    stores.attempts.find_counter(key).await.expect("a reading")
}

async fn count(stores: &Stores, key: &str, limit: u32) -> Count {
    let now: Timestamp = at(0);
    stores.attempts.count_attempt(key, &below(limit), now).await.expect("a count")
}

/// So many attempts, at any time.
pub(super) fn below(below: u32) -> Allowance {
    Allowance { below, apart: 0, kept: DAY }
}

async fn uncount(stores: &Stores) {
    stores.attempts.uncount_attempt(KEY).await.expect("a writing");
}

async fn clear(stores: &Stores) {
    stores.attempts.clear_attempts(KEY).await.expect("a writing");
}
