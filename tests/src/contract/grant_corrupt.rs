//! What no store writes into the table of grants, and a later version or a hand may have written.

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::grant::{Grant, Redeemed};
use identety_domain::store::Count;
use identety_dynamodb::sdk::types::AttributeValue;

use super::attempts::below;
use super::corrupt::{assert_corrupt, map, number, text, with, without};
use super::fixtures::{at, id};
use super::grant_fixtures::{
    full_grant, full_session, full_transaction, granted, redemption, rotation, session_id,
};
use super::links::link;
use super::{Raw, Stores};

pub async fn a_grant_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let damages = [
        without("schema"),
        with("schema", number("3")),
        with("schema", text("1")),
        without("client"),
        with("client", text("not a UUID")),
        without("user"),
        without("scope"),
        with("scope", number("1")),
        with("claims", text("{}")),
        with("claims", AttributeValue::Null(true)),
        with("claims", map([("idToken", text("email"))])),
        without("resources"),
        with("resources", text("https://api.example.com")),
        with("redirectUri", number("1")),
        with("codeChallenge", map([])),
        with("nonce", number("1")),
        without("authentication"),
        with("authentication", map([])),
        without("session"),
        with("session", number("1")),
        without("consent"),
        with("consent", text("1")),
        without("endsWithSession"),
        with("endsWithSession", text("false")),
        without("issuedAt"),
        with("issuedAt", number("-1")),
        with("issuedAt", text("2030-01-01")),
        without("redeemedAt"),
        without("generation"),
        with("generation", number("4294967296")),
        with("generation", number("-1")),
        with("generation", number("1.5")),
        with("generation", text("2")),
        without("rotatedAt"),
        with("redemption", text("not a UUID")),
        with("endedAt", text("")),
    ];
    for (number, damage) in (1..).zip(damages) {
        // Redeemed and ended, so that every write meets it and writes nothing.
        let grant = granted(stores, full_grant(number)).await;
        raw.damage(&raw.tables.grants, &[("pk", &pk(&grant))], &damage).await;
        let grants = &stores.grants;
        assert_corrupt(grants.find_grant(&grant.id).await, &damage);
        assert_corrupt(grants.create_grant(&grant).await, &damage);
        let rotated = grants.rotate_refresh_token(&grant.id, &rotation(1, at(0))).await;
        assert_corrupt(rotated, &damage);
        grants.end_grant(&grant.id, at(0)).await.expect("an end reads nothing");
    }
}

pub async fn a_redemption_of_what_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    for (number, damage) in (1..).zip([with("schema", number("3")), without("user")]) {
        let grant = granted(stores, full_grant(number)).await;
        raw.damage(&raw.tables.grants, &[("pk", &pk(&grant))], &damage).await;
        let redeemed = stores.grants.redeem_code(&grant.id, &redemption(1, at(0))).await;
        assert_corrupt(redeemed, &damage);
    }
}

pub async fn a_grant_that_is_half_redeemed_is_an_error(stores: &Stores, raw: &Raw) {
    for (round, member) in (1..).zip(["redeemedAt", "generation", "rotatedAt"]) {
        let grant = Grant { redeemed: None, ..full_grant(round) };
        let grant = granted(stores, grant).await;
        let damage = with(member, number("1"));
        raw.damage(&raw.tables.grants, &[("pk", &pk(&grant))], &damage).await;
        assert_corrupt(stores.grants.find_grant(&grant.id).await, &damage);
    }
}

pub async fn a_redemption_on_record_is_no_member_of_the_grant(stores: &Stores, raw: &Raw) {
    let redeemed = Redeemed { at: at(1), generation: 1, rotated_at: at(1) };
    let grant = Grant { redeemed: Some(redeemed), ended_at: None, ..full_grant(1) };
    let grant = granted(stores, grant).await;
    let damage = with("redemption", text(&id(1).to_string()));
    raw.damage(&raw.tables.grants, &[("pk", &pk(&grant))], &damage).await;
    let found = stores.grants.find_grant(&grant.id).await.expect("a reading");
    assert_eq!(found, Some(grant));
}

pub async fn a_session_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let damages = [
        without("schema"),
        with("schema", number("3")),
        without("id"),
        without("user"),
        with("user", text("not a UUID")),
        without("authentication"),
        with("authentication", text("pwd")),
        without("signedInFor"),
        with("signedInFor", number("1")),
        with("userAgent", number("1")),
        without("address"),
        without("lastSeenAt"),
        with("lastSeenAt", text("now")),
    ];
    for (number, damage) in (1..).zip(damages) {
        let session = full_session(number);
        stores.sessions.create_session(&session).await.expect("a creation");
        let pk = format!("SESSION#{}", session.key);
        raw.damage(&raw.tables.grants, &[("pk", &pk)], &damage).await;
        assert_corrupt(stores.sessions.find_session(&session.key).await, &damage);
    }
}

pub async fn a_sign_out_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let damages = [with("schema", number("3")), without("schema"), without("signedOutAt")];
    for (round, damage) in (1..).zip(damages) {
        let id = session_id(round);
        stores.sessions.sign_out(&id, at(0)).await.expect("a writing");
        raw.damage(&raw.tables.grants, &[("pk", &format!("SIGNEDOUT#{id}"))], &damage).await;
        assert_corrupt(stores.sessions.is_signed_out(&id).await, &damage);
        assert_corrupt(stores.sessions.sign_out(&id, at(0)).await, &damage);
    }
}

pub async fn a_transaction_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let damages = [
        without("schema"),
        with("schema", number("3")),
        without("key"),
        with("key", number("1")),
        without("query"),
        without("request"),
        with("request", text("{}")),
        with("request", map([])),
        without("createdAt"),
        with("deniedAt", text("now")),
        with("deniedAt", AttributeValue::Null(true)),
        with("grant", number("1")),
        with("grant", AttributeValue::Null(true)),
    ];
    for (number, damage) in (1..).zip(damages) {
        let transaction = full_transaction(number);
        stores.transactions.create_transaction(&transaction).await.expect("a creation");
        let pk = format!("TRANSACTION#{}", transaction.id);
        raw.damage(&raw.tables.grants, &[("pk", &pk)], &damage).await;
        assert_corrupt(stores.transactions.find_transaction(&transaction.id).await, &damage);
    }
}

pub async fn a_link_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let damages = [
        without("schema"),
        with("schema", number("3")),
        without("user"),
        with("user", text("ann")),
        without("expiresAt"),
        with("expiresAt", text("tomorrow")),
        with("usedBy", AttributeValue::Null(true)),
        with("usedBy", number("1")),
    ];
    for (number, damage) in (1..).zip(damages) {
        let link = link(number);
        stores.links.create_link(&link).await.expect("a creation");
        let pk = format!("LINK#{}", link.key);
        raw.damage(&raw.tables.grants, &[("pk", &pk)], &damage).await;
        assert_corrupt(stores.links.find_link(&link.key).await, &damage);
    }
}

pub async fn a_counter_of_attempts_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let damages = [
        with("n", number("4294967296")),
        with("n", number("1.5")),
        without("schema"),
        with("schema", number("3")),
        with("lastAt", text("tomorrow")),
        with("lastAt", AttributeValue::Null(true)),
        with("lastAt", number("-1")),
        with("resets", number("-1")),
    ];
    for (round, damage) in (1..).zip(damages) {
        let key = format!("ATTEMPTS#{round}");
        let (attempts, allowance) = (&stores.attempts, below(1));
        let count = || attempts.count_attempt(&key, &allowance, at(0));
        assert_eq!(count().await.expect("a count"), Count::Counted);
        raw.damage(&raw.tables.grants, &[("pk", &key)], &damage).await;
        assert_corrupt(count().await, &damage);
        assert_corrupt(attempts.find_counter(&key).await, &damage);
    }
}

fn pk(grant: &Grant) -> String {
    format!("GRANT#{}", grant.id)
}
