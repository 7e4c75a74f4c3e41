//! What other processes of a deployment do beside the server, on the same data: they move the signing keys
//! on, follow them sooner than the server does, and look at what is stored.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use identety::app::App;
use identety_domain::client::SigningAlg;
use identety_domain::grant::{Grant, GrantId};
use identety_domain::hashing::SecretHasher;
use identety_domain::keys::{KeyRing, REREAD_EVERY, RotationPeriod, SigningKey};
use identety_domain::store::Change;
use identety_domain::store::Stores;
use identety_domain::{Choices, Services};
use identety_domain::{Issuer, Settings, Timestamp};
use identety_dynamodb::{Embedded, Tables};
use identety_http::ambient;
use identety_keys::{Rotator, Sealing, Step};
use identety_tests::app::unverified;
use identety_tests::call::Server;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::machines;

/// The fewest days that a key may sign, so that it has to give way soon.
pub(crate) const PERIOD_DAYS: u32 = RotationPeriod::MIN_DAYS;
/// In this time everything that a rotation waits for is over.
const THREE_DAYS: u64 = 3 * 86_400;

/// The data of a server, opened a second time. Not to be kept while the server is killed: what it left is for
/// its next life to put in order.
pub(crate) struct Beside {
    stores: Stores,
    sealing: Sealing,
}

impl Beside {
    pub(crate) fn open(data: &Path) -> Self {
        let embedded = Embedded::open(&data.join("identety.db")).expect("the data");
        let stores =
            identety_dynamodb::stores(&embedded.client(), &Tables::with_prefix("identety-"));
        let digits = fs::read_to_string(data.join("seal.key")).expect("the sealing key");
        let mut key = Zeroizing::new([0; 32]);
        for (byte, pair) in key.iter_mut().zip(digits.trim().as_bytes().chunks(2)) {
            let pair = str::from_utf8(pair).expect("digits");
            *byte = u8::from_str_radix(pair, 16).expect("digits");
        }
        Self { stores, sealing: Sealing::Local(key) }
    }

    fn rotator(&self) -> Rotator {
        Rotator::new(self.stores.keys.clone(), self.sealing.clone())
    }

    /// The keys that sign, by algorithm, for whoever reads the store now.
    pub(crate) async fn current(&self) -> Vec<String> {
        let rings = self.rotator().rings().await.expect("the keys");
        rings.iter().map(|ring| ring.current().expect("a key").kid.clone()).collect()
    }

    /// The one of them that signs with ES256.
    pub(crate) async fn current_es256(&self) -> String {
        let rings = self.rotator().rings().await.expect("the keys");
        let ring = rings.iter().find(|ring| ring.alg == SigningAlg::Es256).expect("a ring");
        ring.current().expect("a key").kid.clone()
    }

    /// Makes the keys as old as if three days had passed: a timer has to move them on.
    pub(crate) async fn age_keys(&self) {
        let earlier = |key: &SigningKey| {
            let since = Timestamp::from_millis(key.since.millis() - THREE_DAYS * 1000);
            SigningKey { since, ..key.clone() }
        };
        for ring in self.rotator().rings().await.expect("the keys") {
            let keys = ring.keys.iter().map(earlier).collect();
            let aged = KeyRing { alg: ring.alg, version: ring.version + 1, keys };
            let put = self.stores.keys.put_ring(&aged).await.expect("a write");
            assert_eq!(put, Change::Done);
        }
    }

    /// Moves the keys on as a timer does, which must find it due.
    pub(crate) async fn step(&self) {
        let period = RotationPeriod::days(PERIOD_DAYS).expect("a period");
        let mut rng = ambient::rng().expect("randomness");
        let report = self.rotator().step(period, ambient::now(), &mut rng).await.expect("a report");
        for ring in &report.rings {
            assert!(matches!(ring.step, Ok(Step::Rotated(_))), "{report}");
        }
    }

    /// Moves the keys on as a person does in an emergency.
    pub(crate) async fn force(&self) {
        let mut rng = ambient::rng().expect("randomness");
        self.rotator().rotate(None, true, ambient::now(), &mut rng).await.expect("a rotation");
    }

    /// What is stored of the grant that a refresh token is of.
    pub(crate) async fn grant(&self, token: &str) -> Grant {
        let id = token.split('.').next().and_then(GrantId::parse).expect("a grant's id");
        self.stores.grants.find_grant(&id).await.expect("a read").expect("a grant")
    }

    /// Starts another process that serves the same data.
    pub(crate) fn follow(self, shared: &crate::Shared) -> Follower {
        let issuer = Issuer::parse(&shared.issuer).expect("an issuer");
        let default_audience = issuer.as_str().into();
        let settings = Settings { issuer, default_audience };
        let hasher = SecretHasher::new(&mut ambient::rng().expect("randomness"));
        let ahead = Arc::new(AtomicU32::new(0));
        let clock = {
            let ahead = ahead.clone();
            Arc::new(move || ambient::now().plus(ahead.load(SeqCst)))
        };
        let Self { stores, sealing } = self;
        let choices = Choices::default();
        let services = Services::new(settings, stores.clone(), Arc::new(hasher), choices);
        let app = App::new(&services, sealing, clock);
        let server = Server::Router(app.expect("an app").into_router());
        let is_over = Arc::default();
        let work = tokio::spawn(work(shared.clone(), server, Arc::clone(&is_over)));
        Follower { ahead, is_over, work }
    }
}

/// A process that serves the same data as the server, and whose clock can be put forward, so that it reads the
/// keys again when the server does not yet.
pub(crate) struct Follower {
    ahead: Arc<AtomicU32>,
    is_over: Arc<AtomicBool>,
    work: JoinHandle<BTreeSet<String>>,
}

impl Follower {
    /// Lets it read the keys again now.
    pub(crate) fn read_again(&self) {
        self.ahead.fetch_add(REREAD_EVERY + 1, SeqCst);
    }

    /// Ends it, and tells which keys its tokens were signed with.
    pub(crate) async fn end(self) -> BTreeSet<String> {
        self.is_over.store(true, SeqCst);
        self.work.await.expect("a worker")
    }
}

/// Fetches tokens of that process, which everybody must take for the server's.
async fn work(shared: crate::Shared, server: Server, is_over: Arc<AtomicBool>) -> BTreeSet<String> {
    let mut kids = BTreeSet::new();
    let client = machines::create(&shared, "ES256").await.expect("a client");
    while !is_over.load(SeqCst) && !shared.is_over() {
        let call = server.post("/oauth2/token").basic(&client.client_id, &client.secret);
        let answer = call.form(&[("grant_type", "client_credentials")]).send().await;
        if answer.status == 200 {
            let token = answer.text("access_token");
            kids.insert(unverified(&token).0["kid"].as_str().expect("a kid").to_owned());
            let claims = shared.verify_any(&token).await;
            machines::check_claims(&shared, &client, claims.as_ref());
        } else {
            shared.report(format!("beside the server: {} {}", answer.status, answer.json()));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    kids
}
