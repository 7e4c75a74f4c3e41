//! Refresh tokens: `{grant}.{generation}.{mac}`. The store holds no token, and a token that this server
//! did not make never reaches it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::GrantId;
use crate::Secret;

/// The key under which refresh tokens are made: HMAC-SHA-256.
#[derive(Clone)]
pub struct RefreshKey(Hmac<Sha256>);

impl RefreshKey {
    /// A key of 256 bits, used for nothing else.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        // A key shorter than a block is filled with zeros (RFC 2104 §2).
        let mut block = zeroize::Zeroizing::new([0; 64]);
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        Self(Hmac::new(&(*block).into()))
    }

    /// The refresh token of a generation.
    #[must_use]
    pub fn token(&self, token: &RefreshToken) -> Secret {
        let RefreshToken { grant, generation } = token;
        let message = format!("{grant}.{generation}");
        let mac = URL_SAFE_NO_PAD.encode(self.mac(&message).finalize().into_bytes());
        Secret::new(format!("{message}.{mac}"))
    }

    /// What a refresh token says, if it was made under this key.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<RefreshToken> {
        let (message, mac) = token.rsplit_once('.')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        self.mac(message).verify_slice(&mac).ok()?;
        let (grant, generation) = message.split_once('.')?;
        Some(RefreshToken { grant: GrantId::parse(grant)?, generation: generation.parse().ok()? })
    }

    fn mac(&self, message: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(b"refresh token\0");
        mac.update(message.as_bytes());
        mac
    }
}

impl std::fmt::Debug for RefreshKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[refresh key]")
    }
}

/// What a refresh token says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefreshToken {
    /// Which grant it is of.
    pub grant: GrantId,
    /// Which of its refresh tokens it is, from 1.
    pub generation: u32,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token() -> RefreshToken {
        RefreshToken { grant: GrantId::of_code("code"), generation: 7 }
    }

    #[test]
    fn a_token_is_read_back_under_its_key_alone() {
        let key = RefreshKey::new(&[1; 32]);
        let text = key.token(&token());
        assert_eq!(key.read(text.expose()), Some(token()));
        assert_eq!(RefreshKey::new(&[2; 32]).read(text.expose()), None);
    }

    #[test]
    fn a_token_that_was_changed_anywhere_is_none() {
        let key = RefreshKey::new(&[1; 32]);
        let text = key.token(&token()).expose().to_owned();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(key.read(&String::from_utf8(bytes).unwrap()), None, "{at}");
            assert_eq!(key.read(&text[..at]), None);
        }
        assert_eq!(key.read(&format!("{text}A")), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,120}") {
            prop_assert_eq!(RefreshKey::new(&[1; 32]).read(&text), None);
        }
    }
}
