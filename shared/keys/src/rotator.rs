//! Moving keys on: by a timer, or by a person in an emergency. Each change is one conditional write.

use std::fmt;
use std::sync::Arc;

use identety_domain::Timestamp;
use identety_domain::client::SigningAlg;
use identety_domain::keys::{Due, KeyRing, KeyState, Obstacle, RotationPeriod, SigningKey};
use identety_domain::store::{Change, KeyStore, StoreError, StoredKeys};
use rand_core::CryptoRng;
use serde::Serialize;

use crate::error::KeysError;
use crate::opened::open_pair;
use crate::seal::{Sealer, Sealing, new_key};

/// Moves the keys of a deployment on. It makes no first keys: the first process that signs does.
pub struct Rotator {
    store: Arc<dyn KeyStore>,
    sealing: Sealing,
}

/// What one step of a timer did.
#[derive(Debug)]
pub struct Report {
    /// One for each ring, by algorithm; empty where there are no keys yet.
    pub rings: Vec<RingReport>,
}

/// What one step did to one ring.
#[derive(Debug)]
pub struct RingReport {
    /// What its keys sign with.
    pub alg: SigningAlg,
    /// What was done, or why nothing could be.
    pub step: Result<Step, KeysError>,
    /// Since when the key signs that signs now.
    pub current_since: Timestamp,
}

/// What was done to a ring.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Nothing was due.
    Nothing,
    /// A previous key, which no token needs any more, is gone.
    Forgot {
        /// It.
        kid: String,
    },
    /// The next key signs.
    Rotated(Rotated),
}

/// A rotation.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Rotated {
    /// What the keys sign with.
    pub alg: SigningAlg,
    /// The key that signed before.
    pub from: String,
    /// The key that signs now.
    pub to: String,
    /// The key that will sign after that.
    pub next: String,
}

/// A revocation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Revoked {
    /// What the key signed with.
    pub alg: SigningAlg,
    /// What the key was.
    pub was: KeyState,
    /// The key that signs now.
    pub current: String,
    /// The key that will sign after that.
    pub next: String,
    /// What verifiers will notice for a while.
    pub obstacle: Option<Obstacle>,
}

/// Why a person's change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There are no keys, or none of that algorithm.
    #[error("there are no keys yet: the server makes them at its first start")]
    NoKeys,
    /// No key has that name.
    #[error("there is no key {0}")]
    UnknownKid(String),
    /// It would break the verification of tokens.
    #[error("{alg}: {obstacle}", alg = .0.as_str(), obstacle = .1)]
    Obstacle(SigningAlg, Obstacle),
    /// Somebody else changed the ring at the same moment.
    #[error("somebody else has just changed the keys of {}{}; look at them again", alg.as_str(), and_before(rotated))]
    Raced {
        /// Whose ring it is.
        alg: SigningAlg,
        /// What had been rotated before, and is not to be rotated again.
        rotated: Vec<Rotated>,
    },
    /// The keys cannot be worked with.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

impl Report {
    /// How old the oldest key is that signs, in whole days; `None` where there are no keys.
    #[must_use]
    pub fn key_age_days(&self, now: Timestamp) -> Option<u64> {
        let oldest = self.rings.iter().map(|ring| ring.current_since).min()?;
        Some(now.since(oldest).as_secs() / 86_400)
    }

    /// Writes down in one line what was done.
    pub fn log(&self, now: Timestamp) {
        let age = self.key_age_days(now);
        if self.failure().is_none() {
            tracing::info!(keys = %self, age_days = age, "signing keys");
        } else {
            tracing::error!(keys = %self, age_days = age, "signing keys");
        }
    }

    /// Whether a ring was changed, or should have been.
    #[must_use]
    pub fn is_eventful(&self) -> bool {
        self.rings.iter().any(|ring| !matches!(ring.step, Ok(Step::Nothing)))
    }

    /// What went wrong, if anything did.
    #[must_use]
    pub fn failure(&self) -> Option<&KeysError> {
        self.rings.iter().find_map(|ring| ring.step.as_ref().err())
    }
}

impl fmt::Display for Report {
    /// One line: `RS256 nothing due; ES256 rotated from a to b`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rings.is_empty() {
            return f.write_str("no keys yet");
        }
        for (number, RingReport { alg, step, .. }) in self.rings.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{} ", alg.as_str())?;
            match step {
                Ok(Step::Nothing) => f.write_str("nothing due")?,
                Ok(Step::Forgot { kid }) => write!(f, "forgot {kid}")?,
                Ok(Step::Rotated(Rotated { from, to, .. })) => {
                    write!(f, "rotated from {from} to {to}")?;
                }
                Err(error) => write!(f, "failed: {error}")?,
            }
        }
        Ok(())
    }
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        Self::Keys(error.into())
    }
}

/// How often a change is decided anew after another one came first. Each time somebody else has got on.
const ATTEMPTS: usize = 5;

/// Randomness, from the caller.
type Rng<'a> = &'a mut (dyn CryptoRng + Send);

impl Rotator {
    /// Over `store`, with the keys sealed by `sealing`.
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>, sealing: Sealing) -> Self {
        Self { store, sealing }
    }

    /// The rings, by algorithm. Nothing is opened.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rings(&self) -> Result<Vec<KeyRing>, StoreError> {
        Ok(self.load().await?.rings)
    }

    /// Does what is due now where keys sign for `period`. Of many that do so at the same time, one changes
    /// a ring, and the others find nothing to do. What fails for one ring does not hinder the other.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn step(
        &self,
        period: RotationPeriod,
        now: Timestamp,
        rng: Rng<'_>,
    ) -> Result<Report, KeysError> {
        let mut rings = Vec::new();
        for ring in self.load().await?.rings {
            let mut current_since = ring.current().map_or(now, |current| current.since);
            let step = self.step_ring(ring.alg, period, now, rng).await;
            if matches!(step, Ok(Step::Rotated(_))) {
                current_since = now;
            }
            rings.push(RingReport { alg: ring.alg, step, current_since });
        }
        Ok(Report { rings })
    }

    async fn step_ring(
        &self,
        alg: SigningAlg,
        period: RotationPeriod,
        now: Timestamp,
        rng: Rng<'_>,
    ) -> Result<Step, KeysError> {
        for _ in 0..ATTEMPTS {
            let stored = self.load().await?;
            let found = stored.rings.iter().find(|ring| ring.alg == alg);
            let Some(ring) = found else { return Ok(Step::Nothing) };
            let (after, step) = match ring.due(now, period) {
                Due::Nothing => return Ok(Step::Nothing),
                Due::Forget => {
                    let kid = kid_of(ring, KeyState::Previous);
                    (ring.without_previous(), Step::Forgot { kid })
                }
                Due::Rotate => {
                    let (after, rotated) = self.rotated(&stored, ring, now, rng).await?;
                    (after, Step::Rotated(rotated))
                }
            };
            match self.store.put_ring(&after).await? {
                Change::Done => return Ok(step),
                Change::Conflict => {}
            }
        }
        Err(changes_all_the_time())
    }

    /// Lets the next key sign at once, for all algorithms or one. Unless it is forced, it is refused where
    /// it would break the verification of tokens.
    ///
    /// # Errors
    /// When it would break something and is not forced, and when a ring cannot be changed. An earlier ring
    /// is changed then.
    pub async fn rotate(
        &self,
        alg: Option<SigningAlg>,
        force: bool,
        now: Timestamp,
        rng: Rng<'_>,
    ) -> Result<Vec<Rotated>, ChangeError> {
        let stored = self.load().await?;
        let wanted = |ring: &&KeyRing| alg.is_none_or(|alg| ring.alg == alg);
        let rings: Vec<_> = stored.rings.iter().filter(wanted).collect();
        if rings.is_empty() {
            return Err(ChangeError::NoKeys);
        }
        let obstacle =
            rings.iter().find_map(|ring| Some((ring.alg, *ring.obstacles(now).first()?)));
        if let Some((alg, obstacle)) = obstacle.filter(|_| !force) {
            return Err(ChangeError::Obstacle(alg, obstacle));
        }
        let mut done = Vec::new();
        for ring in rings {
            let (after, rotated) = self.rotated(&stored, ring, now, rng).await?;
            // Not decided anew after a conflict: a forced rotation would be made twice.
            match self.store.put_ring(&after).await? {
                Change::Done => done.push(rotated),
                Change::Conflict => {
                    return Err(ChangeError::Raced { alg: ring.alg, rotated: done });
                }
            }
        }
        Ok(done)
    }

    /// Takes the key `kid` away at once, whatever it signed. In the place of a current key signs the next.
    ///
    /// # Errors
    /// When there is no such key, or the ring cannot be changed.
    pub async fn revoke(
        &self,
        kid: &str,
        now: Timestamp,
        rng: Rng<'_>,
    ) -> Result<Revoked, ChangeError> {
        for _ in 0..ATTEMPTS {
            let stored = self.load().await?;
            let found = stored.rings.iter().find_map(|ring| Some((ring, ring.key(kid)?.state)));
            let Some((ring, was)) = found else {
                return Err(ChangeError::UnknownKid(kid.to_owned()));
            };
            let (after, obstacle) = match was {
                KeyState::Previous => (ring.without_previous(), None),
                KeyState::Next => {
                    let sealer = self.sealer_that_opens(&stored, ring, KeyState::Current).await?;
                    (ring.with_next(new_key(ring.alg, &sealer, &stored.rings, rng)?, now), None)
                }
                KeyState::Current => {
                    let sealer = self.sealer_that_opens(&stored, ring, KeyState::Next).await?;
                    let new = new_key(ring.alg, &sealer, &stored.rings, rng)?;
                    let young = ring.obstacles(now).into_iter().find(|obstacle| match obstacle {
                        Obstacle::NextIsYoung { .. } => true,
                        Obstacle::PreviousIsNeeded { .. } => false,
                    });
                    (ring.without_current(new, now), young)
                }
            };
            let (current, next) =
                (kid_of(&after, KeyState::Current), kid_of(&after, KeyState::Next));
            match self.store.put_ring(&after).await? {
                Change::Done => {
                    return Ok(Revoked { alg: ring.alg, was, current, next, obstacle });
                }
                Change::Conflict => {}
            }
        }
        Err(changes_all_the_time().into())
    }

    async fn load(&self) -> Result<StoredKeys, StoreError> {
        let mut stored = self.store.load().await?;
        stored.rings.sort_by_key(|ring| ring.alg);
        Ok(stored)
    }

    async fn rotated(
        &self,
        stored: &StoredKeys,
        ring: &KeyRing,
        now: Timestamp,
        rng: Rng<'_>,
    ) -> Result<(KeyRing, Rotated), KeysError> {
        let sealer = self.sealer_that_opens(stored, ring, KeyState::Next).await?;
        let after = ring.rotated(new_key(ring.alg, &sealer, &stored.rings, rng)?, now);
        let rotated = Rotated {
            alg: ring.alg,
            from: kid_of(ring, KeyState::Current),
            to: kid_of(&after, KeyState::Current),
            next: kid_of(&after, KeyState::Next),
        };
        Ok((after, rotated))
    }

    /// The sealer, when it opens the key in that state: a key that does not open must not become the one
    /// that signs, and nothing may be sealed by another key than the rest.
    async fn sealer_that_opens(
        &self,
        stored: &StoredKeys,
        ring: &KeyRing,
        state: KeyState,
    ) -> Result<Sealer, KeysError> {
        let data_key = self.sealing.data_key(stored).await?.ok_or(KeysError::SealMissing)?;
        let sealer = Sealer::new(&data_key)?;
        if let Some(key) = ring.in_state(state) {
            open_pair(ring.alg, key, &sealer)?;
        }
        Ok(sealer)
    }
}

fn kid_of(ring: &KeyRing, state: KeyState) -> String {
    ring.in_state(state).map(|key: &SigningKey| key.kid.clone()).unwrap_or_default()
}

/// What was rotated before a race was lost.
fn and_before(rotated: &[Rotated]) -> String {
    let names: Vec<_> = rotated.iter().map(|rotated| rotated.alg.as_str()).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(", after those of {} had been rotated", names.join(" and "))
}

/// Somebody else was faster each time.
fn changes_all_the_time() -> KeysError {
    KeysError::Store(StoreError::Unavailable("the keys change all the time".into()))
}
