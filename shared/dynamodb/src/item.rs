//! What the items of all tables have in common. The items themselves are with their tables.
//!
//! An item that this release cannot read whole is [`StoreError::Corrupt`]: better no answer than one
//! from half a client. [`layout`](crate::layout) says which layouts it reads.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use identety_domain::Timestamp;
use identety_domain::store::StoreError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_dynamo::aws_sdk_dynamodb_1 as serde_item;

use crate::error::corrupt;
use crate::layout;

/// An item, or the key of one.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The partition key of every table.
pub(crate) const PK: &str = "pk";
/// The sort key of the tables of accounts and of keys.
pub(crate) const SK: &str = "sk";
/// The index over the clients or the users, and its partition key.
pub(crate) const LISTING: &str = "listing";
/// The sort key of [`LISTING`]: UUIDs v7 sort by time.
pub(crate) const ID: &str = "id";
/// When DynamoDB may forget an item, in seconds since the epoch.
pub(crate) const TTL: &str = "ttl";
/// Counts the changes of a client or a user, and the rotations of a key ring.
pub(crate) const VERSION: &str = "version";

/// A text.
pub(crate) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number.
pub(crate) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The time to live of an item that may be forgotten from `at` on, in seconds since the epoch.
pub(crate) fn time_to_live(at: Timestamp) -> AttributeValue {
    number(at.millis().div_ceil(1000))
}

/// A map.
#[cfg(test)]
pub(crate) fn map(members: Item) -> AttributeValue {
    AttributeValue::M(members)
}

/// The key of an item that is alone in its partition, in a table without sort key.
pub(crate) fn key(pk: impl Into<String>) -> Item {
    Item::from([(PK.to_owned(), text(pk))])
}

/// The key of an item in a table with sort key.
pub(crate) fn key_in(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    Item::from([(PK.to_owned(), text(pk)), (SK.to_owned(), text(sk))])
}

/// A text attribute that must be there.
pub(crate) fn attribute<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map(String::as_str).ok_or_else(|| corrupt(&what(item), format!("no text in {name}")))
}

/// A model as an item.
pub(crate) fn write<T: Serialize>(model: &T) -> Result<Item, StoreError> {
    serde_item::to_item(model).map_err(|error| StoreError::Other(error.into()))
}

/// The model of an item, if this release reads its layout.
pub(crate) fn read<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    let what = what(&item);
    // First of all: in an unknown layout, not even the member names mean what they say.
    layout::check(&item).map_err(|why| corrupt(&what, why))?;
    serde_item::from_item(item).map_err(|error| corrupt(&what, error))
}

/// Reads a member that is left out where there is none. A null is a value that no release writes there,
/// and must not pass for none: a grant whose end is null would be one that goes on, and so would a secret.
pub(crate) fn present<'de, T, D>(member: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(member).map(Some)
}

/// The key of an item, for the log.
fn what(item: &Item) -> String {
    let part = |name| item.get(name).and_then(|value: &AttributeValue| value.as_s().ok());
    match (part(PK), part(SK)) {
        (Some(pk), Some(sk)) => format!("{pk} {sk}"),
        (Some(pk), None) => pk.clone(),
        (None, _) => "an item without key".to_owned(),
    }
}
