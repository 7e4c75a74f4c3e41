//! Items of the grants table, and the models in them. The time to live is none of a model's members.

use identety_domain::grant::{
    CodeChallenge, Generation, Grant, GrantId, Redeemed, RequestedClaims,
};
use identety_domain::session::{
    Answer, AuthorizationRequest, RequestKey, Session, SessionId, SessionKey, Transaction,
    TransactionId,
};
use identety_domain::store::StoreError;
use identety_domain::user::AuthenticationEvent;
use identety_domain::{Scope, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_dynamo::aws_sdk_dynamodb_1::from_attribute_value;
use uuid::Uuid;

use crate::error::corrupt;
use crate::item::{self, Item, PK, present, read, write};
use crate::layout;

/// What the keys of grants begin with.
pub(super) const GRANT: &str = "GRANT#";
/// What the keys of sessions begin with.
pub(super) const SESSION: &str = "SESSION#";

pub(super) fn grant_pk(id: &GrantId) -> String {
    format!("{GRANT}{id}")
}

pub(super) fn session_pk(key: &SessionKey) -> String {
    format!("{SESSION}{key}")
}

fn signed_out_pk(id: &SessionId) -> String {
    format!("SIGNEDOUT#{id}")
}

fn transaction_pk(id: &TransactionId) -> String {
    format!("TRANSACTION#{id}")
}

/// The key of a grant.
pub(super) fn grant_key(id: &GrantId) -> Item {
    item::key(grant_pk(id))
}

/// The key of a session.
pub(super) fn session_key(key: &SessionKey) -> Item {
    item::key(session_pk(key))
}

/// The key of the mark that the user has signed out of a session.
pub(super) fn signed_out_key(id: &SessionId) -> Item {
    item::key(signed_out_pk(id))
}

/// The key of a transaction.
pub(super) fn transaction_key(id: &TransactionId) -> Item {
    item::key(transaction_pk(id))
}

/// The members of a grant that are written one by one.
pub(super) mod grant {
    /// Since when the code is used.
    pub(in super::super) const REDEEMED_AT: &str = "redeemedAt";
    /// By whose redemption.
    pub(in super::super) const REDEMPTION: &str = "redemption";
    /// The live generation of refresh tokens.
    pub(in super::super) const GENERATION: &str = "generation";
    /// Since when it is live.
    pub(in super::super) const ROTATED_AT: &str = "rotatedAt";
    /// When the grant ended.
    pub(in super::super) const ENDED_AT: &str = "endedAt";
}

/// The members of a session that are written one by one.
pub(super) mod session {
    /// When it was last used.
    pub(in super::super) const LAST_SEEN_AT: &str = "lastSeenAt";
    /// When it ended.
    pub(in super::super) const ENDED_AT: &str = "endedAt";
}

/// The members of a transaction that are written one by one.
pub(super) mod transaction {
    /// When the user has denied it.
    pub(in super::super) const DENIED_AT: &str = "deniedAt";
    /// Which grant is its answer.
    pub(in super::super) const GRANT: &str = "grant";
}

/// What is `None` is left out: a condition can then ask whether it exists.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GrantItem {
    pk: String,
    schema: u32,
    client: Uuid,
    user: Uuid,
    scope: Scope,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    claims: Option<RequestedClaims>,
    resources: Vec<String>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<String>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    code_challenge: Option<CodeChallenge>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    authentication: AuthenticationEvent,
    session: SessionId,
    ends_with_session: bool,
    consent: Generation,
    issued_at: Timestamp,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    redeemed_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    redemption: Option<Uuid>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    generation: Option<u32>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    rotated_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionItem {
    pk: String,
    schema: u32,
    id: SessionId,
    user: Uuid,
    authentication: AuthenticationEvent,
    signed_in_for: Vec<TransactionId>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    address: String,
    last_seen_at: Timestamp,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignedOutItem {
    pk: String,
    schema: u32,
    signed_out_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TransactionItem {
    pk: String,
    schema: u32,
    key: RequestKey,
    query: String,
    request: AuthorizationRequest,
    created_at: Timestamp,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    denied_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    grant: Option<GrantId>,
}

/// The item of a grant.
pub(super) fn from_grant(grant: &Grant) -> Result<Item, StoreError> {
    // Destructured whole, so that a member which is not stored does not compile.
    let Grant {
        id,
        client,
        user,
        scope,
        claims,
        resources,
        redirect_uri,
        code_challenge,
        nonce,
        authentication,
        session,
        ends_with_session,
        consent,
        issued_at,
        redeemed,
        ended_at,
    } = grant;
    let redeemed = redeemed.as_ref();
    write(&GrantItem {
        pk: grant_pk(id),
        schema: layout::WRITTEN,
        client: *client,
        user: *user,
        scope: scope.clone(),
        claims: (!claims.is_empty()).then(|| claims.clone()),
        resources: resources.clone(),
        redirect_uri: redirect_uri.clone(),
        code_challenge: code_challenge.clone(),
        nonce: nonce.clone(),
        authentication: authentication.clone(),
        session: session.clone(),
        ends_with_session: *ends_with_session,
        consent: *consent,
        issued_at: *issued_at,
        redeemed_at: redeemed.map(|redeemed| redeemed.at),
        // A grant that is created as redeemed has no redemption that could be repeated.
        redemption: None,
        generation: redeemed.map(|redeemed| redeemed.generation),
        rotated_at: redeemed.map(|redeemed| redeemed.rotated_at),
        ended_at: *ended_at,
    })
}

/// The grant of an item.
pub(super) fn to_grant(id: &GrantId, item: Item) -> Result<Grant, StoreError> {
    let item: GrantItem = read(item)?;
    let redeemed = match (item.redeemed_at, item.generation, item.rotated_at) {
        (Some(at), Some(generation), Some(rotated_at)) => {
            Some(Redeemed { at, generation, rotated_at })
        }
        (None, None, None) => None,
        (Some(_) | None, _, _) => return Err(corrupt(&item.pk, "half redeemed")),
    };
    Ok(Grant {
        id: id.clone(),
        client: item.client,
        user: item.user,
        scope: item.scope,
        claims: item.claims.unwrap_or_default(),
        resources: item.resources,
        redirect_uri: item.redirect_uri,
        code_challenge: item.code_challenge,
        nonce: item.nonce,
        authentication: item.authentication,
        session: item.session,
        ends_with_session: item.ends_with_session,
        consent: item.consent,
        issued_at: item.issued_at,
        redeemed,
        ended_at: item.ended_at,
    })
}

/// Whether the grant of an item has not ended and was redeemed by `redemption`.
pub(super) fn is_redeemed_by(item: Item, redemption: Uuid) -> Result<bool, StoreError> {
    let item: GrantItem = read(item)?;
    Ok(item.ended_at.is_none() && item.redemption == Some(redemption))
}

/// The item of a session.
pub(super) fn from_session(session: &Session) -> Result<Item, StoreError> {
    let Session {
        key,
        id,
        user,
        authentication,
        signed_in_for,
        user_agent,
        address,
        last_seen_at,
        ended_at,
    } = session;
    write(&SessionItem {
        pk: session_pk(key),
        schema: layout::WRITTEN,
        id: id.clone(),
        user: *user,
        authentication: authentication.clone(),
        signed_in_for: signed_in_for.clone(),
        user_agent: user_agent.clone(),
        address: address.clone(),
        last_seen_at: *last_seen_at,
        ended_at: *ended_at,
    })
}

/// The session of an item.
pub(super) fn to_session(key: &SessionKey, item: Item) -> Result<Session, StoreError> {
    let item: SessionItem = read(item)?;
    Ok(Session {
        key: key.clone(),
        id: item.id,
        user: item.user,
        authentication: item.authentication,
        signed_in_for: item.signed_in_for,
        user_agent: item.user_agent,
        address: item.address,
        last_seen_at: item.last_seen_at,
        ended_at: item.ended_at,
    })
}

/// The session of an item that was found by its user.
pub(super) fn to_owned_session(item: Item) -> Result<Session, StoreError> {
    let key = named(&item, SESSION)?;
    to_session(&key, item)
}

/// The grant of an item that was found by its user.
pub(super) fn to_owned_grant(item: Item) -> Result<Grant, StoreError> {
    let id = named(&item, GRANT)?;
    to_grant(&id, item)
}

/// What the key of an item names behind `kind`.
fn named<T: DeserializeOwned>(item: &Item, kind: &str) -> Result<T, StoreError> {
    let pk = item::attribute(item, PK)?;
    let name = pk.strip_prefix(kind).unwrap_or_default();
    from_attribute_value(item::text(name)).map_err(|error| corrupt(pk, error))
}

/// The mark that the user has signed out of a session.
pub(super) fn signed_out(id: &SessionId, at: Timestamp) -> Result<Item, StoreError> {
    write(&SignedOutItem { pk: signed_out_pk(id), schema: layout::WRITTEN, signed_out_at: at })
}

/// Whether an item is such a mark.
pub(super) fn check_signed_out(item: Item) -> Result<(), StoreError> {
    read::<SignedOutItem>(item).map(|_| ())
}

/// The item of a transaction.
pub(super) fn from_transaction(transaction: &Transaction) -> Result<Item, StoreError> {
    let Transaction { id, key, query, request, created_at, answer } = transaction;
    let (denied_at, grant) = match answer {
        None => (None, None),
        Some(Answer::Denied) => (Some(*created_at), None),
        Some(Answer::Granted(grant)) => (None, Some(grant.clone())),
    };
    write(&TransactionItem {
        pk: transaction_pk(id),
        schema: layout::WRITTEN,
        key: key.clone(),
        query: query.clone(),
        request: request.clone(),
        created_at: *created_at,
        denied_at,
        grant,
    })
}

/// The transaction of an item.
pub(super) fn to_transaction(id: &TransactionId, item: Item) -> Result<Transaction, StoreError> {
    let item: TransactionItem = read(item)?;
    // A denial is final, so it counts beside the grant that it has put an end to.
    let answer = match (item.denied_at, item.grant) {
        (Some(_), _) => Some(Answer::Denied),
        (None, grant) => grant.map(Answer::Granted),
    };
    Ok(Transaction {
        id: id.clone(),
        key: item.key,
        query: item.query,
        request: item.request,
        created_at: item.created_at,
        answer,
    })
}
