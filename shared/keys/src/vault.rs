//! The signing keys of this process: made when a deployment has none, opened once, and followed through
//! rotations.

use std::sync::{Arc, PoisonError, RwLock};

use identety_domain::Timestamp;
use identety_domain::client::SigningAlg;
use identety_domain::keys::{KeyRing, REREAD_EVERY};
use identety_domain::store::{Change, KeyStore, StoredKeys};
use rand_core::CryptoRng;
use tokio::sync::Mutex;

use crate::error::KeysError;
use crate::opened::{OpenedKeys, open_current};
use crate::refresh_key;
use crate::schedule::Schedule;
use crate::seal::{DataKey, Sealer, Sealing, new_key};

/// Opens the signing keys at the first need, keeps them, and reads the store again every five minutes.
pub struct KeyVault {
    store: Arc<dyn KeyStore>,
    sealing: Sealing,
    held: RwLock<Option<Held>>,
    /// Held by the one that reads the store.
    reading: Mutex<()>,
    schedule: Schedule,
}

/// What a process keeps: the sealer too, so that following a rotation asks no key management service.
#[derive(Clone)]
struct Held {
    keys: Arc<OpenedKeys>,
    sealer: Arc<Sealer>,
}

impl KeyVault {
    /// A vault over `store`. Nothing is read yet.
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>, sealing: Sealing) -> Self {
        let (held, reading) = (RwLock::default(), Mutex::default());
        Self { store, sealing, held, reading, schedule: Schedule::every(REREAD_EVERY) }
    }

    /// The opened keys, at most five minutes old. The first call reads the store, makes what is missing and
    /// opens it; when that fails, the next call tries again. Once there are keys, no call fails: while one
    /// call reads them again, or when that fails, the keys at hand go on.
    ///
    /// # Errors
    /// When the store or the key management service fails, or a key does not open.
    pub async fn opened(
        &self,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Arc<OpenedKeys>, KeysError> {
        match self.held() {
            Some(held) if self.schedule.is_due(now) => Ok(self.followed(held, now).await),
            Some(held) => Ok(held.keys),
            None => self.first(now, rng).await,
        }
    }

    /// The opened keys, while they need not be read again: what nearly every request finds.
    #[must_use]
    pub fn at_hand(&self, now: Timestamp) -> Option<Arc<OpenedKeys>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|_| !self.schedule.is_due(now)).map(|held| held.keys.clone())
    }

    fn held(&self) -> Option<Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, held: Held, now: Timestamp) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
        self.schedule.done(now);
    }

    async fn first(
        &self,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Arc<OpenedKeys>, KeysError> {
        let _reading = self.reading.lock().await;
        if let Some(held) = self.held() {
            return Ok(held.keys);
        }
        let held = self.open(now, rng).await?;
        self.hold(held.clone(), now);
        Ok(held.keys)
    }

    /// The keys as the store has them now; those at hand when somebody else is reading or the store fails.
    async fn followed(&self, held: Held, now: Timestamp) -> Arc<OpenedKeys> {
        let Ok(_reading) = self.reading.try_lock() else { return held.keys };
        if !self.schedule.claim(now) {
            return self.held().unwrap_or(held).keys;
        }
        match self.read_again(&held).await {
            Ok(keys) => {
                self.hold(Held { keys: keys.clone(), ..held }, now);
                keys
            }
            Err(error) => {
                tracing::warn!(%error, "the keys could not be read again; those at hand go on");
                held.keys
            }
        }
    }

    async fn read_again(&self, held: &Held) -> Result<Arc<OpenedKeys>, KeysError> {
        let Held { keys: old, sealer } = held;
        let mut rings = self.store.load().await?.rings;
        rings.sort_by_key(|ring| ring.alg);
        if rings == old.rings {
            return Ok(old.clone());
        }
        // A table that is being restored has no keys for a while. That is no reason to stop signing.
        if old.rings.iter().any(|old| rings.iter().all(|ring| ring.alg != old.alg)) {
            return Err(KeysError::Gone);
        }
        let current = open_current(&rings, sealer, &old.current)?;
        Ok(Arc::new(OpenedKeys::new(rings, current, old.refresh_key().clone())))
    }

    async fn open(
        &self,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Held, KeysError> {
        let mut stored = self.store.load().await?;
        let data_key = self.data_key(&mut stored).await?;
        let sealer = Sealer::new(&data_key)?;
        // Where the sealing key is not the one that sealed these, nothing may be written with it.
        let open = open_current(&stored.rings, &sealer, &[])?;
        for alg in SigningAlg::ALL {
            if stored.rings.iter().any(|ring| ring.alg == alg) {
                continue;
            }
            let current = new_key(alg, &sealer, &stored.rings, rng)?;
            let next = new_key(alg, &sealer, &stored.rings, rng)?;
            let ring = KeyRing::first(alg, current, next, now);
            match self.store.put_ring(&ring).await? {
                Change::Done => stored.rings.push(ring),
                // Another process was faster; its keys are the ones.
                Change::Conflict => stored.rings = self.store.load().await?.rings,
            }
        }
        stored.rings.sort_by_key(|ring| ring.alg);
        let refresh_key = refresh_key::derive(&data_key)?;
        let current = open_current(&stored.rings, &sealer, &open)?;
        let keys = Arc::new(OpenedKeys::new(stored.rings, current, refresh_key));
        Ok(Held { keys, sealer: Arc::new(sealer) })
    }

    /// The key that seals, or a new one where nothing is sealed yet; of two processes that make one, one
    /// stores it.
    async fn data_key(&self, stored: &mut StoredKeys) -> Result<DataKey, KeysError> {
        if let Some(key) = self.sealing.data_key(stored).await? {
            return Ok(key);
        }
        let Some((key, wrapped)) = self.sealing.generate().await? else {
            return Err(KeysError::SealMissing);
        };
        match self.store.put_wrapped_key(&wrapped).await? {
            Change::Done => Ok(key),
            Change::Conflict => {
                *stored = self.store.load().await?;
                self.sealing.data_key(stored).await?.ok_or(KeysError::SealMissing)
            }
        }
    }
}
