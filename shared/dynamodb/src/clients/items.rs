//! The items of the clients table.

use std::collections::BTreeMap;

use identety_domain::Timestamp;
use identety_domain::client::VerifiedMetadata;
use identety_domain::client::{Client, ClientId, ClientType, StoredSecret};
use identety_domain::hashing::{HashCost, PhcString};
use identety_domain::store::StoreError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::item::{self, Item, present, read, write};
use crate::layout;

/// The partition of the index that every client is in.
pub(super) const LISTED: &str = "CLIENT";
/// The secrets of a client, by id.
pub(super) const SECRETS: &str = "secrets";

/// The members of a stored secret that are written one by one.
pub(super) mod secret {
    /// When it last worked.
    pub(in super::super) const LAST_USED_AT: &str = "lastUsedAt";
    /// Its hash.
    pub(in super::super) const PHC: &str = "phc";
}

/// The members of the API key.
pub(super) mod api_key {
    /// Its hash.
    pub(in super::super) const PHC: &str = "phc";
}

/// The partition of the administrators' API key.
const API_KEY: &str = "APIKEY";

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
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Timestamp>,
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

fn client_pk(client_id: &ClientId) -> String {
    format!("CLIENT#{client_id}")
}

fn pointer_pk(id: Uuid) -> String {
    format!("ID#{id}")
}

/// The key of a client.
pub(super) fn client_key(client_id: &ClientId) -> Item {
    item::key(client_pk(client_id))
}

/// The key of the pointer to the client with this id.
pub(super) fn pointer_key(id: Uuid) -> Item {
    item::key(pointer_pk(id))
}

/// The key of the API key.
pub(super) fn api_key_key() -> Item {
    item::key(API_KEY)
}

/// The item of a client.
pub(super) fn from_client(client: &Client) -> Result<Item, StoreError> {
    // Destructured whole, so that a member which is not stored does not compile.
    let Client { id, client_id, kind, metadata, secrets, created_at, updated_at, version } = client;
    write(&ClientItem {
        pk: client_pk(client_id),
        schema: layout::WRITTEN,
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
pub(super) fn to_client(item: Item) -> Result<Client, StoreError> {
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

/// The item that leads from a client's id to the client.
pub(super) fn pointer(client: &Client) -> Result<Item, StoreError> {
    let client_id = client.client_id.clone();
    write(&PointerItem { pk: pointer_pk(client.id), schema: layout::WRITTEN, client_id })
}

/// Where a pointer leads.
pub(super) fn pointed_to(item: Item) -> Result<ClientId, StoreError> {
    Ok(read::<PointerItem>(item)?.client_id)
}

/// The item of the API key.
pub(super) fn from_api_key(phc: &PhcString) -> Result<Item, StoreError> {
    write(&ApiKeyItem { pk: API_KEY.to_owned(), schema: layout::WRITTEN, phc: phc.clone() })
}

/// The API key of an item.
pub(super) fn to_api_key(item: Item) -> Result<PhcString, StoreError> {
    Ok(read::<ApiKeyItem>(item)?.phc)
}
