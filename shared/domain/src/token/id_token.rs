//! ID tokens (OpenID Connect Core 1.0 §2): who signed in, for the client alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::TokenError;
use crate::client::{Client, ClientId};
use crate::grant::Grant;
use crate::keys::{self, Signer, Verifier};
use crate::{Issuer, Seconds, Timestamp};

/// The `typ` of ID tokens, which no access token has.
const TYP: &str = "JWT";

/// How long an ID token lives: an hour.
const LIFETIME: Seconds = 3600;

/// The longest ID token that is looked at, in bytes.
const MAX_TOKEN: usize = 8192;

/// The one way to authenticate that there is: a password.
pub const ACR: &str = "1";

/// RFC 8176 §2.
const AMR: &str = "pwd";

/// The claims of an ID token that this server makes.
#[derive(Serialize)]
struct IdToken<'a> {
    iss: &'a str,
    sub: Uuid,
    aud: &'a str,
    exp: u64,
    iat: u64,
    auth_time: u64,
    acr: &'static str,
    amr: [&'static str; 1],
    at_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

/// The ID token that goes with `access_token`. It has nothing of the user but the `sub`: what the scopes
/// allow is read at userinfo. A refreshed one has no nonce, for it answers no request of the browser.
pub(super) fn sign(
    signer: &dyn Signer,
    issuer: &Issuer,
    client: &Client,
    grant: &Grant,
    access_token: &str,
    nonce: Option<&str>,
    now: Timestamp,
) -> Result<String, TokenError> {
    let claims = IdToken {
        iss: issuer.as_str(),
        sub: grant.user,
        aud: client.client_id.as_str(),
        exp: now.plus(LIFETIME).seconds(),
        iat: now.seconds(),
        auth_time: grant.auth_time.seconds(),
        acr: ACR,
        amr: [AMR],
        at_hash: at_hash(access_token),
        nonce,
    };
    Ok(signer.sign(client.metadata.id_token_signing_alg, TYP, &serde_json::to_vec(&claims)?)?)
}

/// The left half of the token's SHA-256, the hash of both algorithms (OpenID Connect Core 1.0 §3.1.3.6).
fn at_hash(access_token: &str) -> String {
    let digest = Sha256::digest(access_token);
    URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default())
}

/// What an ID token says that comes back as a hint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IdTokenHint {
    /// The user.
    pub user: Uuid,
    /// The client that it was made for.
    pub client_id: ClientId,
    /// Whether its time is over.
    pub is_expired: bool,
}

/// Reads an `id_token_hint`. `None` unless this server signed it as an ID token.
pub fn read_hint(
    verifier: &dyn Verifier,
    issuer: &Issuer,
    hint: &str,
    now: Timestamp,
) -> Option<IdTokenHint> {
    #[derive(Deserialize)]
    struct Claims {
        iss: String,
        sub: Uuid,
        aud: String,
        exp: u64,
    }
    if hint.len() > MAX_TOKEN {
        return None;
    }
    let claims: Claims = keys::read_object(&verifier.verify(TYP, hint)?)?;
    let client_id = ClientId::parse(&claims.aud)?;
    (claims.iss == issuer.as_str()).then_some(IdTokenHint {
        user: claims.sub,
        client_id,
        is_expired: now.seconds() >= claims.exp,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_an_access_token_is_that_of_the_specification() {
        // OpenID Connect Core 1.0, Appendix A.3: the token and the hash in the ID token there.
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash(token), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
