//! The key of refresh tokens, which is stored nowhere.

use aws_lc_rs::hkdf::{HKDF_SHA256, Prk};
use identety_domain::grant::RefreshKey;
use zeroize::Zeroizing;

use crate::error::KeysError;
use crate::seal::DataKey;

/// What the derived key is for. Another text makes another key, and every refresh token void.
const PURPOSE: &[u8] = b"identety refresh tokens 1";

/// The key of refresh tokens that belongs to the key that seals: HKDF-Expand (RFC 5869 §2.3) with
/// SHA-256. A data key is uniformly random already, so there is nothing to extract first. Whoever shares
/// the data key, as all processes of a deployment do, derives the same.
///
/// # Errors
/// When the cryptographic library refuses: never for 256 bits.
pub(crate) fn derive(data_key: &DataKey) -> Result<RefreshKey, KeysError> {
    let mut key = Zeroizing::new([0; 32]);
    Prk::new_less_safe(HKDF_SHA256, data_key.as_ref())
        .expand(&[PURPOSE], HKDF_SHA256)
        .and_then(|derived| derived.fill(key.as_mut()))
        .map_err(|_| KeysError::Crypto("HKDF-SHA-256"))?;
    Ok(RefreshKey::new(&key))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
    use identety_domain::grant::{GrantId, RefreshToken};

    use super::*;

    fn token_under(key: &RefreshKey) -> String {
        let token = RefreshToken { grant: GrantId::of_code("code"), generation: 1 };
        key.token(&token).expose().to_owned()
    }

    fn derived(byte: u8) -> String {
        token_under(&derive(&Zeroizing::new([byte; 32])).unwrap())
    }

    #[test]
    fn one_data_key_gives_one_key_and_another_gives_another() {
        assert_eq!(derived(1), derived(1));
        assert_ne!(derived(1), derived(2));
    }

    #[test]
    fn the_derived_key_is_not_the_data_key() {
        assert_ne!(derived(1), token_under(&RefreshKey::new(&[1; 32])));
    }

    #[test]
    fn the_key_is_what_rfc_5869_says() {
        // T(1) = HMAC-Hash(PRK, info | 0x01).
        let block = sign(&Key::new(HMAC_SHA256, &[1; 32]), b"identety refresh tokens 1\x01");
        let key = RefreshKey::new(block.as_ref().try_into().unwrap());
        assert_eq!(derived(1), token_under(&key));
    }
}
