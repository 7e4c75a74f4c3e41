//! The public keys of a process that does not sign.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use identety_domain::keys::{Judgement, REREAD_EVERY, Verifier};
use identety_domain::store::{KeyStore, StoreError};
use identety_domain::{Seconds, Timestamp};
use tokio::sync::Mutex;

use crate::public_keys::PublicKeys;
use crate::schedule::Schedule;

/// How soon an unknown `kid` makes the store be read again: strangers can make up as many as they like.
const REREAD_FOR_UNKNOWN: Seconds = 5;

/// After a failure the store is left alone for so long, however many unknown `kid`s come.
const LEFT_ALONE: Duration = Duration::from_secs(1);

/// The public keys, read from the store. They are read again every five minutes, so that a revoked key
/// is forgotten; and when a token names a key that is not among them, so that a new one is known at once.
pub struct PublishedKeys {
    store: Arc<dyn KeyStore>,
    known: RwLock<Arc<PublicKeys>>,
    /// Held while the store is read: what was read earlier must not replace what was read later. It holds
    /// when the last read failed, if it did.
    reading: Mutex<Option<Timestamp>>,
    schedule: Schedule,
    for_unknown: Schedule,
}

impl PublishedKeys {
    /// Knows no keys yet.
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>) -> Self {
        Self {
            store,
            known: RwLock::default(),
            reading: Mutex::default(),
            schedule: Schedule::every(REREAD_EVERY),
            for_unknown: Schedule::every(REREAD_FOR_UNKNOWN),
        }
    }

    /// Reads the keys before the first request comes, so that it does not wait for that, nor for the
    /// connection to the store. A failure is left to the requests, which read again.
    pub async fn warm_up(&self, now: Timestamp) {
        if let Err(error) = self.read(now).await {
            tracing::error!(%error, "the keys could not be read");
        }
    }

    /// Reads the keys from the store.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut failed_at = self.reading.lock().await;
        self.read_alone(&mut failed_at, now).await
    }

    async fn read_alone(
        &self,
        failed_at: &mut Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        *failed_at = Some(now);
        let keys = PublicKeys::of(&self.store.load().await?.rings);
        *failed_at = None;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        self.schedule.done(now);
        Ok(())
    }

    /// Makes the key that signed `jws` known, if it is published, and forgets what is not published any
    /// more.
    ///
    /// # Errors
    /// When the key is not known and the store fails. With a known key, a store that fails is no reason to
    /// refuse.
    async fn catch_up(&self, jws: &str, now: Timestamp) -> Result<(), StoreError> {
        if self.knows_the_key_of(jws) {
            if self.schedule.claim(now)
                && let Err(error) = self.read(now).await
            {
                tracing::warn!(%error, "the keys could not be read again; those at hand go on");
            }
            return Ok(());
        }
        let mut failed_at = self.reading.lock().await;
        // Perhaps somebody has read it meanwhile.
        if self.knows_the_key_of(jws) {
            return Ok(());
        }
        // After a failure nobody can say that the key is not published.
        match *failed_at {
            Some(at) if now.since(at) < LEFT_ALONE => {
                Err(StoreError::Unavailable("the keys could not be read a moment ago".into()))
            }
            Some(_) => self.read_alone(&mut failed_at, now).await,
            None if self.for_unknown.claim(now) => self.read_alone(&mut failed_at, now).await,
            None => Ok(()),
        }
    }

    fn knows_the_key_of(&self, jws: &str) -> bool {
        self.known().know_the_key_of(jws)
    }

    fn known(&self) -> Arc<PublicKeys> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Verifier for PublishedKeys {
    async fn verify(&self, typ: &str, jws: &str, now: Timestamp) -> Result<Judgement, StoreError> {
        self.catch_up(jws, now).await?;
        Ok(self.known().judge(typ, jws))
    }
}
