//! What an update writes: the difference between two states of a client.

use identety_domain::Timestamp;
use identety_domain::client::{Client, StoredSecret};
use identety_domain::store::{Rehashed, StoreError};
use uuid::Uuid;

use crate::expression::Update;
use crate::item::{self, ID, Item, SECRETS, VERSION, client, number, secret, text};

/// Turns `before` into `after`, if `before` is still what is stored.
///
/// Only members that differ are written, those of secrets one by one: that a secret was used is
/// recorded without a new version, and must not be undone here.
pub(super) fn between(before: &Client, after: &Client) -> Result<Update, StoreError> {
    let mut update = Update::default();
    // The id too: another client may have taken the clientId, and have the same version.
    update.require_equal(&[ID], text(before.id));
    update.require_equal(&[VERSION], number(before.version));
    update.set(&[VERSION], number(after.version));
    update.set(&[client::UPDATED_AT], number(after.updated_at.millis()));
    if after.metadata != before.metadata {
        update.set(&[client::METADATA], item::from_metadata(&after.metadata)?);
    }
    for secret in &after.secrets {
        let new = item::from_secret(secret)?;
        match before.secrets.iter().find(|old| old.id == secret.id) {
            Some(old) => change_secret(&mut update, secret.id, &item::from_secret(old)?, new),
            None => update.set(&[SECRETS, &secret.id.to_string()], item::map(new)),
        }
    }
    for secret in &before.secrets {
        if !after.secrets.iter().any(|kept| kept.id == secret.id) {
            update.remove(&[SECRETS, &secret.id.to_string()]);
        }
    }
    Ok(update)
}

fn change_secret(update: &mut Update, id: Uuid, before: &Item, after: Item) {
    let id = id.to_string();
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        update.remove(&[SECRETS, &id, name]);
    }
    for (name, value) in after {
        if before.get(&name) != Some(&value) {
            update.set(&[SECRETS, &id, &name], value);
        }
    }
}

/// Notes that a secret was used, unless a later use is on record or the secret gone.
pub(super) fn note_use(update: &mut Update, secret_id: Uuid, at: Timestamp) {
    let id = secret_id.to_string();
    let last_used_at = [SECRETS, &id, secret::LAST_USED_AT];
    update.require_existing(&[SECRETS, &id]);
    update.require_at_most(&last_used_at, number(at.millis()));
    update.set(&last_used_at, number(at.millis()));
}

/// Replaces the hash of a secret, if the old one is still stored.
pub(super) fn replace_hash(update: &mut Update, secret_id: Uuid, rehashed: Rehashed<'_>) {
    let id = secret_id.to_string();
    let phc = [SECRETS, &id, secret::PHC];
    update.require_equal(&phc, text(rehashed.from.as_str()));
    update.set(&phc, text(rehashed.to.as_str()));
}

/// Whether `stored` is `after`, be it that secrets were used or rehashed since.
pub(super) fn are_in(mut stored: Client, after: &Client) -> bool {
    let same_secrets = stored.secrets.len() == after.secrets.len()
        && stored.secrets.iter().all(|secret| after.secrets.iter().any(|own| is_same(secret, own)));
    stored.secrets.clone_from(&after.secrets);
    same_secrets && stored == *after
}

fn is_same(one: &StoredSecret, other: &StoredSecret) -> bool {
    let StoredSecret { id, hint, phc: _, cost, created_at, expires_at, last_used_at: _ } = one;
    *id == other.id
        && *hint == other.hint
        && *cost == other.cost
        && *created_at == other.created_at
        && *expires_at == other.expires_at
}
