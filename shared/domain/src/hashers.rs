//! Secrets at rest: argon2id PHC strings, whose cost follows the entropy of the secret.
//!
//! A warm process remembers which secret matched which PHC string, so that the next request pays
//! microseconds. The PHC string itself comes from the store each time, so a rotated or deleted secret
//! stops working at once.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::values::{Generations, HashCost, MacKey, PhcString, Secret, Timestamp};

/// Memory in KiB and passes; one lane.
const fn memory_and_passes(cost: HashCost) -> (u32, u32) {
    match cost {
        HashCost::Generated => (512, 1),
        HashCost::Chosen => (19 * 1024, 2),
    }
}

fn params(cost: HashCost) -> Result<Params, HashError> {
    let (memory, passes) = memory_and_passes(cost);
    Params::new(memory, passes, 1, Some(HASH_BYTES)).map_err(HashError::new)
}

const HASH_BYTES: usize = 32;
const ARGON2ID: &str = "argon2id";

/// A hash could not be made or read: a damaged PHC string, or a defect.
#[derive(Debug, thiserror::Error)]
#[error("a secret's hash could not be computed: {0}")]
pub struct HashError(String);

impl HashError {
    fn new(cause: impl fmt::Display) -> Self {
        Self(cause.to_string())
    }
}

/// What a comparison found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verification {
    /// Another secret.
    Mismatch,
    /// The secret, hashed at the cost that it should have.
    Match,
    /// The secret, hashed at another cost: hash it anew.
    MatchOutdated,
}

/// Hashes secrets, compares them, and remembers what matched.
///
/// The memory that argon2 works in is kept from call to call: fresh blocks each time make the
/// resident memory of a long-lived process grow.
pub struct SecretHasher {
    memory: Mutex<Vec<Memory>>,
    computations: AtomicU64,
    work: AtomicU64,
    matches: Mutex<Generations<Fingerprint, ()>>,
    /// What matches are remembered under.
    memo_key: MacKey,
}

type Memory = Vec<Block>;

/// How many pieces of work memory are kept for the next call.
const KEPT_MEMORY: usize = 8;

impl SecretHasher {
    /// A hasher that remembers nothing yet. Its key for remembering lives as long as the process.
    pub fn new(rng: &mut dyn CryptoRng) -> Self {
        let mut key = Zeroizing::new([0; 64]);
        rng.fill_bytes(key.as_mut());
        let memo_key = MacKey::new(key.as_ref());
        Self {
            memory: Mutex::default(),
            computations: AtomicU64::default(),
            work: AtomicU64::default(),
            matches: Mutex::new(Generations::of_size(REMEMBERED)),
            memo_key,
        }
    }

    /// The PHC string of `secret`, with a fresh salt.
    ///
    /// # Errors
    /// When argon2 refuses: never for secrets shorter than 4 GiB.
    pub fn hash(
        &self,
        secret: &Secret,
        cost: HashCost,
        rng: &mut dyn CryptoRng,
    ) -> Result<PhcString, HashError> {
        let params = params(cost)?;
        let mut salt = [0; Salt::RECOMMENDED_LENGTH];
        rng.fill_bytes(&mut salt);
        let salt = Salt::new(&salt).map_err(HashError::new)?;
        let output = self.argon2(secret, &salt, params.clone())?;
        let phc = PasswordHash {
            algorithm: Ident::new(ARGON2ID).map_err(HashError::new)?,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(HashError::new)?,
            salt: Some(salt),
            hash: Some(Output::new(output.as_ref()).map_err(HashError::new)?),
        };
        Ok(PhcString(phc.to_string()))
    }

    /// Compares `secret` with `phc`, in constant time for secrets of one length.
    ///
    /// # Errors
    /// When `phc` is no argon2id PHC string.
    pub fn verify(
        &self,
        secret: &Secret,
        phc: &PhcString,
        cost: HashCost,
    ) -> Result<Verification, HashError> {
        let parsed = PasswordHash::new(phc.as_str()).map_err(HashError::new)?;
        let (Some(salt), Some(expected)) = (parsed.salt, parsed.hash) else {
            return Err(HashError::new("salt or hash is missing"));
        };
        if parsed.algorithm.as_str() != ARGON2ID {
            return Err(HashError::new("the algorithm is not argon2id"));
        }
        let params = Params::try_from(&parsed).map_err(HashError::new)?;
        let (memory, passes) = memory_and_passes(cost);
        let current = params.m_cost() == memory && params.t_cost() == passes;

        let fingerprint = self.fingerprint(secret, phc);
        let is_remembered = lock(&self.matches).touch(&fingerprint).is_some();
        if !is_remembered {
            let actual = self.argon2(secret, &salt, params)?;
            if !bool::from(actual.ct_eq(expected.as_bytes())) {
                return Ok(Verification::Mismatch);
            }
            lock(&self.matches).insert(fingerprint, ());
        }
        Ok(if current { Verification::Match } else { Verification::MatchOutdated })
    }

    /// Whether `secret` is known to match `phc`, from a comparison that this hasher has made before.
    #[must_use]
    pub fn remembers(&self, secret: &Secret, phc: &PhcString) -> bool {
        let fingerprint = self.fingerprint(secret, phc);
        lock(&self.matches).touch(&fingerprint).is_some()
    }

    /// Spends the time of a comparison, for a client that does not exist.
    ///
    /// # Errors
    /// Those of [`SecretHasher::hash`].
    pub fn burn(&self, secret: &Secret, cost: HashCost) -> Result<(), HashError> {
        let salt = Salt::new(&[0; Salt::RECOMMENDED_LENGTH]).map_err(HashError::new)?;
        // Everything that a comparison does counts, the fingerprint too.
        let _ = self.fingerprint(secret, &PhcString(ARGON2ID.to_owned()));
        self.argon2(secret, &salt, params(cost)?)?;
        Ok(())
    }

    /// How many argon2 computations this hasher has made: all the work that it did not save.
    #[must_use]
    pub fn computations(&self) -> u64 {
        self.computations.load(Ordering::Relaxed)
    }

    /// What those computations cost, in KiB of memory times passes over it: what their time grows with.
    #[must_use]
    pub fn work(&self) -> u64 {
        self.work.load(Ordering::Relaxed)
    }

    fn argon2(
        &self,
        secret: &Secret,
        salt: &Salt,
        params: Params,
    ) -> Result<Zeroizing<[u8; HASH_BYTES]>, HashError> {
        self.computations.fetch_add(1, Ordering::Relaxed);
        let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
        self.work.fetch_add(work, Ordering::Relaxed);
        let mut memory = lock(&self.memory).pop().unwrap_or_default();
        if memory.len() < params.block_count() {
            memory.resize(params.block_count(), Block::default());
        }
        let mut output = Zeroizing::new([0; HASH_BYTES]);
        let hashed = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                secret.expose().as_bytes(),
                salt,
                output.as_mut(),
                memory.as_mut_slice(),
            );
        let mut kept = lock(&self.memory);
        if kept.len() < KEPT_MEMORY {
            kept.push(memory);
        }
        hashed.map_err(HashError::new)?;
        Ok(output)
    }

    /// What is remembered of a match: a keyed hash, from which neither secret nor PHC string follows.
    fn fingerprint(&self, secret: &Secret, phc: &PhcString) -> Fingerprint {
        self.memo_key.mac(phc.as_str(), secret.expose().as_bytes())
    }
}

impl fmt::Debug for SecretHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHasher")
    }
}

/// What new secrets, passwords and identifiers are made with.
pub struct SecretMaker<'a> {
    /// Hashes them.
    pub hasher: &'a SecretHasher,
    /// When they are made.
    pub now: Timestamp,
    /// Where their randomness comes from.
    pub rng: &'a mut (dyn CryptoRng + Send),
}

impl SecretMaker<'_> {
    /// The PHC string of `secret`.
    ///
    /// # Errors
    /// Those of [`SecretHasher::hash`].
    pub fn hash(&mut self, secret: &Secret, cost: HashCost) -> Result<PhcString, HashError> {
        self.hasher.hash(secret, cost, self.rng)
    }
}

impl fmt::Debug for SecretMaker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretMaker")
    }
}

type Fingerprint = [u8; 32];

/// How many matches one generation of the memory holds.
const REMEMBERED: usize = 4096;

/// Neither mutex guards anything that a panic could leave half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn hasher() -> (SecretHasher, ChaCha20Rng) {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        (SecretHasher::new(&mut rng), rng)
    }

    fn remembered(hasher: &SecretHasher) -> usize {
        lock(&hasher.matches).count()
    }

    #[test]
    fn a_hash_is_an_argon2id_phc_string_at_the_cost_of_its_tier() {
        let (hasher, mut rng) = hasher();
        let secret = Secret::from("correct horse battery staple");
        let generated = hasher.hash(&secret, HashCost::Generated, &mut rng).unwrap();
        assert!(generated.as_str().starts_with("$argon2id$v=19$m=512,t=1,p=1$"));
        let chosen = hasher.hash(&secret, HashCost::Chosen, &mut rng).unwrap();
        assert!(chosen.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[test]
    fn only_the_secret_itself_matches_before_and_after_it_is_remembered() {
        let (hasher, mut rng) = hasher();
        let secret = Secret::from("m2m_secret_x");
        let phc = hasher.hash(&secret, HashCost::Generated, &mut rng).unwrap();
        for _ in 0..2 {
            let right = hasher.verify(&secret, &phc, HashCost::Generated).unwrap();
            assert_eq!(right, Verification::Match);
            for wrong in ["m2m_secret_y", "m2m_secret_x\0", "m2m_secret_x ", ""] {
                let wrong = hasher.verify(&wrong.into(), &phc, HashCost::Generated).unwrap();
                assert_eq!(wrong, Verification::Mismatch);
            }
        }
        assert_eq!(remembered(&hasher), 1);
    }

    #[test]
    fn a_remembered_secret_does_not_match_another_phc_string() {
        let (hasher, mut rng) = hasher();
        let (old, new) = (Secret::from("old"), Secret::from("new"));
        let phc = hasher.hash(&old, HashCost::Generated, &mut rng).unwrap();
        hasher.verify(&old, &phc, HashCost::Generated).unwrap();
        let rotated = hasher.hash(&new, HashCost::Generated, &mut rng).unwrap();
        let found = hasher.verify(&old, &rotated, HashCost::Generated).unwrap();
        assert_eq!(found, Verification::Mismatch);
    }

    #[test]
    fn a_match_at_another_cost_says_that_the_hash_is_outdated() {
        let (hasher, mut rng) = hasher();
        let secret = Secret::from("imported");
        let phc = hasher.hash(&secret, HashCost::Generated, &mut rng).unwrap();
        let found = hasher.verify(&secret, &phc, HashCost::Chosen).unwrap();
        assert_eq!(found, Verification::MatchOutdated);
    }

    #[test]
    fn reused_memory_gives_the_same_hash_as_fresh_memory() {
        let (used, mut rng) = hasher();
        let secret = Secret::from("secret");
        let small = used.hash(&secret, HashCost::Generated, &mut rng).unwrap();
        let large = used.hash(&secret, HashCost::Chosen, &mut rng).unwrap();
        let (fresh, _) = hasher();
        assert_eq!(used.verify(&secret, &small, HashCost::Generated).unwrap(), Verification::Match);
        assert_eq!(
            fresh.verify(&secret, &small, HashCost::Generated).unwrap(),
            Verification::Match
        );
        assert_eq!(fresh.verify(&secret, &large, HashCost::Chosen).unwrap(), Verification::Match);
        assert_eq!(lock(&used.memory).len(), 1, "one call at a time needs one piece of memory");
    }

    #[test]
    fn a_damaged_phc_string_is_an_error_and_never_a_match() {
        let (hasher, _) = hasher();
        for damaged in [
            "",
            "$argon2id$",
            "$2b$12$abc",
            "$argon2id$v=19$m=8,t=1,p=1",
            "$argon2i$v=19$m=8,t=1,p=1$YWJjZGVmZ2g$YWJj",
            "$argon2i$v=19$m=512,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            let phc = PhcString(damaged.to_owned());
            assert!(hasher.verify(&"x".into(), &phc, HashCost::Generated).is_err(), "{damaged}");
        }
    }
}
