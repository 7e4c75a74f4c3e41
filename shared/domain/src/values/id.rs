//! Identifiers and random texts, made from a random source that the caller brings.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_core::CryptoRng;
use uuid::Uuid;

use super::Timestamp;

/// A UUID v7 (RFC 9562 §5.7): sorts by the time it was made.
#[must_use]
pub fn uuid_v7(now: Timestamp, rng: &mut dyn CryptoRng) -> Uuid {
    let mut random = [0; 10];
    rng.fill_bytes(&mut random);
    uuid::Builder::from_unix_timestamp_millis(now.millis(), &random).into_uuid()
}

/// `N` random bytes as base64url without padding: ⌈4N/3⌉ URL-safe characters.
#[must_use]
pub fn random_text<const N: usize>(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whether `text` has the form of a [`random_text`] of `length` characters (RFC 4648 §5).
#[must_use]
pub fn is_url_safe(text: &str, length: usize) -> bool {
    let is_url_safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == length && text.bytes().all(is_url_safe)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let rng = &mut ChaCha20Rng::seed_from_u64(7);
        let older = uuid_v7(Timestamp::from_millis(1000), rng);
        let newer = uuid_v7(Timestamp::from_millis(1001), rng);
        assert!(older < newer);
        assert!(older.to_string() < newer.to_string());
        assert_eq!(older.get_version_num(), 7);
    }

    #[test]
    fn a_million_random_texts_are_all_different() {
        let rng = &mut ChaCha20Rng::seed_from_u64(7);
        let texts: HashSet<_> = (0..1_000_000).map(|_| random_text::<18>(rng)).collect();
        assert_eq!(texts.len(), 1_000_000);
        assert!(texts.iter().all(|text| text.len() == 24));
    }
}
