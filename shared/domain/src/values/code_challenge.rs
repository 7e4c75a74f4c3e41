//! Code challenges (RFC 7636).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A code challenge by the method S256 (RFC 7636 §4.2): 43 URL-safe characters.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Takes a challenge. `None` when it is not the base64url of a SHA-256.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hash = URL_SAFE_NO_PAD.decode(text).ok()?;
        (hash.len() == 32).then(|| Self(text.to_owned()))
    }

    /// Whether `verifier` is what the challenge was made of: 43–128 unreserved characters
    /// (RFC 7636 §4.1, §4.6).
    #[must_use]
    pub fn is_met_by(&self, verifier: &str) -> bool {
        let unreserved =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        (43..=128).contains(&verifier.len())
            && verifier.bytes().all(unreserved)
            && URL_SAFE_NO_PAD
                .encode(Sha256::digest(verifier))
                .as_bytes()
                .ct_eq(self.0.as_bytes())
                .into()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_challenge_of_rfc_7636_is_met_by_its_verifier_alone() {
        let challenge =
            CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(challenge.is_met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.is_met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"));
        assert!(!challenge.is_met_by("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    }

    #[rstest]
    #[case(42, '-', false)]
    #[case(43, '-', true)]
    #[case(128, '~', true)]
    #[case(129, 'a', false)]
    #[case(50, '+', false)]
    #[case(50, 'é', false)]
    fn a_verifier_has_43_to_128_unreserved_characters(
        #[case] length: usize,
        #[case] c: char,
        #[case] valid: bool,
    ) {
        let verifier = c.to_string().repeat(length);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        assert_eq!(CodeChallenge::parse(&challenge).unwrap().is_met_by(&verifier), valid);
    }

    #[rstest]
    #[case("")]
    #[case("short")]
    #[case("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")]
    #[case("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")]
    #[case("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMx")]
    #[case("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN")]
    fn anything_but_the_base64url_of_32_bytes_is_no_challenge(#[case] text: &str) {
        assert_eq!(CodeChallenge::parse(text), None);
    }
}
