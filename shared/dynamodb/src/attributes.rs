//! Attributes: the names that all tables share, and values as DynamoDB writes them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use identety_domain::Timestamp;

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
/// The index over what users own in the table of grants, and its partition key; its sort key is [`PK`].
pub(crate) const USER: &str = "user";
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
