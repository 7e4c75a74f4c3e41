//! What no store writes, and a later version or a hand may have written.

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::Scope;
use identety_domain::client::SigningAlg;
use identety_domain::grant::{Allowed, Generation};
use identety_domain::keys::WrappedKey;
use identety_domain::store::{Change, From, Order, StoreError};
use identety_dynamodb::sdk::types::AttributeValue;

use super::consents::consent;
use super::fixtures::{
    at, created, full_client, full_user, id, m2m_client, phc, renamed, ring, user, user_created,
    with_email,
};
use super::{Raw, Stores};

/// What happens to an item: another value in a place, or none.
#[derive(Debug)]
pub(super) struct Damage {
    name: &'static str,
    value: Option<AttributeValue>,
}

pub async fn a_client_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let damages = [
        without("schema"),
        with("schema", number("3")),
        with("schema", number("0")),
        with("schema", text("1")),
        without("id"),
        with("id", text("not a UUID")),
        without("clientId"),
        with("clientId", number("1")),
        without("type"),
        with("type", text("robot")),
        without("metadata"),
        with("metadata", text("{}")),
        with("metadata", map([])),
        without("secrets"),
        with("secrets", AttributeValue::L(Vec::new())),
        with("secrets", map([("not a UUID", map([]))])),
        with(
            "secrets",
            map([("0197fcb4-7c00-7000-8000-000000000000", AttributeValue::Bool(true))]),
        ),
        without("createdAt"),
        with("createdAt", text("2030-01-01")),
        with("updatedAt", number("-1")),
        without("version"),
        with("version", number("1.5")),
        with("version", number("1e30")),
        with("version", AttributeValue::Null(true)),
    ];
    for (number, damage) in (1..).zip(damages) {
        let client = created(stores, full_client(number)).await;
        let pk = format!("CLIENT#{}", client.client_id);
        raw.damage(&raw.tables.clients, &[("pk", &pk)], &damage).await;
        assert_corrupt(stores.clients.find(&client.client_id).await, &damage);
        if damage.name != "id" {
            assert_corrupt(stores.clients.find_by_id(client.id).await, &damage);
        }
    }
}

pub async fn a_client_that_cannot_be_read_spoils_a_list(stores: &Stores, raw: &Raw) {
    created(stores, m2m_client(1)).await;
    created(stores, m2m_client(2)).await;
    let damage = without("createdAt");
    raw.damage(&raw.tables.clients, &[("pk", "CLIENT#m2m_00001")], &damage).await;
    assert_corrupt(stores.clients.list(Order::default(), From::Offset(0), 10).await, &damage);
    let change = stores.clients.update(&m2m_client(1), &renamed(&m2m_client(1), "New")).await;
    assert_eq!(change.expect("an update reads nothing"), Change::Done);
    let late = stores.clients.update(&m2m_client(1), &renamed(&m2m_client(1), "Late")).await;
    assert_corrupt(late, &damage);
}

pub async fn a_pointer_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let damages = [
        without("schema"),
        with("schema", number("3")),
        without("clientId"),
        with("clientId", AttributeValue::Bool(false)),
    ];
    for (number, damage) in (1..).zip(damages) {
        let client = created(stores, m2m_client(number)).await;
        let pk = format!("ID#{}", client.id);
        raw.damage(&raw.tables.clients, &[("pk", &pk)], &damage).await;
        assert_corrupt(stores.clients.find_by_id(client.id).await, &damage);
        let found = stores.clients.find(&client.client_id).await;
        assert_eq!(found.expect("the client itself is whole").as_ref(), Some(&client));
    }
}

pub async fn a_pointer_to_nothing_finds_nothing(stores: &Stores, raw: &Raw) {
    let (client, other) = (m2m_client(1), m2m_client(2));
    created(stores, client.clone()).await;
    created(stores, other.clone()).await;
    let pk = format!("ID#{}", client.id);
    for client_id in ["m2m_nobody", other.client_id.as_str()] {
        raw.damage(&raw.tables.clients, &[("pk", &pk)], &with("clientId", text(client_id))).await;
        assert_eq!(stores.clients.find_by_id(client.id).await.expect("a reading"), None);
    }
}

pub async fn a_user_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let damages = [
        without("schema"),
        with("schema", number("3")),
        without("id"),
        with("id", text("not a UUID")),
        without("details"),
        with("details", text("{}")),
        with("details", map([])),
        with("password", text("$argon2id$")),
        with("password", map([("phc", text("$argon2id$"))])),
        with("browsers", text("a")),
        with("browsers", map([("a", text("b"))])),
        without("createdAt"),
        with("updatedAt", number("-1")),
        without("version"),
        with("version", number("1.5")),
    ];
    for (number, damage) in (1..).zip(damages) {
        let user = user_created(stores, full_user(number)).await;
        let pk = format!("USER#{}", user.id);
        raw.damage(&raw.tables.accounts, &[("pk", &pk), ("sk", "USER")], &damage).await;
        assert_corrupt(stores.users.find(user.id).await, &damage);
        assert_corrupt(stores.users.find_by_email(&user.details.email).await, &damage);
        if damage.name == "version" {
            let after = with_email(&user, user.details.email.as_str());
            assert_corrupt(stores.users.update(&user, &after).await, &damage);
        }
    }
    let list = stores.users.list(Order::default(), From::Offset(0), 100).await;
    assert_corrupt(list, &without("any of these"));
}

pub async fn the_pointer_of_an_email_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let damages = [
        without("schema"),
        with("schema", number("3")),
        without("userId"),
        with("userId", text("not a UUID")),
    ];
    for (number, damage) in (1..).zip(damages) {
        let user = user_created(stores, user(number)).await;
        let pk = format!("EMAIL#{}", user.details.email.normalized());
        raw.damage(&raw.tables.accounts, &[("pk", &pk), ("sk", "EMAIL")], &damage).await;
        assert_corrupt(stores.users.find_by_email(&user.details.email).await, &damage);
        let found = stores.users.find(user.id).await;
        assert_eq!(found.expect("the user itself is whole").as_ref(), Some(&user));
    }
}

pub async fn the_pointer_of_an_email_to_nothing_finds_nothing(stores: &Stores, raw: &Raw) {
    let user_itself = user_created(stores, user(1)).await;
    let other = user_created(stores, user(2)).await;
    let email = &user_itself.details.email;
    let pk = format!("EMAIL#{}", email.normalized());
    for id in [id(3), other.id] {
        let damage = with("userId", text(&id.to_string()));
        raw.damage(&raw.tables.accounts, &[("pk", &pk), ("sk", "EMAIL")], &damage).await;
        assert_eq!(stores.users.find_by_email(email).await.expect("a reading"), None);
    }
}

pub async fn a_consent_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let damages = [
        without("schema"),
        with("schema", number("3")),
        with("scope", text("a")),
        with("scope", AttributeValue::Ns(vec!["1".to_owned()])),
        with("resourceScope", text("a https://a.example.com")),
        with("resourceScope", AttributeValue::Ss(vec!["a".to_owned()])),
        with("resourceScope", AttributeValue::Ss(vec!["\"a https://a.example.com".to_owned()])),
        with("generation", text("1")),
        with("claims", text("email")),
        with("claims", AttributeValue::Ss(vec!["email".to_owned(), "sub".to_owned()])),
        with("claims", AttributeValue::Null(true)),
    ];
    for (number, damage) in (1..).zip(damages) {
        consent(stores, id(number), id(7), &Scope::parse("a").expect("a scope")).await;
        let (pk, sk) = (format!("CONSENT#{}", id(number)), id(7).to_string());
        raw.damage(&raw.tables.accounts, &[("pk", &pk), ("sk", &sk)], &damage).await;
        assert_corrupt(stores.consents.consented(id(number), id(7)).await, &damage);
        if damage.name == "schema" {
            let scope = Scope::parse("b").expect("a scope");
            let generation = Generation::from(1);
            let allowed = Allowed { scope: &scope, resources: &[], claims: &[], generation };
            let more = stores.consents.consent(id(number), id(7), &allowed, at(1)).await;
            assert_corrupt(more, &damage);
            let end = stores.consents.withdraw_consent(id(number), id(7), generation, at(1)).await;
            assert_corrupt(end, &damage);
        }
    }
}

pub async fn an_api_key_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    for damage in [without("phc"), with("phc", number("1")), with("schema", number("3"))] {
        stores.api_keys.set_api_key(&phc("key")).await.expect("a writing");
        raw.damage(&raw.tables.clients, &[("pk", "APIKEY")], &damage).await;
        assert_corrupt(stores.api_keys.api_key().await, &damage);
        assert_corrupt(stores.api_keys.create_api_key(&phc("key")).await, &damage);
    }
    let another = stores.api_keys.set_api_key(&phc("another")).await;
    assert_corrupt(another, &with("schema", number("3")));
}

pub async fn a_ring_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let damages = [
        with("alg", text("HS256")),
        with("alg", text("RS256")),
        without("keys"),
        with("keys", AttributeValue::L(vec![map([])])),
        with("version", text("1")),
        with("schema", number("3")),
    ];
    let first = ring(SigningAlg::Es256, 1, "a");
    assert_eq!(stores.keys.put_ring(&first).await.expect("an answer"), Change::Done);
    // Each on top of the one before.
    for damage in damages {
        raw.damage(&raw.tables.keys, &[("pk", "KEY"), ("sk", "ES256")], &damage).await;
        assert_corrupt(stores.keys.load().await, &damage);
    }
    assert_corrupt(stores.keys.put_ring(&first).await, &without("the ring"));
    let second = ring(SigningAlg::Es256, 2, "a");
    assert_corrupt(stores.keys.put_ring(&second).await, &without("the ring"));
}

pub async fn a_wrapped_key_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let key = WrappedKey("wrapped".to_owned());
    assert_eq!(stores.keys.put_wrapped_key(&key).await.expect("an answer"), Change::Done);
    for damage in [with("wrapped", number("1")), without("wrapped"), with("schema", number("3"))] {
        raw.damage(&raw.tables.keys, &[("pk", "KEY"), ("sk", "SEAL")], &damage).await;
        assert_corrupt(stores.keys.load().await, &damage);
        assert_corrupt(stores.keys.put_wrapped_key(&key).await, &damage);
    }
}

pub async fn a_counter_that_cannot_be_read_is_an_error(stores: &Stores, raw: &Raw) {
    let damages = [
        with("n", number("4294967295")),
        without("schema"),
        with("schema", number("0")),
        with("schema", number("3")),
    ];
    for (number, damage) in (1..).zip(damages) {
        let key = format!("FAILURES#{number}");
        assert_eq!(stores.failures.count_failure(&key, at(0)).await.expect("a count"), 1);
        raw.damage(&raw.tables.grants, &[("pk", &key)], &damage).await;
        assert_corrupt(stores.failures.count_failure(&key, at(0)).await, &damage);
    }
}

impl Raw {
    pub(super) async fn damage(&self, table: &str, key: &[(&str, &str)], damage: &Damage) {
        let mut update = self.dynamo.update_item().table_name(table);
        for (part, value) in key {
            update = update.key(*part, text(value));
        }
        update = update.expression_attribute_names("#name", damage.name);
        update = match &damage.value {
            Some(value) => update
                .update_expression("SET #name = :value")
                .expression_attribute_values(":value", value.clone()),
            None => update.update_expression("REMOVE #name"),
        };
        update.send().await.expect("a damage");
    }
}

pub(super) fn with(name: &'static str, value: AttributeValue) -> Damage {
    Damage { name, value: Some(value) }
}

pub(super) fn without(name: &'static str) -> Damage {
    Damage { name, value: None }
}

pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(super) fn number(number: &str) -> AttributeValue {
    AttributeValue::N(number.to_owned())
}

pub(super) fn map<const N: usize>(members: [(&str, AttributeValue); N]) -> AttributeValue {
    AttributeValue::M(members.map(|(name, value)| (name.to_owned(), value)).into())
}

#[expect(clippy::needless_pass_by_value, reason = "a store's answer is used up here")]
pub(super) fn assert_corrupt<T: std::fmt::Debug>(found: Result<T, StoreError>, damage: &Damage) {
    assert!(matches!(found, Err(StoreError::Corrupt(_))), "{damage:?} gives {found:?}");
}
