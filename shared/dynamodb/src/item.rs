//! Items and models: what is written, and how it is read back.
//!
//! An item carries the number of its schema. What this version does not know, or cannot read whole, is
//! [`StoreError::Corrupt`]: better no answer than one from half a client.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use identety_domain::Timestamp;
use identety_domain::client::VerifiedMetadata;
use identety_domain::client::{Client, ClientId, ClientType, SigningAlg, StoredSecret};
use identety_domain::hashing::{HashCost, PhcString};
use identety_domain::keys::{KeyRing, SigningKey, WrappedKey};
use identety_domain::store::StoreError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_dynamo::aws_sdk_dynamodb_1 as serde_item;
use uuid::Uuid;

use crate::error::corrupt;

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
/// The secrets of a client, by id.
pub(crate) const SECRETS: &str = "secrets";

/// The value of [`LISTING`] that every client has.
pub(crate) const LISTED: &str = "CLIENT";
/// The partition of the administrators' API key.
pub(crate) const API_KEY: &str = "APIKEY";
/// The one partition of the keys table.
pub(crate) const KEYS: &str = "KEY";
/// The sort key of the wrapped sealing key; the rings have the names of their algorithms.
const SEAL: &str = "SEAL";

const CLIENT_PREFIX: &str = "CLIENT#";
/// The number of the schema that an item was written by.
pub(crate) const SCHEMA: &str = "schema";
/// The number of this version's.
pub(crate) const CURRENT_SCHEMA: u32 = 1;

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
pub(crate) fn map(members: Item) -> AttributeValue {
    AttributeValue::M(members)
}

/// The partition of a client.
pub(crate) fn client_pk(client_id: &ClientId) -> String {
    format!("{CLIENT_PREFIX}{client_id}")
}

/// The partition of the pointer to the client with this id.
pub(crate) fn pointer_pk(id: Uuid) -> String {
    format!("ID#{id}")
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientItem {
    pk: String,
    schema: u32,
    listing: String,
    id: Uuid,
    client_id: ClientId,
    #[serde(rename = "type")]
    kind: ClientType,
    metadata: VerifiedMetadata,
    secrets: BTreeMap<Uuid, SecretItem>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u64,
}

/// A secret without its id, which is its key in [`SECRETS`]. What is `None` is left out: a condition
/// can then ask whether it exists.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretItem {
    hint: String,
    phc: PhcString,
    cost: HashCost,
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Timestamp>,
}

/// The members of a stored secret that are written one by one.
pub(crate) mod secret {
    /// When it last worked.
    pub(crate) const LAST_USED_AT: &str = "lastUsedAt";
    /// Its hash.
    pub(crate) const PHC: &str = "phc";
}

/// The members of a client that an update writes.
pub(crate) mod client {
    /// What its administrator said of it.
    pub(crate) const METADATA: &str = "metadata";
    /// When its administrator last changed it.
    pub(crate) const UPDATED_AT: &str = "updatedAt";
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PointerItem {
    pk: String,
    schema: u32,
    client_id: ClientId,
}

#[derive(Serialize, Deserialize)]
struct ApiKeyItem {
    pk: String,
    schema: u32,
    phc: PhcString,
}

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

/// The item of a client.
pub(crate) fn from_client(client: &Client) -> Result<Item, StoreError> {
    // Destructured whole, so that a member which is not stored does not compile.
    let Client { id, client_id, kind, metadata, secrets, created_at, updated_at, version } = client;
    write(&ClientItem {
        pk: client_pk(client_id),
        schema: CURRENT_SCHEMA,
        listing: LISTED.to_owned(),
        id: *id,
        client_id: client_id.clone(),
        kind: *kind,
        metadata: metadata.clone(),
        secrets: secrets.iter().map(|secret| (secret.id, secret_item(secret))).collect(),
        created_at: *created_at,
        updated_at: *updated_at,
        version: *version,
    })
}

/// The client of an item.
pub(crate) fn to_client(item: Item) -> Result<Client, StoreError> {
    let item: ClientItem = read(item)?;
    let secrets = item.secrets.into_iter().map(|(id, secret)| {
        let SecretItem { hint, phc, cost, created_at, expires_at, last_used_at } = secret;
        StoredSecret { id, hint, phc, cost, created_at, expires_at, last_used_at }
    });
    let mut secrets: Vec<_> = secrets.collect();
    // By id they came; oldest first they go. Ids sort by time too, but an import may have made them.
    secrets.sort_by_key(|secret| secret.created_at);
    Ok(Client {
        id: item.id,
        client_id: item.client_id,
        kind: item.kind,
        metadata: item.metadata,
        secrets,
        created_at: item.created_at,
        updated_at: item.updated_at,
        version: item.version,
    })
}

fn secret_item(secret: &StoredSecret) -> SecretItem {
    let StoredSecret { id: _, hint, phc, cost, created_at, expires_at, last_used_at } = secret;
    SecretItem {
        hint: hint.clone(),
        phc: phc.clone(),
        cost: *cost,
        created_at: *created_at,
        expires_at: *expires_at,
        last_used_at: *last_used_at,
    }
}

/// The members of a stored secret.
pub(crate) fn from_secret(secret: &StoredSecret) -> Result<Item, StoreError> {
    write(&secret_item(secret))
}

/// The metadata of a client as one value.
pub(crate) fn from_metadata(metadata: &VerifiedMetadata) -> Result<AttributeValue, StoreError> {
    write(metadata).map(map)
}

/// The item that leads from a client's id to the client.
pub(crate) fn pointer(client: &Client) -> Result<Item, StoreError> {
    let client_id = client.client_id.clone();
    write(&PointerItem { pk: pointer_pk(client.id), schema: CURRENT_SCHEMA, client_id })
}

/// Where a pointer leads.
pub(crate) fn pointed_to(item: Item) -> Result<ClientId, StoreError> {
    Ok(read::<PointerItem>(item)?.client_id)
}

/// The item of the API key.
pub(crate) fn from_api_key(phc: &PhcString) -> Result<Item, StoreError> {
    write(&ApiKeyItem { pk: API_KEY.to_owned(), schema: CURRENT_SCHEMA, phc: phc.clone() })
}

/// The API key of an item.
pub(crate) fn to_api_key(item: Item) -> Result<PhcString, StoreError> {
    Ok(read::<ApiKeyItem>(item)?.phc)
}

/// The item of a key ring.
pub(crate) fn from_ring(ring: &KeyRing) -> Result<Item, StoreError> {
    let KeyRing { alg, version, keys } = ring;
    write(&RingItem {
        pk: KEYS.to_owned(),
        sk: alg.as_str().to_owned(),
        schema: CURRENT_SCHEMA,
        alg: *alg,
        version: *version,
        keys: keys.clone(),
    })
}

/// The item of the wrapped sealing key.
pub(crate) fn from_wrapped_key(wrapped: &WrappedKey) -> Result<Item, StoreError> {
    let (pk, sk) = (KEYS.to_owned(), SEAL.to_owned());
    write(&WrappedKeyItem { pk, sk, schema: CURRENT_SCHEMA, wrapped: wrapped.clone() })
}

/// What an item of the keys table is.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum StoredKey {
    /// The keys of one algorithm.
    Ring(KeyRing),
    /// The sealing key.
    Wrapped(WrappedKey),
}

/// The key or keys of an item of the keys table.
pub(crate) fn to_stored_key(item: Item) -> Result<StoredKey, StoreError> {
    let sk = attribute(&item, SK)?;
    if sk == SEAL {
        return Ok(StoredKey::Wrapped(read::<WrappedKeyItem>(item)?.wrapped));
    }
    let RingItem { sk, alg, version, keys, .. } = read(item)?;
    if sk != alg.as_str() {
        return Err(corrupt(&sk, format!("a ring of {}", alg.as_str())));
    }
    Ok(StoredKey::Ring(KeyRing { alg, version, keys }))
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

/// The model of an item, if it is of this version's schema.
pub(crate) fn read<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    let what = what(&item);
    // First of all: of another schema, not even the member names mean what they say.
    match item.get(SCHEMA).map(AttributeValue::as_n) {
        Some(Ok(schema)) if *schema == CURRENT_SCHEMA.to_string() => {}
        Some(Ok(schema)) => return Err(corrupt(&what, format!("unknown schema {schema}"))),
        Some(Err(_)) | None => return Err(corrupt(&what, "no schema number")),
    }
    // What is not there is left out. A null is no such thing, and must not pass for it: a grant whose end
    // is null would be one that goes on, and so would a secret.
    if let Some((name, _)) = item.iter().find(|(name, value)| is_null(name, value)) {
        return Err(corrupt(&what, format!("{name} is null")));
    }
    serde_item::from_item(item).map_err(|error| corrupt(&what, error))
}

/// Whether a member is null, or one of the secrets in it has one that is.
fn is_null(name: &str, value: &AttributeValue) -> bool {
    match value {
        AttributeValue::Null(_) => true,
        AttributeValue::M(secrets) if name == SECRETS => secrets.values().any(|secret| {
            secret.as_m().is_ok_and(|secret| secret.values().any(AttributeValue::is_null))
        }),
        _ => false,
    }
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
