//! The signing keys that test servers start with.
//!
//! Two RSA and two EC key pairs cost a server more than most tests do, and a test of anything but the making
//! of keys learns nothing from new ones. So a process of tests makes one ring of each algorithm, once, and
//! each [`TestApp`](crate::app::TestApp) stores copies of them. A copy belongs to its server alone: a rotation
//! or a revocation changes it in that server's store, and no other server sees the change.
//!
//! A token of one such server therefore has a right signature at the next one too. A test that needs two
//! deployments with different keys, or a server without keys, says so: [`Keys::OwnAtFirstNeed`].

use identety_domain::Timestamp;
use identety_domain::keys::KeyRing;
use identety_domain::store::{Change, KeyStore as _};
use identety_dynamodb::{Embedded, KeyTable, create_tables};
use identety_http::ambient;
use identety_keys::KeyVault;
use tokio::sync::OnceCell;

use crate::app::{sealing, tables};

/// Where the signing keys of a server come from.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Keys {
    /// The store holds copies of the rings of this process of tests.
    #[default]
    Copies,
    /// The store holds no keys. The server makes its own when it first needs them, as a new deployment does.
    OwnAtFirstNeed,
}

/// Stores copies of the rings, as if the server had made them `now`.
pub(crate) async fn store(embedded: &Embedded, now: Timestamp) {
    static RINGS: OnceCell<Vec<KeyRing>> = OnceCell::const_new();
    let table = KeyTable::new(embedded.client(), tables().keys);
    for ring in RINGS.get_or_init(make).await {
        let mut copy = ring.clone();
        for key in &mut copy.keys {
            key.since = now;
        }
        let change = table.put_ring(&copy).await.expect("a store of keys");
        assert_eq!(change, Change::Done, "a new store has no keys");
    }
}

/// Makes the rings as a server does, in a store that is needed for nothing else.
async fn make() -> Vec<KeyRing> {
    let embedded = Embedded::in_memory().expect("an embedded store");
    let client = embedded.client();
    create_tables(&client, &tables()).await.expect("tables");
    let table = std::sync::Arc::new(KeyTable::new(client, tables().keys));
    let vault = KeyVault::new(table.clone(), sealing());
    let mut rng = ambient::rng().expect("randomness");
    vault.opened(ambient::now(), &mut rng).await.expect("keys");
    table.load().await.expect("the rings").rings
}
