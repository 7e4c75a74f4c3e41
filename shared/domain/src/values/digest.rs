//! SHA-256 (FIPS 180-4), and shorter parts of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// SHA-256 of `content` as base64url: 43 characters, the same everywhere, and nothing of the content in them.
#[must_use]
pub fn fingerprint(content: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(content))
}

/// The first `N` bytes of a SHA-256. An `N` above 32 does not compile.
#[must_use]
pub fn truncated<const N: usize>(digest: [u8; 32]) -> [u8; N] {
    const { assert!(N <= 32, "a SHA-256 has 32 bytes") };
    let mut bytes = [0; N];
    for (to, from) in bytes.iter_mut().zip(digest) {
        *to = from;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_digest_is_its_beginning() {
        let digest: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        assert_eq!(truncated::<3>(digest), [0, 1, 2]);
        assert_eq!(truncated::<32>(digest), digest);
    }
}
