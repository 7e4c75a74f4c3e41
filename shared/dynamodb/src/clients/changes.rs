//! What a write changes of a client, and on what condition.

use identety_domain::Timestamp;
use identety_domain::client::{Client, StoredSecret};
use identety_domain::store::{Rehashed, StoreError};
use uuid::Uuid;

use super::items::{self, SECRETS, secret};
use crate::expression::{Condition, Update};
use crate::item::{ID, VERSION, number, text};

/// Only if `client` is what is stored.
pub(super) fn is_unchanged(client: &Client) -> Condition {
    // The id too: another client may have taken the clientId, and have the same version.
    Condition::default().equal(&[ID], text(client.id)).equal(&[VERSION], number(client.version))
}

/// What makes `after` of `before`.
///
/// Only members that differ are written, those of metadata and of secrets one by one: that a secret was
/// used is recorded without a new version, and must not be undone here.
pub(super) fn between(before: &Client, after: &Client) -> Result<Update, StoreError> {
    Ok(Update::between(&items::from_client(before)?, &items::from_client(after)?))
}

/// A change of one secret, and its condition.
pub(super) struct SecretChange {
    pub(super) update: Update,
    pub(super) only_if: Condition,
}

impl SecretChange {
    /// Notes that a secret was used, unless a later use is on record or the secret gone.
    pub(super) fn note_use(secret_id: Uuid, at: Timestamp) -> Self {
        let id = secret_id.to_string();
        let last_used_at = [SECRETS, &id, secret::LAST_USED_AT];
        let never = Condition::default().absent(&last_used_at);
        let earlier = Condition::default().at_most(&last_used_at, number(at.millis()));
        let only_if = Condition::default().existing(&[SECRETS, &id]).and(never.or(earlier));
        let mut update = Update::default();
        update.set(&last_used_at, number(at.millis()));
        Self { update, only_if }
    }

    /// Replaces the hash of a secret, if the old one is still stored.
    pub(super) fn replace_hash(secret_id: Uuid, rehashed: Rehashed<'_>) -> Self {
        let nothing = Self { update: Update::default(), only_if: Condition::default() };
        nothing.and_replace_hash(secret_id, rehashed)
    }

    /// This change and that of the hash, if both may be made.
    pub(super) fn and_replace_hash(self, secret_id: Uuid, rehashed: Rehashed<'_>) -> Self {
        let Self { mut update, only_if } = self;
        let id = secret_id.to_string();
        let phc = [SECRETS, &id, secret::PHC];
        update.set(&phc, text(rehashed.to.as_str()));
        Self { update, only_if: only_if.equal(&phc, text(rehashed.from.as_str())) }
    }
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
