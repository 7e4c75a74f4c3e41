//! [`AttemptStore`](identety_domain::store::AttemptStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::Timestamp;
use identety_domain::store::Attempts;

use super::Stores;
use super::fixtures::at;

const KEY: &str = "ATTEMPTS#a#1";

pub async fn attempts_are_counted_below_the_limit(stores: &Stores) {
    for limit in [3, 5] {
        while count(stores, KEY, limit).await.is_none() {}
        for _ in 0..2 {
            assert_eq!(count(stores, KEY, limit).await, Some(not_blocked(limit)));
        }
    }
    assert_eq!(
        count(stores, KEY, 2).await,
        Some(not_blocked(5)),
        "the limit may have been lowered"
    );
}

pub async fn under_another_key_attempts_are_counted_anew(stores: &Stores) {
    for key in ["ATTEMPTS#a#1", "ATTEMPTS#a#2", "ATTEMPTS#b#1"] {
        for _ in 0..2 {
            assert_eq!(count(stores, key, 2).await, None, "{key}");
        }
        assert_eq!(count(stores, key, 2).await, Some(not_blocked(2)), "{key}");
    }
}

pub async fn where_no_attempt_is_allowed_none_is_counted(stores: &Stores) {
    for _ in 0..2 {
        assert_eq!(count(stores, KEY, 0).await, Some(not_blocked(0)));
    }
    assert_eq!(count(stores, KEY, 1).await, None);
    assert_eq!(count(stores, KEY, 0).await, Some(not_blocked(1)));
}

pub async fn a_late_attempt_counts_and_blocks_the_next_ones(stores: &Stores) {
    full(stores, 2).await;
    assert!(count_late(stores, not_blocked(2), at(1000)).await);
    assert_eq!(count(stores, KEY, 2).await, Some(blocked(3, at(1000))));
    assert!(count_late(stores, blocked(3, at(1000)), at(2000)).await);
    assert_eq!(count(stores, KEY, 2).await, Some(blocked(4, at(2000))));
}

pub async fn a_late_attempt_counts_only_on_top_of_what_was_seen(stores: &Stores) {
    full(stores, 2).await;
    for seen in [not_blocked(0), not_blocked(1), not_blocked(3), blocked(2, at(1000))] {
        assert!(!count_late(stores, seen, at(2000)).await, "{seen:?}");
        assert_eq!(count(stores, KEY, 2).await, Some(not_blocked(2)), "{seen:?}");
    }
    assert!(count_late(stores, not_blocked(2), at(1000)).await);
    for seen in [not_blocked(2), not_blocked(3), blocked(2, at(1000)), blocked(3, at(1001))] {
        assert!(!count_late(stores, seen, at(2000)).await, "{seen:?}");
        assert_eq!(count(stores, KEY, 2).await, Some(blocked(3, at(1000))), "{seen:?}");
    }
}

pub async fn a_late_attempt_where_nothing_counts_creates_no_counter(stores: &Stores) {
    assert!(!count_late(stores, not_blocked(0), at(1000)).await);
    assert!(!count_late(stores, not_blocked(1), at(1000)).await);
    assert_eq!(count(stores, KEY, 0).await, Some(not_blocked(0)));
}

pub async fn an_attempt_that_is_taken_back_does_not_count(stores: &Stores) {
    full(stores, 2).await;
    uncount(stores).await;
    assert_eq!(count(stores, KEY, 2).await, None);
    assert!(count_late(stores, not_blocked(2), at(1000)).await);
    uncount(stores).await;
    assert_eq!(count(stores, KEY, 2).await, Some(blocked(2, at(1000))), "the block stays");
}

pub async fn where_nothing_counts_nothing_is_taken_back(stores: &Stores) {
    uncount(stores).await;
    assert_eq!(count(stores, KEY, 1).await, None);
    for _ in 0..3 {
        uncount(stores).await;
    }
    assert_eq!(count(stores, KEY, 1).await, None);
    assert_eq!(count(stores, KEY, 1).await, Some(not_blocked(1)));
}

fn not_blocked(count: u32) -> Attempts {
    Attempts { count, blocked_until: None }
}

fn blocked(count: u32, until: Timestamp) -> Attempts {
    Attempts { count, blocked_until: Some(until) }
}

/// Counts up to a limit.
async fn full(stores: &Stores, limit: u32) {
    for _ in 0..limit {
        assert_eq!(count(stores, KEY, limit).await, None);
    }
}

async fn count(stores: &Stores, key: &str, limit: u32) -> Option<Attempts> {
    stores.attempts.count_attempt(key, limit, at(99_000)).await.expect("a count")
}

async fn count_late(stores: &Stores, seen: Attempts, until: Timestamp) -> bool {
    let counted = stores.attempts.count_late_attempt(KEY, &seen, until, at(99_000)).await;
    counted.expect("a count")
}

async fn uncount(stores: &Stores) {
    stores.attempts.uncount_attempt(KEY).await.expect("a writing");
}
