//! Refresh tokens: `{grant}.{generation}.{mac}`. The store holds no token, and a token that this server
//! did not make never reaches it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::values::{GrantId, MacKey, Secret};

/// What the MAC of a refresh token is for.
const PURPOSE: &str = "refresh token";

/// The key under which refresh tokens are made.
#[derive(Clone, Debug)]
pub struct RefreshKey(MacKey);

impl RefreshKey {
    /// A key of 256 bits, used for nothing else.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(MacKey::new(key))
    }

    /// The refresh token of a generation.
    #[must_use]
    pub fn token(&self, token: &RefreshToken) -> Secret {
        let RefreshToken { grant, generation } = token;
        let message = format!("{grant}.{generation}");
        let mac = self.0.text(PURPOSE, message.as_bytes());
        Secret::new(format!("{message}.{mac}"))
    }

    /// What a refresh token says, if it was made under this key.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<RefreshToken> {
        let (message, mac) = token.rsplit_once('.')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        if !self.0.verifies(PURPOSE, message.as_bytes(), &mac) {
            return None;
        }
        let (grant, generation) = message.split_once('.')?;
        Some(RefreshToken { grant: GrantId::parse(grant)?, generation: generation.parse().ok()? })
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
