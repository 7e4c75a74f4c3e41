//! Judging signatures by the published keys.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identety_domain::client::SigningAlg;
use identety_domain::keys::{self, Judgement, KeyRing, PublicKey};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// The public halves of all rings, by `kid`.
#[derive(Default)]
pub struct PublicKeys(HashMap<String, (SigningAlg, DecodingKey)>);

/// The header of a JWS (RFC 7515 §4.1), as far as it is heeded. `jwk`, `jku` and `x5u` are not: a key
/// that a token brings along proves nothing.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    /// RFC 7515 §4.1.11: whoever does not understand it must refuse. We understand none.
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

/// A member that is there, be it null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IgnoredAny>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(Some)
}

impl PublicKeys {
    /// The keys of `rings`; one that is damaged is left out, so that it verifies nothing.
    #[must_use]
    pub fn of(rings: &[KeyRing]) -> Self {
        let keys = rings.iter().flat_map(|ring| {
            ring.keys.iter().filter_map(|key| {
                let decoding = match &key.public {
                    PublicKey::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
                    PublicKey::Ec { crv: _, x, y } => DecodingKey::from_ec_components(x, y),
                };
                Some((key.kid.clone(), (ring.alg, decoding.ok()?)))
            })
        });
        Self(keys.collect())
    }

    /// Whether the key that `jws` names is among these, or it names none.
    pub(crate) fn know_the_key_of(&self, jws: &str) -> bool {
        let kid = jws.split('.').next().and_then(parse_header).and_then(|header| header.kid);
        kid.is_none_or(|kid| self.0.contains_key(&kid))
    }

    /// Judges a compact JWS that must have the header `typ`.
    pub(crate) fn judge(&self, typ: &str, jws: &str) -> Judgement {
        self.well_formed(typ, jws).unwrap_or(Judgement::Forged)
    }

    fn well_formed(&self, typ: &str, jws: &str) -> Option<Judgement> {
        let (message, signature) = jws.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let header = parse_header(header)?;
        if header.crit.is_some() || !is_typ(header.typ.as_deref()?, typ) {
            return None;
        }
        // A payload with a dot in it is not base64url, so five parts (JWE) end here.
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let signed_by = SigningAlg::parse(&header.alg)?;
        let Some((alg, key)) = self.0.get(&header.kid?) else {
            return Some(Judgement::UnknownKey);
        };
        if signed_by != *alg {
            return None;
        }
        let algorithm = match alg {
            SigningAlg::Rs256 => Algorithm::RS256,
            SigningAlg::Es256 => Algorithm::ES256,
        };
        let genuine =
            jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, algorithm).ok()?;
        genuine.then_some(Judgement::Genuine(payload))
    }
}

fn parse_header(text: &str) -> Option<Header> {
    keys::read_object(&URL_SAFE_NO_PAD.decode(text).ok()?)
}

/// RFC 7515 §4.1.9: compared without regard to case, and `application/` may stand before it.
fn is_typ(actual: &str, expected: &str) -> bool {
    let short = actual.get(..12).filter(|prefix| prefix.eq_ignore_ascii_case("application/"));
    let actual = if short.is_some() { actual.get(12..).unwrap_or_default() } else { actual };
    actual.eq_ignore_ascii_case(expected)
}

#[cfg(test)]
mod tests {
    use hmac_by_hand::hs256;
    use identety_domain::Timestamp;
    use identety_domain::keys::{NewKey, SealedKey};

    use super::*;
    use crate::key_pair::KeyPair;

    /// HMAC-SHA-256, for a token that pretends a public key to be a shared secret.
    mod hmac_by_hand {
        use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

        pub(super) fn hs256(key: &[u8], message: &[u8]) -> Vec<u8> {
            sign(&Key::new(HMAC_SHA256, key), message).as_ref().to_vec()
        }
    }

    fn key(alg: SigningAlg, kid: &str) -> (KeyPair, NewKey) {
        let pair = KeyPair::generate(alg).unwrap();
        let public = pair.public().unwrap();
        (pair, NewKey { kid: kid.to_owned(), public, sealed: SealedKey(String::new()) })
    }

    /// The keys that are published, and the pair of the one that is called `own`.
    fn published(alg: SigningAlg) -> (PublicKeys, KeyPair, PublicKey) {
        let ((pair, own), (_, next)) = (key(alg, "own"), key(alg, "next"));
        let public = own.public.clone();
        let ring = KeyRing::first(alg, own, next, Timestamp::from_millis(0));
        (PublicKeys::of(&[ring]), pair, public)
    }

    fn message(header: impl AsRef<[u8]>) -> String {
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode("payload"))
    }

    fn signed(pair: &KeyPair, header: impl AsRef<[u8]>) -> String {
        let message = message(header);
        let signature = pair.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn genuine() -> Judgement {
        Judgement::Genuine(b"payload".to_vec())
    }

    #[test]
    fn what_a_published_key_signed_is_genuine() {
        for alg in SigningAlg::ALL {
            let (keys, pair, _) = published(alg);
            let header = format!(r#"{{"typ":"at+jwt","alg":"{}","kid":"own"}}"#, alg.as_str());
            assert_eq!(keys.judge("at+jwt", &signed(&pair, &header)), genuine());
            assert_eq!(keys.judge("JWT", &signed(&pair, &header)), Judgement::Forged);
            let (stranger, _) = key(alg, "own");
            assert_eq!(keys.judge("at+jwt", &signed(&stranger, &header)), Judgement::Forged);
        }
    }

    #[test]
    fn an_id_token_is_genuine_as_what_it_is_alone() {
        let (keys, pair, _) = published(SigningAlg::Rs256);
        let id_token = signed(&pair, r#"{"typ":"JWT","alg":"RS256","kid":"own"}"#);
        assert_eq!(keys.judge("JWT", &id_token), genuine());
        assert_eq!(keys.judge("at+jwt", &id_token), Judgement::Forged);
    }

    #[test]
    fn a_hostile_header_is_refused_even_when_the_signature_is_right() {
        let (keys, pair, _) = published(SigningAlg::Es256);
        for header in [
            r#"{"typ":"at+jwt","alg":"none","kid":"own"}"#,
            r#"{"typ":"at+jwt","alg":"RS256","kid":"own"}"#,
            r#"{"typ":"at+jwt","alg":"es256","kid":"own"}"#,
            r#"{"typ":"at+jwt","alg":null,"kid":"own"}"#,
            r#"{"typ":"at+jwt","kid":"own"}"#,
            r#"{"typ":"at+jwt","alg":"ES256"}"#,
            r#"{"alg":"ES256","kid":"own"}"#,
            r#"{"typ":"at+jwt","alg":"ES256","kid":"next"}"#,
            r#"{"typ":"at+jwt","alg":"ES256","kid":"own","crit":["exp"]}"#,
            r#"{"typ":"at+jwt","alg":"ES256","kid":"own","crit":[]}"#,
            r#"{"typ":"at+jwt","alg":"ES256","alg":"ES256","kid":"own"}"#,
            r#"{"typ":"at+jwt","alg":"ES256","kid":"own"} x"#,
            r#"{"typ":"at+jwt","alg":"ES256","kid":"own","crit":null}"#,
            r#"["at+jwt"]"#,
            r#"["ES256","at+jwt","own",null]"#,
        ] {
            assert_eq!(keys.judge("at+jwt", &signed(&pair, header)), Judgement::Forged, "{header}");
        }
        // Bytes that are no text, in a member that nobody reads.
        let header = b"{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"own\",\"x\":\"\xff\"}";
        assert_eq!(keys.judge("at+jwt", &signed(&pair, header)), Judgement::Forged);
    }

    #[test]
    fn a_well_formed_token_whose_key_is_not_published_is_told_from_a_forged_one() {
        let (keys, pair, _) = published(SigningAlg::Es256);
        let judged = |header: &str| keys.judge("at+jwt", &signed(&pair, header));
        for kid in ["gone", "' OR 1=1 --"] {
            let header = |alg: &str| format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{kid}"}}"#);
            assert_eq!(judged(&header("ES256")), Judgement::UnknownKey);
            assert_eq!(judged(&header("none")), Judgement::Forged);
            assert_eq!(judged(&header("HS256")), Judgement::Forged);
            let five_parts = signed(&pair, header("ES256")).replace('.', "..");
            assert_eq!(keys.judge("at+jwt", &five_parts), Judgement::Forged);
            assert_eq!(keys.judge("JWT", &signed(&pair, header("ES256"))), Judgement::Forged);
        }
    }

    #[test]
    fn a_key_that_the_token_brings_along_proves_nothing() {
        let (keys, pair, _) = published(SigningAlg::Es256);
        let (attacker, own) = key(SigningAlg::Es256, "own");
        let jwk = serde_json::to_string(&own.public).unwrap();
        let header = format!(
            r#"{{"typ":"at+jwt","alg":"ES256","kid":"own","jwk":{jwk},"jku":"http://127.0.0.1/",
                "x5u":"http://127.0.0.1/","x5c":["AAAA"],"x5t":"AAAA"}}"#
        );
        assert_eq!(keys.judge("at+jwt", &signed(&attacker, &header)), Judgement::Forged);
        assert_eq!(keys.judge("at+jwt", &signed(&pair, &header)), genuine(), "it is ignored");
    }

    #[test]
    fn a_public_key_is_no_shared_secret() {
        for alg in SigningAlg::ALL {
            let (keys, _, public) = published(alg);
            let material = match &public {
                PublicKey::Rsa { n, .. } => n,
                PublicKey::Ec { x, .. } => x,
            };
            let raw = URL_SAFE_NO_PAD.decode(material).unwrap();
            let message = message(r#"{"typ":"at+jwt","alg":"HS256","kid":"own"}"#);
            for secret in [raw.as_slice(), material.as_bytes()] {
                let signature = URL_SAFE_NO_PAD.encode(hs256(secret, message.as_bytes()));
                assert_eq!(
                    keys.judge("at+jwt", &format!("{message}.{signature}")),
                    Judgement::Forged
                );
            }
        }
    }
}
