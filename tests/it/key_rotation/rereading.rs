//! Running processes follow the keys, and nobody waits for it or fails of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use identety_domain::Timestamp;
use identety_domain::client::SigningAlg;
use identety_domain::keys::{KeyRing, KeyState, Signer as _, WrappedKey};
use identety_domain::store::{Change, KeyStore, StoreError, StoredKeys};
use identety_dynamodb::{Embedded, KeyTable, Tables, create_tables};
use identety_http::ambient;
use identety_keys::{DataKey, DataKeyError, DataKeys, KeyVault, OpenedKeys, Rotator, Sealing};
use identety_tests::app::unverified;
use zeroize::Zeroizing;

use crate::faults::verbs::{How, Verb, faulty_app};

const ALG: SigningAlg = SigningAlg::Es256;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(1_900_000_000 + seconds)
}

/// A table of keys that counts its readers, and may seem empty.
struct Table {
    keys: KeyTable,
    reads: AtomicUsize,
    is_empty: AtomicBool,
}

impl Table {
    async fn new() -> Arc<Self> {
        let dynamo = Embedded::in_memory().unwrap().client();
        let tables = Tables::with_prefix("");
        create_tables(&dynamo, &tables).await.unwrap();
        let keys = KeyTable::new(dynamo, tables.keys);
        Arc::new(Self { keys, reads: AtomicUsize::new(0), is_empty: AtomicBool::new(false) })
    }
}

#[async_trait]
impl KeyStore for Table {
    async fn load(&self) -> Result<StoredKeys, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.is_empty.load(Ordering::SeqCst) {
            return Ok(StoredKeys::default());
        }
        self.keys.load().await
    }

    async fn put_ring(&self, ring: &KeyRing) -> Result<Change, StoreError> {
        self.keys.put_ring(ring).await
    }

    async fn put_wrapped_key(&self, key: &WrappedKey) -> Result<Change, StoreError> {
        self.keys.put_wrapped_key(key).await
    }
}

/// A key management service that counts its calls.
#[derive(Default)]
struct Service(AtomicUsize);

#[async_trait]
impl DataKeys for Service {
    async fn generate(&self) -> Result<(DataKey, WrappedKey), DataKeyError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok((Zeroizing::new([5; 32]), WrappedKey("wrapped".into())))
    }

    async fn unwrap(&self, _: &WrappedKey) -> Result<DataKey, DataKeyError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Zeroizing::new([5; 32]))
    }
}

async fn opened(vault: &KeyVault, now: Timestamp) -> Arc<OpenedKeys> {
    vault.opened(now, &mut ambient::rng().unwrap()).await.unwrap()
}

fn signing(keys: &OpenedKeys) -> String {
    let token = keys.sign(ALG, "at+jwt", b"{}").unwrap();
    unverified(&token).0["kid"].as_str().unwrap().to_owned()
}

async fn force(rotator: &Rotator, now: Timestamp) -> String {
    let mut rng = ambient::rng().unwrap();
    rotator.rotate(Some(ALG), true, now, &mut rng).await.unwrap()[0].to.clone()
}

#[tokio::test]
async fn keys_are_read_again_every_five_minutes_and_the_service_is_not_asked_again() {
    let (table, service) = (Table::new().await, Arc::new(Service::default()));
    let vault = KeyVault::new(table.clone(), Sealing::Managed(service.clone()));
    let first = opened(&vault, at(0)).await;
    let reads = table.reads.load(Ordering::SeqCst);
    let rotator = Rotator::new(table.clone(), Sealing::Managed(Arc::new(Service::default())));
    let to = force(&rotator, at(1)).await;
    let own = table.reads.load(Ordering::SeqCst);
    assert!(Arc::ptr_eq(&first, &opened(&vault, at(299)).await));
    assert_eq!(table.reads.load(Ordering::SeqCst), own, "nobody reads for five minutes");
    let second = opened(&vault, at(300)).await;
    assert_eq!(signing(&second), to);
    assert_ne!(signing(&first), to);
    // Nothing has changed since: it is the same set.
    assert!(Arc::ptr_eq(&second, &opened(&vault, at(600)).await));
    assert_eq!(table.reads.load(Ordering::SeqCst), own + 2);
    assert_eq!((reads, service.0.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn a_clock_that_is_set_back_or_jumps_ahead_does_not_end_the_reading() {
    let table = Table::new().await;
    let sealing = || Sealing::Local(Zeroizing::new([1; 32]));
    let (vault, rotator) =
        (KeyVault::new(table.clone(), sealing()), Rotator::new(table, sealing()));
    opened(&vault, at(1_000_000)).await;
    for now in [at(0), at(2), at(301), at(5_000_000), at(400_000), Timestamp::from_seconds(0)] {
        let to = force(&rotator, now).await;
        // Five minutes, and the one by which a clock may be set back unheeded.
        let soon = now.plus(360);
        opened(&vault, now).await;
        assert_eq!(signing(&*opened(&vault, soon).await), to, "{now}");
    }
}

#[tokio::test]
async fn while_the_keys_cannot_be_read_those_at_hand_go_on_and_half_a_minute_later_it_is_tried_again()
 {
    let (app, fault) = faulty_app().await;
    let client = app.m2m_client(&["read"]).await;
    app.access_token(&client, &[]).await;
    let rings = app.rotator().rings().await.unwrap();
    let ring = rings.iter().find(|ring| ring.alg == ALG).unwrap();
    let old = ring.in_state(KeyState::Current).unwrap().kid.clone();
    let revoked =
        app.rotator().revoke(&old, app.now(), &mut ambient::rng().unwrap()).await.unwrap();
    let kid = async || {
        let token = app.access_token(&client, &[]).await;
        unverified(&token).0["kid"].as_str().unwrap().to_owned()
    };
    app.advance(301);
    for how in [How::Unavailable, How::Corrupt] {
        fault.set((Verb::LoadKeys, how));
        assert_eq!(kid().await, old);
        app.advance(30);
    }
    fault.clear();
    assert_eq!(kid().await, revoked.current);
}

#[tokio::test]
async fn keys_that_are_gone_from_the_table_are_not_made_anew_by_a_process_that_has_them() {
    let table = Table::new().await;
    let vault = KeyVault::new(table.clone(), Sealing::Local(Zeroizing::new([1; 32])));
    let first = opened(&vault, at(0)).await;
    table.is_empty.store(true, Ordering::SeqCst);
    assert_eq!(signing(&*opened(&vault, at(300)).await), signing(&first));
    table.is_empty.store(false, Ordering::SeqCst);
    let rings = table.keys.load().await.unwrap().rings;
    assert!(rings.iter().all(|ring| ring.version == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_many_requests_at_once_one_reads_the_keys_again() {
    let table = Table::new().await;
    let vault = Arc::new(KeyVault::new(table.clone(), Sealing::Local(Zeroizing::new([1; 32]))));
    let at_once = async |now| {
        let all: Vec<_> = (0..50)
            .map(|_| {
                let vault = vault.clone();
                tokio::spawn(async move { opened(&vault, now).await })
            })
            .collect();
        for one in all {
            one.await.unwrap();
        }
        table.reads.swap(0, Ordering::SeqCst)
    };
    assert_eq!(at_once(at(0)).await, 1);
    for round in 1..20 {
        assert_eq!(at_once(at(300 * round)).await, 1);
    }
}
