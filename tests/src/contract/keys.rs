//! [`KeyStore`](identety_domain::store::KeyStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::client::SigningAlg;
use identety_domain::keys::{KeyRing, WrappedKey};
use identety_domain::store::{Change, StoredKeys};

use super::Stores;
use super::fixtures::ring;

pub async fn at_first_there_are_no_keys(stores: &Stores) {
    let keys = load(stores).await;
    assert_eq!(keys.rings, []);
    assert_eq!(keys.wrapped_key, None);
}

pub async fn rings_and_wrapped_key_come_back_as_they_were(stores: &Stores) {
    let wrapped = WrappedKey("d3JhcHBlZA==".to_owned());
    let rings = [ring(SigningAlg::Es256, 1, "a"), ring(SigningAlg::Rs256, 1, "b")];
    for ring in &rings {
        assert_eq!(put(stores, ring).await, Change::Done);
    }
    let put = stores.keys.put_wrapped_key(&wrapped).await.expect("an answer");
    assert_eq!(put, Change::Done);
    let mut keys = load(stores).await;
    keys.rings.sort_by_key(|ring| ring.alg.as_str());
    assert_eq!(keys.rings, rings);
    assert_eq!(keys.wrapped_key, Some(wrapped));
}

pub async fn a_first_ring_is_written_only_where_there_is_none(stores: &Stores) {
    let first = ring(SigningAlg::Rs256, 1, "a");
    assert_eq!(put(stores, &first).await, Change::Done);
    assert_eq!(put(stores, &ring(SigningAlg::Rs256, 1, "b")).await, Change::Conflict);
    assert_eq!(put(stores, &ring(SigningAlg::Rs256, 0, "b")).await, Change::Conflict);
    assert_eq!(load(stores).await.rings, [first]);
}

pub async fn a_ring_is_written_only_after_the_one_before(stores: &Stores) {
    let of = |version, maker| ring(SigningAlg::Rs256, version, maker);
    assert_eq!(put(stores, &of(2, "a")).await, Change::Conflict, "there is no first");
    for version in 1..=3 {
        assert_eq!(put(stores, &of(version, "a")).await, Change::Done);
    }
    for version in [1, 2, 3, 5, 6] {
        assert_eq!(put(stores, &of(version, "b")).await, Change::Conflict, "{version} after 3");
    }
    assert_eq!(load(stores).await.rings, [of(3, "a")]);
}

pub async fn the_rings_of_two_algorithms_do_not_touch_each_other(stores: &Stores) {
    assert_eq!(put(stores, &ring(SigningAlg::Rs256, 1, "a")).await, Change::Done);
    assert_eq!(put(stores, &ring(SigningAlg::Rs256, 2, "a")).await, Change::Done);
    assert_eq!(put(stores, &ring(SigningAlg::Es256, 1, "a")).await, Change::Done);
    assert_eq!(put(stores, &ring(SigningAlg::Es256, 3, "a")).await, Change::Conflict);
    let mut versions: Vec<_> =
        load(stores).await.rings.iter().map(|ring| (ring.alg.as_str(), ring.version)).collect();
    versions.sort_unstable();
    assert_eq!(versions, [("ES256", 1), ("RS256", 2)]);
}

pub async fn the_wrapped_key_is_written_once(stores: &Stores) {
    let (first, second) = (WrappedKey("first".to_owned()), WrappedKey("second".to_owned()));
    for (key, expected) in [(&first, Change::Done), (&second, Change::Conflict)] {
        assert_eq!(stores.keys.put_wrapped_key(key).await.expect("an answer"), expected);
    }
    assert_eq!(load(stores).await.wrapped_key, Some(first));
}

async fn put(stores: &Stores, ring: &KeyRing) -> Change {
    stores.keys.put_ring(ring).await.expect("an answer")
}

async fn load(stores: &Stores) -> StoredKeys {
    stores.keys.load().await.expect("the keys")
}
