//! The items of the keys table.

use aws_sdk_dynamodb::types::AttributeValue;
use identety_domain::client::SigningAlg;
use identety_domain::keys::{KeyRing, SigningKey, WrappedKey};
use identety_domain::store::StoreError;
use serde::{Deserialize, Serialize};

use crate::error::corrupt;
use crate::expression::Update;
use crate::item::{self, Item, SK, VERSION, attribute, key_in, number, read, write};
use crate::layout;

/// The one partition of the keys table.
pub(super) const KEYS: &str = "KEY";
/// The sort key of the wrapped sealing key; the rings have the names of their algorithms.
const SEAL: &str = "SEAL";
/// The signing keys of a ring.
const RING_KEYS: &str = "keys";
/// The name of a signing key.
const KID: &str = "kid";

#[derive(Serialize, Deserialize)]
struct RingItem {
    pk: String,
    sk: String,
    schema: u32,
    alg: SigningAlg,
    version: u64,
    keys: Vec<SigningKey>,
}

#[derive(Serialize, Deserialize)]
struct WrappedKeyItem {
    pk: String,
    sk: String,
    schema: u32,
    wrapped: WrappedKey,
}

/// The key of the ring of `alg`.
pub(super) fn ring_key(alg: SigningAlg) -> Item {
    key_in(KEYS, alg.as_str())
}

/// The item of a key ring.
pub(super) fn from_ring(ring: &KeyRing) -> Result<Item, StoreError> {
    let KeyRing { alg, version, keys } = ring;
    write(&RingItem {
        pk: KEYS.to_owned(),
        sk: alg.as_str().to_owned(),
        schema: layout::WRITTEN,
        alg: *alg,
        version: *version,
        keys: keys.clone(),
    })
}

/// What makes `ring` of the ring in `stored`.
///
/// The keys are a list, which is written whole. A key that stays in the ring stays with the members
/// that this release does not know: they are found by its `kid`, which names one key pair for good, so
/// they belong to it whatever its state is and wherever in the list it stands.
pub(super) fn ring_update(stored: &Item, ring: &KeyRing) -> Result<Update, StoreError> {
    let KeyRing { alg: _, version, keys } = ring;
    let stored_keys = stored.get(RING_KEYS).and_then(|keys| keys.as_l().ok());
    let stored_keys = stored_keys.ok_or_else(|| corrupt(ring.alg.as_str(), "no keys"))?;
    let mut written = Vec::with_capacity(keys.len());
    for key in keys {
        let known = write(key)?;
        let is_same = |stored: &&Item| stored.get(KID) == known.get(KID);
        let same = stored_keys.iter().filter_map(|key| key.as_m().ok()).find(is_same).cloned();
        written.push(AttributeValue::M(laid_over(same.unwrap_or_default(), known)));
    }
    let mut update = Update::default();
    update.set(&[VERSION], number(*version));
    update.set(&[RING_KEYS], AttributeValue::L(written));
    Ok(update)
}

/// `stored` with the members of `known` in the place of its own. Maps are put together in the same way.
fn laid_over(mut stored: Item, known: Item) -> Item {
    for (name, value) in known {
        let value = match (stored.remove(&name), value) {
            (Some(AttributeValue::M(stored)), AttributeValue::M(known)) => {
                AttributeValue::M(laid_over(stored, known))
            }
            (_, value) => value,
        };
        stored.insert(name, value);
    }
    stored
}

/// The item of the wrapped sealing key.
pub(super) fn from_wrapped_key(wrapped: &WrappedKey) -> Result<Item, StoreError> {
    let (pk, sk) = (KEYS.to_owned(), SEAL.to_owned());
    write(&WrappedKeyItem { pk, sk, schema: layout::WRITTEN, wrapped: wrapped.clone() })
}

/// What an item of the keys table is.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum StoredKey {
    /// The keys of one algorithm.
    Ring(KeyRing),
    /// The sealing key.
    Wrapped(WrappedKey),
}

/// The key or keys of an item of the keys table.
pub(super) fn to_stored_key(item: Item) -> Result<StoredKey, StoreError> {
    let sk = attribute(&item, SK)?;
    if sk == SEAL {
        return Ok(StoredKey::Wrapped(read::<WrappedKeyItem>(item)?.wrapped));
    }
    let RingItem { sk, alg, version, keys, .. } = item::read(item)?;
    if sk != alg.as_str() {
        return Err(corrupt(&sk, format!("a ring of {}", alg.as_str())));
    }
    Ok(StoredKey::Ring(KeyRing { alg, version, keys }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{map, text};

    fn item<const N: usize>(members: [(&str, AttributeValue); N]) -> Item {
        members.map(|(name, value)| (name.to_owned(), value)).into()
    }

    #[test]
    fn known_members_replace_those_that_are_stored_and_unknown_ones_stay() {
        let public = item([("kty", text("RSA")), ("later", text("x"))]);
        let stored = item([("state", text("next")), ("later", text("y")), ("public", map(public))]);
        let known =
            item([("state", text("current")), ("public", map(item([("kty", text("EC"))])))]);
        let public = item([("kty", text("EC")), ("later", text("x"))]);
        let both =
            item([("state", text("current")), ("later", text("y")), ("public", map(public))]);
        assert_eq!(laid_over(stored, known), both);
    }
}
