//! A grant: what a user has allowed a client. It is one item for its whole life, from the code, over
//! its redemption, through every generation of refresh tokens, to its end, so that each step is one
//! conditional write and a fork cannot exist.

mod refresh_token;
mod standing;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

pub use refresh_token::{RefreshKey, RefreshToken};
pub use standing::Grants;

use crate::authorization::SessionId;
use crate::client::{Client, Lifetimes};
use crate::{Scope, Seconds, Timestamp, id};

/// How long a code lives.
pub const CODE_LIFETIME: Seconds = 60;

/// How long after a rotation the token before it gets the same successor again.
pub const REFRESH_GRACE: Seconds = 10;

/// The identifier of a grant: 24 URL-safe characters, a hash of its code, from which the code does not
/// follow. Tokens of the grant name it.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrantId(String);

impl GrantId {
    /// The grant that a code belongs to, if there is one.
    #[must_use]
    pub fn of_code(code: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"identety grant\0");
        digest.update(code);
        let digest = digest.finalize();
        Self(URL_SAFE_NO_PAD.encode(digest.get(..18).unwrap_or_default()))
    }

    /// Takes an identifier as a token has it. `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        id::is_url_safe(text, 24).then(|| Self(text.to_owned()))
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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

/// What a user has allowed a client, and what has become of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    /// Its identifier.
    pub id: GrantId,
    /// The client's id: not its `clientId`, which another client may have later.
    pub client: Uuid,
    /// The user.
    pub user: Uuid,
    /// What is allowed.
    pub scope: Scope,
    /// The resources that were named (RFC 8707); none is the client's default.
    pub resources: Vec<String>,
    /// The `redirect_uri` of the request; `None` where it was left out.
    pub redirect_uri: Option<String>,
    /// What the client must know to redeem the code (RFC 7636).
    pub code_challenge: Option<CodeChallenge>,
    /// What the ID token must repeat.
    pub nonce: Option<String>,
    /// When the user signed in.
    pub auth_time: Timestamp,
    /// The session with which the grant ends; `None` for one with `offline_access`.
    pub session: Option<SessionId>,
    /// When the code was issued.
    pub issued_at: Timestamp,
    /// Since when the code is used.
    pub redeemed: Option<Redeemed>,
    /// When the grant ended.
    pub ended_at: Option<Timestamp>,
}

/// A grant whose code is used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Redeemed {
    /// When.
    pub at: Timestamp,
    /// The live generation of refresh tokens, from 1.
    pub generation: u32,
    /// Since when it is live.
    pub rotated_at: Timestamp,
}

/// The redemption of a code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Redemption {
    /// By which a repetition is known.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// From when on the grant may be forgotten.
    pub forget_at: Timestamp,
}

/// The rotation of a refresh token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rotation {
    /// The generation that is used.
    pub from: u32,
    /// When.
    pub at: Timestamp,
    /// From when on the grant may be forgotten.
    pub forget_at: Timestamp,
}

impl Grant {
    /// What of it `client` may have: a scope that an administrator has taken from the client since is not
    /// given any more, for as long as that is so.
    #[must_use]
    pub fn scope_for(&self, client: &Client) -> Scope {
        self.scope.within(client.scope())
    }

    /// Whether the code counts at `now`.
    #[must_use]
    pub fn code_is_live(&self, now: Timestamp) -> bool {
        self.redeemed.is_none()
            && self.ended_at.is_none()
            && now < self.issued_at.plus(CODE_LIFETIME)
    }

    /// When the live refresh token stops working: `refresh_token` seconds after it became live, and no
    /// later than `refresh_token_absolute` seconds after the code was redeemed. The client's lifetimes
    /// are those of now, so that shortening them bites at once.
    #[must_use]
    pub fn refresh_ends_at(redeemed: &Redeemed, lifetimes: &Lifetimes) -> Timestamp {
        let sliding = redeemed.rotated_at.plus(lifetimes.refresh_token);
        sliding.min(redeemed.at.plus(lifetimes.refresh_token_absolute))
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

    #[test]
    fn the_code_does_not_follow_from_the_id_of_its_grant() {
        let id = GrantId::of_code("code");
        assert_eq!(id.as_str().len(), 24);
        assert_eq!(GrantId::parse(id.as_str()), Some(id.clone()));
        assert_ne!(id, GrantId::of_code("codf"));
        assert_eq!(GrantId::parse("GRANT#aaaaaaaaaaaaaaaaaa"), None);
    }
}
