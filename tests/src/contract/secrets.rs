//! The uses of secrets, and [`ApiKeyStore`](identety_domain::store::ApiKeyStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::Timestamp;
use identety_domain::client::{Client, StoredSecret};
use identety_domain::store::{Change, Rehashed};
use uuid::Uuid;

use super::Stores;
use super::fixtures::{
    at, created, deleted, find, find_by_id, full_client, m2m_client, phc, secret,
};

pub async fn the_use_of_a_secret_is_recorded_and_changes_no_version(stores: &Stores) {
    let mut client = created(stores, full_client(9)).await;
    let [older, newer] = client.secrets.clone().try_into().expect("two secrets");
    let (first, second) = (at(70_000), at(80_000));
    for (id, at) in [(older.id, first), (newer.id, first), (newer.id, second)] {
        record(stores, &client, id, at, None).await;
    }
    client.secrets = vec![
        StoredSecret { last_used_at: Some(first), ..older },
        StoredSecret { last_used_at: Some(second), ..newer },
    ];
    assert_eq!(find(stores, &client).await.as_ref(), Some(&client));
}

pub async fn an_earlier_use_does_not_replace_a_later_one(stores: &Stores) {
    let client = created(stores, m2m_client(1)).await;
    for at in [at(500), at(499)] {
        record(stores, &client, secret(1).id, at, None).await;
    }
    assert_eq!(only_secret(stores, &client).await.last_used_at, Some(at(500)));
}

pub async fn the_use_of_a_secret_that_is_gone_creates_nothing(stores: &Stores) {
    let client = created(stores, m2m_client(1)).await;
    record(stores, &client, secret(2).id, at(500), None).await;
    assert_eq!(find(stores, &client).await.as_ref(), Some(&client));
}

pub async fn the_use_of_a_secret_of_a_client_that_is_gone_creates_nothing(stores: &Stores) {
    let client = created(stores, m2m_client(1)).await;
    deleted(stores, &client).await;
    record(stores, &client, secret(1).id, at(500), None).await;
    assert_eq!(find(stores, &client).await, None);
    assert_eq!(find_by_id(stores, &client).await, None);
    created(stores, client).await;
}

pub async fn a_new_hash_replaces_the_old_one(stores: &Stores) {
    let client = created(stores, m2m_client(1)).await;
    let (from, to) = (secret(1).phc, phc("new"));
    let rehashed = Some(Rehashed { from: &from, to: &to });
    record(stores, &client, secret(1).id, at(500), rehashed).await;
    let rehashed = StoredSecret { phc: to, last_used_at: Some(at(500)), ..secret(1) };
    let expected = Client { secrets: vec![rehashed], ..client.clone() };
    assert_eq!(find(stores, &client).await, Some(expected));
}

pub async fn a_new_hash_is_dropped_where_another_one_is_stored(stores: &Stores) {
    let client = created(stores, m2m_client(1)).await;
    let (from, to) = (phc("another"), phc("new"));
    let rehashed = Some(Rehashed { from: &from, to: &to });
    record(stores, &client, secret(1).id, at(500), rehashed).await;
    let used = StoredSecret { last_used_at: Some(at(500)), ..secret(1) };
    assert_eq!(only_secret(stores, &client).await, used);
}

pub async fn a_new_hash_is_kept_though_a_later_use_is_on_record(stores: &Stores) {
    let client = created(stores, m2m_client(1)).await;
    let (from, to) = (secret(1).phc, phc("new"));
    record(stores, &client, secret(1).id, at(500), None).await;
    let rehashed = Some(Rehashed { from: &from, to: &to });
    record(stores, &client, secret(1).id, at(499), rehashed).await;
    let rehashed = StoredSecret { phc: to, last_used_at: Some(at(500)), ..secret(1) };
    assert_eq!(only_secret(stores, &client).await, rehashed);
}

pub async fn a_new_hash_of_a_secret_that_is_gone_creates_nothing(stores: &Stores) {
    let client = created(stores, m2m_client(1)).await;
    let (from, to) = (secret(1).phc, phc("new"));
    let rehashed = Some(Rehashed { from: &from, to: &to });
    record(stores, &client, secret(2).id, at(500), rehashed).await;
    record(stores, &m2m_client(2), secret(2).id, at(500), rehashed).await;
    assert_eq!(find(stores, &client).await.as_ref(), Some(&client));
    assert_eq!(find(stores, &m2m_client(2)).await, None);
}

pub async fn at_first_there_is_no_api_key(stores: &Stores) {
    created(stores, m2m_client(1)).await;
    assert_eq!(stores.api_keys.api_key().await.expect("a reading"), None);
}

pub async fn the_api_key_takes_the_place_of_any_other(stores: &Stores) {
    for key in [phc("first"), phc("second")] {
        stores.api_keys.set_api_key(&key).await.expect("a writing");
        assert_eq!(stores.api_keys.api_key().await.expect("a reading"), Some(key));
    }
}

pub async fn a_first_api_key_takes_the_place_of_none(stores: &Stores) {
    let create = async |key: &str| stores.api_keys.create_api_key(&phc(key)).await;
    assert_eq!(create("first").await.expect("a writing"), Change::Done);
    assert_eq!(create("second").await.expect("a writing"), Change::Conflict);
    assert_eq!(stores.api_keys.api_key().await.expect("a reading"), Some(phc("first")));
    stores.api_keys.set_api_key(&phc("third")).await.expect("a writing");
    assert_eq!(create("fourth").await.expect("a writing"), Change::Conflict);
    assert_eq!(stores.api_keys.api_key().await.expect("a reading"), Some(phc("third")));
}

async fn record(
    stores: &Stores,
    client: &Client,
    secret: Uuid,
    at: Timestamp,
    rehashed: Option<Rehashed<'_>>,
) {
    let recorded = stores.clients.record_secret_use(&client.client_id, secret, at, rehashed).await;
    recorded.expect("a record");
}

async fn only_secret(stores: &Stores, client: &Client) -> StoredSecret {
    let [secret] = find(stores, client).await.expect("a client").secrets.try_into().expect("one");
    secret
}
