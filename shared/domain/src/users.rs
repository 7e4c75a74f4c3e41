//! The birth of a user, and a new password.

use crate::hashers::{HashError, SecretMaker};
use crate::models::device::KnownBrowsers;
use crate::models::user::{Password, StoredPassword, User, UserDetails};
use crate::values::{HashCost, id};

/// Makes a user; without a password, the user cannot sign in yet.
///
/// # Errors
/// When the password cannot be hashed.
pub fn register(
    details: UserDetails,
    password: Option<&Password>,
    maker: &mut SecretMaker<'_>,
) -> Result<User, HashError> {
    let password = password.map(|password| stored(password, maker)).transpose()?;
    Ok(User {
        id: id::uuid_v7(maker.now, maker.rng),
        details,
        password,
        browsers: KnownBrowsers::default(),
        created_at: maker.now,
        updated_at: maker.now,
        version: 1,
    })
}

/// `user` with another password: one version on.
///
/// # Errors
/// When the password cannot be hashed.
pub fn set_password(
    user: &User,
    password: &Password,
    maker: &mut SecretMaker<'_>,
) -> Result<User, HashError> {
    let stored = stored(password, maker)?;
    Ok(user.with_password(stored, maker.now))
}

fn stored(password: &Password, maker: &mut SecretMaker<'_>) -> Result<StoredPassword, HashError> {
    let phc = maker.hash(password.secret(), HashCost::Chosen)?;
    Ok(StoredPassword { phc, changed_at: maker.now })
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::hashers::{SecretHasher, Verification};
    use crate::models::user::UserMetadata;
    use crate::values::Timestamp;

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

    fn maker<'a>(
        hasher: &'a SecretHasher,
        now: Timestamp,
        rng: &'a mut ChaCha20Rng,
    ) -> SecretMaker<'a> {
        SecretMaker { hasher, now, rng }
    }

    fn fixture() -> (SecretHasher, ChaCha20Rng) {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        (SecretHasher::new(&mut rng), rng)
    }

    #[test]
    fn a_password_is_kept_as_a_hash_at_the_cost_of_chosen_secrets() {
        let (hasher, mut rng) = fixture();
        let chosen = password("correct horse");
        let user =
            register(details("a@b.c"), Some(&chosen), &mut maker(&hasher, at(100), &mut rng))
                .unwrap();
        let stored = user.password.unwrap();
        assert!(stored.phc.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let verified = hasher.verify(chosen.secret(), &stored.phc, HashCost::Chosen).unwrap();
        assert_eq!(verified, Verification::Match);
        assert_eq!((stored.changed_at, user.created_at, user.version), (at(100), at(100), 1));
    }

    #[test]
    fn without_a_password_there_is_none() {
        let (hasher, mut rng) = fixture();
        let user =
            register(details("a@b.c"), None, &mut maker(&hasher, at(100), &mut rng)).unwrap();
        assert_eq!(user.password, None);
        assert_eq!(user.id.get_version_num(), 7);
    }

    #[test]
    fn another_password_ends_earlier_sign_ins_and_other_details_do_not() {
        let (hasher, mut rng) = fixture();
        let first = password("correct horse");
        let user = register(details("a@b.c"), Some(&first), &mut maker(&hasher, at(100), &mut rng))
            .unwrap();
        let renamed = user.with_details(details("d@e.f"), at(200));
        assert!(renamed.stands_by(at(150)));
        assert_eq!(renamed.password, user.password);
        let second = password("battery staple");
        let changed =
            set_password(&renamed, &second, &mut maker(&hasher, at(300), &mut rng)).unwrap();
        assert!(!changed.stands_by(at(299)));
        assert!(changed.stands_by(at(300)));
        assert_eq!(changed.details, renamed.details);
        assert_eq!((changed.version, changed.updated_at), (3, at(300)));
    }

    #[test]
    fn a_clock_that_steps_back_does_not_take_the_time_of_a_change_back() {
        let (hasher, mut rng) = fixture();
        let user =
            register(details("a@b.c"), None, &mut maker(&hasher, at(100), &mut rng)).unwrap();
        let changed = user.with_details(details("d@e.f"), at(50));
        assert_eq!((changed.version, changed.updated_at), (2, at(100)));
    }
}
