//! [`FailureStore`](identety_domain::store::FailureStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use super::Stores;
use super::fixtures::at;

pub async fn failures_are_counted_from_one(stores: &Stores) {
    for count in 1..=3 {
        let counted = stores.failures.count_failure("key", at(count)).await.expect("a count");
        assert_eq!(u64::from(counted), count);
    }
}

pub async fn under_another_key_counting_starts_anew(stores: &Stores) {
    for key in ["FAILURES#a#1", "FAILURES#a#2", "FAILURES#b#1"] {
        for count in 1..=2 {
            let counted = stores.failures.count_failure(key, at(0)).await.expect("a count");
            assert_eq!(counted, count, "{key}");
        }
    }
}
