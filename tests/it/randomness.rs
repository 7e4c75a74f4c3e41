//! A million of everything that nobody may guess, from the generators and the random source of the server:
//! no two alike, every bit set in half of them, every byte as frequent as any other.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identety_domain::grant::{GrantId, RefreshKey, RefreshToken};
use identety_domain::session::{PendingRequest, SessionSecret};
use identety_domain::{admin, id};
use identety_http::ambient;
use rand::RngExt as _;

const SAMPLES: usize = 1_000_000;
/// Six standard deviations of how many of the samples have a bit set: a right generator is beyond them once
/// in half a billion.
const BOUND: usize = 3_000;

/// Checks a million values of `N` bytes each.
fn check<const N: usize>(what: &str, mut generate: impl FnMut(usize) -> Vec<u8>) {
    let mut seen = HashSet::with_capacity(SAMPLES);
    // How often each byte is at each place. How often a bit is set follows from that, and counting each bit of
    // each sample would take eight times as long.
    let mut places = vec![[0_usize; 256]; N];
    for number in 0..SAMPLES {
        let value: [u8; N] = generate(number).try_into().unwrap_or_else(|other: Vec<u8>| {
            panic!("{what} has {} bytes and not {N}", other.len())
        });
        for (counts, byte) in places.iter_mut().zip(value) {
            counts[usize::from(byte)] += 1;
        }
        assert!(seen.insert(value), "{what} comes twice");
    }
    for (place, counts) in places.iter().enumerate() {
        for bit in 0..8 {
            let set = (0..256).filter(|byte| byte >> bit & 1 == 1);
            let count: usize = set.map(|byte| counts[byte]).sum();
            let bit = place * 8 + bit;
            assert!(count.abs_diff(SAMPLES / 2) <= BOUND, "{what}: bit {bit} is set in {count}");
        }
    }
    // Entropy by the frequencies of bytes: 8 bits, less what as few samples cost.
    let expected = SAMPLES * N / 256;
    let all = |byte: usize| places.iter().map(|counts| counts[byte]).sum::<usize>();
    let worst = (0..256).map(|byte| all(byte).abs_diff(expected)).max().unwrap();
    assert!(worst * 50 < expected, "{what}: a byte is off by {worst} of {expected}");
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

#[test]
fn a_million_secrets_and_identifiers_are_all_different_and_as_random_as_they_are_long() {
    let mut rng = ambient::rng().unwrap();
    check::<32>("a secret", |_| decoded(&id::random_text::<32>(&mut rng)));
    check::<18>("an identifier", |_| decoded(&id::random_text::<18>(&mut rng)));
    check::<32>("an API key", |_| {
        let key = admin::generate_api_key(&mut rng);
        decoded(key.expose().strip_prefix("admin_key_").expect("its beginning"))
    });
}

#[test]
fn a_million_codes_cookies_and_refresh_tokens_are_all_different_and_256_bits_each() {
    let mut rng = ambient::rng().unwrap();
    // The codes of one session, and of as many others.
    let session = SessionSecret::generate(&mut rng);
    check::<32>("a code", |number| {
        let pending = PendingRequest::generate(&mut rng);
        let other = number.is_multiple_of(2).then(|| SessionSecret::generate(&mut rng));
        decoded(pending.code(other.as_ref().unwrap_or(&session)).expose())
    });
    check::<32>("the secret of a request", |_| {
        decoded(PendingRequest::generate(&mut rng).secret.expose())
    });
    check::<32>("a session", |_| decoded(SessionSecret::generate(&mut rng).expose()));
    // The generations of one family after the other, under one key.
    let key = RefreshKey::new(&rng.random());
    let mut grant = GrantId::of_code("a code");
    check::<32>("a refresh token", |number| {
        if number.is_multiple_of(1000) {
            grant = GrantId::of_code(&number.to_string());
        }
        let generation = u32::try_from(number % 1000).expect("a small number");
        let token = key.token(&RefreshToken { grant: grant.clone(), generation });
        decoded(token.expose().rsplit('.').next().expect("a MAC"))
    });
}

#[test]
fn a_million_ids_of_tokens_made_in_one_instant_are_all_different() {
    let (mut rng, now) = (ambient::rng().unwrap(), ambient::now());
    let ids: HashSet<_> = (0..SAMPLES).map(|_| id::uuid_v7(now, &mut rng)).collect();
    assert_eq!(ids.len(), SAMPLES);
}
