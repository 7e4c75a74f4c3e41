//! What the items of all tables have in common. The items themselves are with their tables.
//!
//! An item that this release cannot read whole is [`StoreError::Corrupt`]: better no answer than one
//! from half a client. [`layout`](crate::layout) says which layouts it reads.

use aws_sdk_dynamodb::types::AttributeValue;
use identety_domain::store::StoreError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_dynamo::aws_sdk_dynamodb_1 as serde_item;

pub(crate) use crate::attributes::*;
use crate::error::corrupt;
use crate::layout;

/// A text attribute that must be there.
pub(crate) fn attribute<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map(String::as_str).ok_or_else(|| corrupt(&what(item), format!("no text in {name}")))
}

/// A part of a model as an attribute.
pub(crate) fn attribute_of<T: Serialize>(part: &T) -> Result<AttributeValue, StoreError> {
    serde_item::to_attribute_value(part).map_err(|error| StoreError::Other(error.into()))
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
pub(crate) fn what(item: &Item) -> String {
    let part = |name| item.get(name).and_then(|value: &AttributeValue| value.as_s().ok());
    match (part(PK), part(SK)) {
        (Some(pk), Some(sk)) => format!("{pk} {sk}"),
        (Some(pk), None) => pk.clone(),
        (None, _) => "an item without key".to_owned(),
    }
}
