//! The items of the accounts table.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use identety_domain::grant::{Allowed, Consent, Generation};
use identety_domain::session::{DeviceKey, KnownBrowsers};
use identety_domain::store::StoreError;
use identety_domain::user::{EmailAddress, StoredPassword, User, UserClaim, UserDetails};
use identety_domain::{ScopeToken, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::corrupt;
use crate::item::{Item, attribute_of, key_in, present, read, what, write};
use crate::layout;

/// The partition of the index that every user is in.
pub(super) const LISTED: &str = "USER";

/// The sort keys of a user and of a pointer: each is alone in its partition.
const USER: &str = "USER";
const EMAIL: &str = "EMAIL";

/// The browsers that the account knows, and when each was used last.
pub(super) const BROWSERS: &str = "browsers";
/// When the password was set.
pub(super) const PASSWORD_CHANGED_AT: [&str; 2] = ["password", "changedAt"];
/// Where the hash of a user's password is.
pub(super) const PASSWORD_HASH: [&str; 2] = ["password", "phc"];

/// The members of a consent.
pub(super) mod consent {
    /// What the user has allowed without naming a resource: a set of scope-tokens, not there where that is nothing.
    pub(in super::super) const SCOPE: &str = "scope";
    /// What the user has allowed at resources: a set of texts, each a scope-token, a space and a resource. Either may
    /// be missing: an empty scope at a resource is something that the user has allowed, too.
    pub(in super::super) const RESOURCE_SCOPE: &str = "resourceScope";
    /// Which claims the user has allowed by their names: a set, not there where there are none.
    pub(in super::super) const CLAIMS: &str = "claims";
    /// What grants that were given under the consent name.
    pub(in super::super) const GENERATION: &str = "generation";
    /// When the user was last asked.
    pub(in super::super) const CONSENTED_AT: &str = "consentedAt";
    /// When the user has last withdrawn everything.
    pub(in super::super) const WITHDRAWN_AT: &str = "withdrawnAt";
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
    /// Not there in items of before browsers were known.
    #[serde(default)]
    browsers: KnownBrowsers,
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
#[serde(rename_all = "camelCase")]
struct ConsentItem {
    #[serde(default)]
    scope: BTreeSet<ScopeToken>,
    #[serde(default)]
    resource_scope: BTreeSet<String>,
    #[serde(default)]
    claims: Vec<UserClaim>,
    #[serde(default)]
    generation: Generation,
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
    let User { id, details, password, browsers, created_at, updated_at, version } = user;
    write(&UserItem {
        pk: user_pk(*id),
        sk: USER.to_owned(),
        schema: layout::WRITTEN,
        listing: LISTED.to_owned(),
        id: *id,
        details: details.clone(),
        password: password.clone(),
        browsers: browsers.clone(),
        created_at: *created_at,
        updated_at: *updated_at,
        version: *version,
    })
}

/// Where a known browser is.
pub(super) fn browser(key: &DeviceKey) -> [&str; 2] {
    [BROWSERS, key.as_str()]
}

/// The known browsers as an attribute.
pub(super) fn browsers(browsers: &KnownBrowsers) -> Result<AttributeValue, StoreError> {
    attribute_of(browsers)
}

/// The user of an item.
pub(super) fn to_user(item: Item) -> Result<User, StoreError> {
    let item: UserItem = read(item)?;
    Ok(User {
        id: item.id,
        details: item.details,
        password: item.password,
        browsers: item.browsers,
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

/// A consent. Its scopes are in the order of the alphabet: the item knows no other.
pub(super) fn to_consent(item: Item) -> Result<Consent, StoreError> {
    let what = what(&item);
    let ConsentItem { scope, resource_scope, claims, generation } = read(item)?;
    let mut allowed: BTreeMap<Option<String>, Vec<ScopeToken>> = BTreeMap::new();
    if !scope.is_empty() {
        allowed.insert(None, scope.into_iter().collect());
    }
    for text in resource_scope {
        let unreadable = || corrupt(&what, "a resource scope that is none");
        let (token, resource) = text.split_once(' ').ok_or_else(unreadable)?;
        let resource = (!resource.is_empty()).then(|| resource.to_owned());
        let tokens = allowed.entry(resource).or_default();
        if !token.is_empty() {
            tokens.push(ScopeToken::parse(token).map_err(|_| unreadable())?);
        }
    }
    let allowed = allowed.into_iter().map(|(at, tokens)| (at, tokens.into_iter().collect()));
    Ok(Consent { generation, allowed: allowed.collect(), claims })
}

/// What is added to the sets of a consent: the name of each set, and texts, of which there is one at least.
pub(super) fn additions(allowed: &Allowed<'_>) -> Vec<(&'static str, Vec<String>)> {
    let mut additions = vec![scope_addition(allowed)];
    let claims: Vec<_> = allowed.claims.iter().map(|claim| claim.as_str().to_owned()).collect();
    if !claims.is_empty() {
        additions.push((consent::CLAIMS, claims));
    }
    additions
}

fn scope_addition(allowed: &Allowed<'_>) -> (&'static str, Vec<String>) {
    let tokens: Vec<_> = allowed.scope.iter().map(ScopeToken::as_str).collect();
    if allowed.resources.is_empty() && !tokens.is_empty() {
        let tokens = tokens.into_iter().map(str::to_owned).collect();
        return (consent::SCOPE, tokens);
    }
    let tokens = if tokens.is_empty() { vec![""] } else { tokens };
    let texts: BTreeSet<_> = allowed
        .targets()
        .flat_map(|resource| {
            let resource = resource.unwrap_or_default();
            tokens.iter().map(move |token| format!("{token} {resource}")).collect::<Vec<_>>()
        })
        .collect();
    (consent::RESOURCE_SCOPE, texts.into_iter().collect())
}

/// The generation among the attributes that a change has written.
pub(super) fn generation(written: &Item) -> Option<Generation> {
    let number = written.get(consent::GENERATION)?.as_n().ok()?;
    number.parse::<u64>().ok().map(Generation::from)
}
