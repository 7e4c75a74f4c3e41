//! The items of the accounts table.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use identety_domain::grant::Consented;
use identety_domain::store::StoreError;
use identety_domain::user::{EmailAddress, StoredPassword, User, UserClaim, UserDetails};
use identety_domain::{ScopeToken, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::item::{Item, key_in, present, read, write};
use crate::layout;

/// The partition of the index that every user is in.
pub(super) const LISTED: &str = "USER";

/// The sort keys of a user and of a pointer: each is alone in its partition.
const USER: &str = "USER";
const EMAIL: &str = "EMAIL";

/// Where the hash of a user's password is.
pub(super) const PASSWORD_HASH: [&str; 2] = ["password", "phc"];

/// The members of a consent.
pub(super) mod consent {
    /// What the user has allowed; not there where that is nothing.
    pub(in super::super) const SCOPE: &str = "scope";
    /// Which claims beyond that scope the user has allowed; not there where there are none.
    pub(in super::super) const CLAIMS: &str = "claims";
    /// When the user was last asked.
    pub(in super::super) const CONSENTED_AT: &str = "consentedAt";
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserItem {
    pk: String,
    sk: String,
    schema: u32,
    listing: String,
    id: Uuid,
    details: UserDetails,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    password: Option<StoredPassword>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EmailItem {
    pk: String,
    sk: String,
    schema: u32,
    user_id: Uuid,
}

#[derive(Deserialize)]
struct ConsentItem {
    #[serde(default)]
    scope: BTreeSet<ScopeToken>,
    #[serde(default)]
    claims: Vec<UserClaim>,
}

fn user_pk(id: Uuid) -> String {
    format!("USER#{id}")
}

fn email_pk(email: &EmailAddress) -> String {
    format!("EMAIL#{}", email.normalized())
}

/// The key of a user.
pub(super) fn user_key(id: Uuid) -> Item {
    key_in(user_pk(id), USER)
}

/// The key of the pointer to the user with this address.
pub(super) fn email_key(email: &EmailAddress) -> Item {
    key_in(email_pk(email), EMAIL)
}

/// The partition of what a user has consented to.
pub(super) fn consents_pk(user: Uuid) -> String {
    format!("CONSENT#{user}")
}

/// The key of what a user has allowed a client.
pub(super) fn consent_key(user: Uuid, client: Uuid) -> Item {
    key_in(consents_pk(user), client)
}

/// The item of a user.
pub(super) fn from_user(user: &User) -> Result<Item, StoreError> {
    // Destructured whole, so that a member which is not stored does not compile.
    let User { id, details, password, created_at, updated_at, version } = user;
    write(&UserItem {
        pk: user_pk(*id),
        sk: USER.to_owned(),
        schema: layout::WRITTEN,
        listing: LISTED.to_owned(),
        id: *id,
        details: details.clone(),
        password: password.clone(),
        created_at: *created_at,
        updated_at: *updated_at,
        version: *version,
    })
}

/// The user of an item.
pub(super) fn to_user(item: Item) -> Result<User, StoreError> {
    let item: UserItem = read(item)?;
    Ok(User {
        id: item.id,
        details: item.details,
        password: item.password,
        created_at: item.created_at,
        updated_at: item.updated_at,
        version: item.version,
    })
}

/// The item that leads from an address to its user.
pub(super) fn pointer(user: &User) -> Result<Item, StoreError> {
    write(&EmailItem {
        pk: email_pk(&user.details.email),
        sk: EMAIL.to_owned(),
        schema: layout::WRITTEN,
        user_id: user.id,
    })
}

/// Where a pointer leads.
pub(super) fn pointed_to(item: Item) -> Result<Uuid, StoreError> {
    Ok(read::<EmailItem>(item)?.user_id)
}

/// What a consent allows. The scope is in the order of the alphabet: the item knows no other.
pub(super) fn to_consented(item: Item) -> Result<Consented, StoreError> {
    let ConsentItem { scope, claims } = read(item)?;
    Ok(Consented { scope: scope.into_iter().collect(), claims })
}

/// A set of these texts; `None` where it is empty, for there are no empty sets.
pub(super) fn set_of<'a>(texts: impl Iterator<Item = &'a str>) -> Option<AttributeValue> {
    let texts: Vec<_> = texts.map(str::to_owned).collect();
    (!texts.is_empty()).then_some(AttributeValue::Ss(texts))
}
