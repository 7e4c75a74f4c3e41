//! The birth of a user, and what changes one.

use rand_core::CryptoRng;

use super::{Password, StoredPassword, User, UserDetails};
use crate::hashing::{HashCost, HashError, SecretHasher};
use crate::{Timestamp, id};

/// Makes a user; without a password, nobody can sign in as that user yet.
///
/// # Errors
/// When the password cannot be hashed.
pub fn register(
    details: UserDetails,
    password: Option<&Password>,
    hasher: &SecretHasher,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<User, HashError> {
    let password = password.map(|password| stored(password, hasher, now, rng)).transpose()?;
    Ok(User {
        id: id::uuid_v7(now, rng),
        details,
        password,
        created_at: now,
        updated_at: now,
        version: 1,
    })
}

fn stored(
    password: &Password,
    hasher: &SecretHasher,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<StoredPassword, HashError> {
    let phc = hasher.hash(password.secret(), HashCost::Chosen, rng)?;
    Ok(StoredPassword { phc, changed_at: now })
}

impl User {
    /// This user with other details: one version on.
    #[must_use]
    pub fn with_details(&self, details: UserDetails, now: Timestamp) -> Self {
        Self { details, ..self.next_version(now) }
    }

    /// This user with another password: one version on. Whoever signed in before `now` has to sign in
    /// again (see [`User::stands_by`]).
    ///
    /// # Errors
    /// When the password cannot be hashed.
    pub fn with_password(
        &self,
        password: &Password,
        hasher: &SecretHasher,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, HashError> {
        let password = Some(stored(password, hasher, now, rng)?);
        Ok(Self { password, ..self.next_version(now) })
    }

    /// This user, one version on.
    fn next_version(&self, now: Timestamp) -> Self {
        // An ETag must never be seen twice, nor the time of a change go back.
        let updated_at = now.max(self.updated_at);
        Self { updated_at, version: self.version + 1, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::hashing::Verification;
    use crate::user::UserMetadata;

    fn details(email: &str) -> UserDetails {
        let metadata = UserMetadata { email: Some(email.to_owned()), ..UserMetadata::default() };
        metadata.validate().unwrap()
    }

    fn password(text: &str) -> Password {
        Password::new(text.into()).unwrap()
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn fixture() -> (SecretHasher, ChaCha20Rng) {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        (SecretHasher::new(&mut rng), rng)
    }

    #[test]
    fn a_password_is_kept_as_a_hash_at_the_cost_of_chosen_secrets() {
        let (hasher, mut rng) = fixture();
        let chosen = password("correct horse");
        let user = register(details("a@b.c"), Some(&chosen), &hasher, at(100), &mut rng).unwrap();
        let stored = user.password.unwrap();
        assert!(stored.phc.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let verified = hasher.verify(chosen.secret(), &stored.phc, HashCost::Chosen).unwrap();
        assert_eq!(verified, Verification::Match);
        assert_eq!((stored.changed_at, user.created_at, user.version), (at(100), at(100), 1));
    }

    #[test]
    fn without_a_password_there_is_none() {
        let (hasher, mut rng) = fixture();
        let user = register(details("a@b.c"), None, &hasher, at(100), &mut rng).unwrap();
        assert_eq!(user.password, None);
        assert_eq!(user.id.get_version_num(), 7);
    }

    #[test]
    fn another_password_ends_earlier_sign_ins_and_other_details_do_not() {
        let (hasher, mut rng) = fixture();
        let first = password("correct horse");
        let user = register(details("a@b.c"), Some(&first), &hasher, at(100), &mut rng).unwrap();
        let renamed = user.with_details(details("d@e.f"), at(200));
        assert!(renamed.stands_by(at(150)));
        assert_eq!(renamed.password, user.password);
        let second = password("battery staple");
        let changed = renamed.with_password(&second, &hasher, at(300), &mut rng).unwrap();
        assert!(!changed.stands_by(at(299)));
        assert!(changed.stands_by(at(300)));
        assert_eq!(changed.details, renamed.details);
        assert_eq!((changed.version, changed.updated_at), (3, at(300)));
    }

    #[test]
    fn a_clock_that_steps_back_does_not_take_the_time_of_a_change_back() {
        let (hasher, mut rng) = fixture();
        let user = register(details("a@b.c"), None, &hasher, at(100), &mut rng).unwrap();
        let changed = user.with_details(details("d@e.f"), at(50));
        assert_eq!((changed.version, changed.updated_at), (2, at(100)));
    }
}
