//! Grants, sessions and transactions to put into a store.

use identety_domain::grant::{
    CodeChallenge, Generation, Grant, GrantId, Redeemed, Redemption, RequestedClaim,
    RequestedClaims, Rotation,
};
use identety_domain::session::{
    Answer, AuthorizationRequest, RequestKey, RequestSecret, ResponseMode, Session, SessionId,
    SessionKey, SessionSecret, Transaction, TransactionId,
};
use identety_domain::store::{GrantCreation, Redeem, Rotate};
use identety_domain::user::{AuthenticationEvent, AuthenticationMethod, UserClaim};
use identety_domain::{Scope, Timestamp};

use super::Stores;
use super::fixtures::{at, client_id, id};

/// `number` as a text of `length` URL-safe characters.
fn url_safe(number: u16, length: usize) -> String {
    format!("{number:0>length$}")
}

pub(super) fn grant_id(number: u16) -> GrantId {
    GrantId::of_code(&format!("code {number}"))
}

pub(super) fn session_id(number: u16) -> SessionId {
    serde_json::from_value(url_safe(number, 24).into()).expect("a text")
}

pub(super) fn session_key(number: u16) -> SessionKey {
    SessionSecret::parse(&url_safe(number, 43)).expect("a secret").key()
}

fn request_key(number: u16) -> RequestKey {
    RequestSecret::parse(&url_safe(number, 43)).expect("a secret").key()
}

/// That a user showed who they are, at a time of its own.
fn authentication(number: u16) -> AuthenticationEvent {
    AuthenticationEvent {
        method: AuthenticationMethod::Password,
        time: at(u64::from(number)),
        acr: "1".to_owned(),
        amr: Vec::new(),
    }
}

/// The same with every member set.
fn full_authentication(number: u16) -> AuthenticationEvent {
    let amr = vec!["pwd".to_owned(), "otp \u{1F4DA}".to_owned()];
    AuthenticationEvent { acr: "urn:class".to_owned(), amr, ..authentication(number) }
}

pub(super) fn transaction_id(number: u16) -> TransactionId {
    TransactionId::parse(&url_safe(number, 24)).expect("an id")
}

fn challenge() -> Option<CodeChallenge> {
    CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
}

/// Claims of both places, with and without values.
fn claims() -> RequestedClaims {
    let values = vec!["\"jörg\"".to_owned(), "1e300".to_owned(), "{\"a\":[null]}".to_owned()];
    let any = |name| RequestedClaim { name, values: Vec::new() };
    RequestedClaims {
        userinfo: vec![any(UserClaim::Email), RequestedClaim { name: UserClaim::Name, values }],
        id_token: vec![any(UserClaim::PhoneNumberVerified)],
    }
}

/// A grant whose code is unused, of which nothing is set that need not be.
pub(super) fn grant(number: u16) -> Grant {
    Grant {
        id: grant_id(number),
        client: id(1),
        user: id(2),
        scope: Scope::default(),
        claims: RequestedClaims::default(),
        resources: Vec::new(),
        redirect_uri: None,
        code_challenge: None,
        nonce: None,
        authentication: authentication(0),
        session: session_id(number),
        ends_with_session: false,
        consent: Generation::default(),
        issued_at: at(u64::from(number)),
        redeemed: None,
        ended_at: None,
    }
}

/// A grant of which every member is set.
pub(super) fn full_grant(number: u16) -> Grant {
    Grant {
        scope: Scope::parse("openid books:read a").expect("a scope"),
        claims: claims(),
        resources: vec!["https://api.example.com".to_owned(), "urn:books".to_owned()],
        redirect_uri: Some("com.example.app:/cb?x=\"ünï\"".to_owned()),
        code_challenge: challenge(),
        nonce: Some("n-0S6_WzA2Mj \u{1F4DA}".to_owned()),
        authentication: full_authentication(number),
        ends_with_session: true,
        consent: Generation::from(u64::MAX),
        redeemed: Some(Redeemed {
            at: at(40_000),
            generation: u32::MAX - 1,
            rotated_at: at(50_000),
        }),
        ended_at: Some(at(60_000)),
        ..grant(number)
    }
}

/// A session of which nothing is set that need not be.
pub(super) fn session(number: u16) -> Session {
    Session {
        key: session_key(number),
        id: session_id(number),
        user: id(number),
        authentication: authentication(0),
        signed_in_for: Vec::new(),
        user_agent: None,
        address: "192.0.2.1".to_owned(),
        last_seen_at: at(1000),
        ended_at: None,
    }
}

/// A session of which every member is set.
pub(super) fn full_session(number: u16) -> Session {
    Session {
        authentication: full_authentication(number),
        signed_in_for: vec![transaction_id(number), transaction_id(7)],
        user_agent: Some("Firefox \u{1F98A}".to_owned()),
        ended_at: Some(at(9000)),
        ..session(number)
    }
}

/// A transaction of which nothing is set that need not be.
pub(super) fn transaction(number: u16) -> Transaction {
    let request = AuthorizationRequest {
        client: id(1),
        client_id: client_id("public_1"),
        redirect_uri: "https://b.example.com/cb".to_owned(),
        redirect_uri_was_sent: false,
        response_mode: ResponseMode::Query,
        scope: Scope::default(),
        resources: Vec::new(),
        state: None,
        nonce: None,
        code_challenge: None,
        is_silent: false,
        asks_for_login: false,
        asks_for_consent: false,
        max_age: None,
        login_hint: None,
        expected_user: None,
        claims: RequestedClaims::default(),
        subjects: None,
    };
    Transaction {
        id: transaction_id(number),
        key: request_key(number),
        query: String::new(),
        request,
        created_at: at(u64::from(number)),
        answer: None,
    }
}

/// A transaction of which every member is set.
pub(super) fn full_transaction(number: u16) -> Transaction {
    let request = AuthorizationRequest {
        redirect_uri_was_sent: true,
        response_mode: ResponseMode::FormPost,
        scope: Scope::parse("openid offline_access").expect("a scope"),
        resources: vec!["urn:books".to_owned()],
        state: Some(String::new()),
        nonce: Some("n \u{1F4DA}".to_owned()),
        code_challenge: challenge(),
        is_silent: true,
        asks_for_login: true,
        asks_for_consent: true,
        max_age: Some(u64::MAX),
        login_hint: Some("jörg@example.com".to_owned()),
        expected_user: Some(id(7)),
        claims: claims(),
        subjects: Some(vec![id(7), id(8)]),
        ..transaction(number).request
    };
    let (query, answer) =
        ("client_id=a&scope=b%20c".to_owned(), Some(Answer::Granted(grant_id(7))));
    Transaction { query, request, answer, ..transaction(number) }
}

/// The redemption number `number` of a code.
pub(super) fn redemption(number: u16, at: Timestamp) -> Redemption {
    Redemption { id: id(number), at, forget_at: at.plus(3600) }
}

/// A rotation away from a generation.
pub(super) fn rotation(from: u32, at: Timestamp) -> Rotation {
    Rotation { from, at, forget_at: at.plus(3600) }
}

/// Creates `grant`, and gives it back.
pub(super) async fn granted(stores: &Stores, grant: Grant) -> Grant {
    let created = stores.grants.create_grant(&grant).await.expect("an answer");
    assert_eq!(created, GrantCreation::Created);
    grant
}

/// Creates a grant whose code is redeemed, and gives it back.
pub(super) async fn redeemed(stores: &Stores, number: u16) -> Grant {
    let grant = granted(stores, grant(number)).await;
    assert_eq!(redeem(stores, &grant.id, 1, at(500)).await, Redeem::Redeemed);
    let redeemed = Redeemed { at: at(500), generation: 1, rotated_at: at(500) };
    Grant { redeemed: Some(redeemed), ..grant }
}

pub(super) async fn redeem(stores: &Stores, id: &GrantId, number: u16, at: Timestamp) -> Redeem {
    stores.grants.redeem_code(id, &redemption(number, at)).await.expect("an answer")
}

pub(super) async fn rotate(stores: &Stores, id: &GrantId, from: u32, at: Timestamp) -> Rotate {
    stores.grants.rotate_refresh_token(id, &rotation(from, at)).await.expect("an answer")
}

pub(super) async fn end(stores: &Stores, id: &GrantId, at: Timestamp) {
    stores.grants.end_grant(id, at).await.expect("an end");
}

pub(super) async fn find_grant(stores: &Stores, id: &GrantId) -> Option<Grant> {
    stores.grants.find_grant(id).await.expect("a reading")
}
