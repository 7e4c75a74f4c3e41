//! One key pair: made, written down, read again, signing.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identety_domain::client::SigningAlg;
use identety_domain::keys::PublicKey;
use zeroize::Zeroizing;

use crate::error::KeysError;

/// A private key and its public half, ready to sign.
pub(crate) enum KeyPair {
    Rs256(RsaKeyPair),
    Es256(EcdsaKeyPair),
}

impl KeyPair {
    /// A new key pair for `alg`: RSA-2048 or P-256. The randomness is the cryptographic library's own.
    pub(crate) fn generate(alg: SigningAlg) -> Result<Self, KeysError> {
        let made = match alg {
            SigningAlg::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048).map(Self::Rs256),
            SigningAlg::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Self::Es256)
            }
        };
        made.map_err(|_| KeysError::Crypto("key generation"))
    }

    /// The private key as PKCS #8 (RFC 5208).
    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeysError> {
        let der = match self {
            Self::Rs256(pair) => pair.as_der().map(|der: Pkcs8V1Der<'_>| der.as_ref().to_vec()),
            Self::Es256(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
        };
        der.map(Zeroizing::new).map_err(|_| KeysError::Crypto("PKCS #8"))
    }

    /// Reads what [`KeyPair::to_pkcs8`] wrote.
    pub(crate) fn from_pkcs8(alg: SigningAlg, der: &[u8]) -> Result<Self, KeysError> {
        let read = match alg {
            SigningAlg::Rs256 => RsaKeyPair::from_pkcs8(der).map(Self::Rs256),
            SigningAlg::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Self::Es256)
            }
        };
        read.map_err(|_| KeysError::Crypto("PKCS #8"))
    }

    /// The public half.
    pub(crate) fn public(&self) -> Result<PublicKey, KeysError> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rs256(pair) => {
                let public = pair.public_key();
                Ok(PublicKey::Rsa {
                    n: text(public.modulus().big_endian_without_leading_zero()),
                    e: text(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Self::Es256(pair) => {
                // SEC 1 §2.3.3: 0x04, then x and y of 32 bytes each.
                let point = pair.public_key().as_ref();
                match (point.first(), point.get(1..33), point.get(33..65)) {
                    (Some(4), Some(x), Some(y)) => {
                        Ok(PublicKey::Ec { crv: "P-256".to_owned(), x: text(x), y: text(y) })
                    }
                    _ => Err(KeysError::Crypto("P-256 point")),
                }
            }
        }
    }

    /// The signature of `message`, as JWS writes it (RFC 7518 §3.3, §3.4).
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let rng = SystemRandom::new();
        match self {
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &rng, message, &mut signature).ok()?;
                Some(signature)
            }
            Self::Es256(pair) => Some(pair.sign(&rng, message).ok()?.as_ref().to_vec()),
        }
    }
}
