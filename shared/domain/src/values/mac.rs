//! HMAC-SHA-256 (RFC 2104): the one place where a key becomes a MAC.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The size of a block of SHA-256, in bytes: a longer key would be hashed first.
const BLOCK: usize = 64;

/// A key of HMAC-SHA-256. Each use names its purpose, so that a MAC made for one purpose is none for another.
#[derive(Clone)]
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// Takes a key of any length: one longer than a block is hashed first (RFC 2104 §2).
    #[must_use]
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; BLOCK]);
        let hashed: Zeroizing<[u8; 32]>;
        let key = if key.len() > BLOCK {
            hashed = Zeroizing::new(Sha256::digest(key).into());
            hashed.as_slice()
        } else {
            key
        };
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        Self(Hmac::new(&(*block).into()))
    }

    /// The MAC of `message` for `purpose`, which holds no NUL.
    #[must_use]
    pub(crate) fn mac(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        self.begun(purpose, message).finalize().into_bytes().into()
    }

    /// The MAC as base64url: 43 characters.
    #[must_use]
    pub(crate) fn text(&self, purpose: &str, message: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(purpose, message))
    }

    /// Whether `mac` is the MAC of `message` for `purpose`, in constant time.
    #[must_use]
    pub(crate) fn verifies(&self, purpose: &str, message: &[u8], mac: &[u8]) -> bool {
        self.begun(purpose, message).verify_slice(mac).is_ok()
    }

    fn begun(&self, purpose: &str, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(message);
        mac
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[MAC key]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(key: &[u8], message: &[u8]) -> String {
        // The vectors have no purpose, so they are checked below the separation by purpose.
        let mut mac = MacKey::new(key).0;
        mac.update(message);
        let digits: Vec<_> =
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        digits.concat()
    }

    #[test]
    fn short_and_long_keys_give_the_macs_of_rfc_4231() {
        let short = hex(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(short, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let long = hex(&[0xaa; 131], message);
        assert_eq!(long, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn a_mac_holds_for_its_key_purpose_and_message_alone() {
        let key = MacKey::new(&[1; 32]);
        let mac = key.mac("refresh token", b"message");
        assert!(key.verifies("refresh token", b"message", &mac));
        assert!(!key.verifies("refresh token", b"massage", &mac));
        assert!(!key.verifies("code", b"message", &mac));
        assert!(!key.verifies("refresh token", b"message", &mac[..31]));
        assert!(!MacKey::new(&[2; 32]).verifies("refresh token", b"message", &mac));
    }
}
