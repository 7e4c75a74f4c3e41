//! ID tokens (OpenID Connect Core 1.0 §2): who signed in, for the client alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::error::TokenError;
use super::presented::ID_TOKEN_TYP;
use super::services::TokenServices;
use crate::models::client::Client;
use crate::models::grant::Grant;
use crate::values::{RequestContext, Seconds, SessionId, digest};

/// How long an ID token lives: an hour.
const LIFETIME: Seconds = 3600;

/// The authentication context class of a password, the one way to authenticate that there is.
pub const ACR: &str = "1";

/// The claims of an ID token that this server makes.
#[derive(Serialize)]
struct IdToken<'a> {
    iss: &'a str,
    sub: Uuid,
    aud: &'a str,
    exp: u64,
    iat: u64,
    auth_time: u64,
    acr: &'a str,
    amr: &'a [String],
    sid: &'a SessionId,
    at_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

/// What an ID token is made of.
pub(super) struct NewIdToken<'a> {
    /// Whom it is for.
    pub(super) client: &'a Client,
    /// What the user allowed, and when the user signed in.
    pub(super) grant: &'a Grant,
    /// The access token beside it.
    pub(super) access_token: &'a str,
    /// What the request asked to be repeated. A refreshed token has none, for it answers no request of the browser.
    pub(super) nonce: Option<&'a str>,
}

/// The ID token, signed. It has nothing of the user but the `sub`: what the scopes allow is read at userinfo.
pub(super) fn sign(
    services: &TokenServices,
    context: &RequestContext,
    token: &NewIdToken<'_>,
) -> Result<String, TokenError> {
    let NewIdToken { client, grant, access_token, nonce } = token;
    let claims = IdToken {
        iss: services.settings.issuer.as_str(),
        sub: grant.user,
        aud: client.client_id.as_str(),
        exp: context.now.plus(LIFETIME).seconds(),
        iat: context.now.seconds(),
        auth_time: grant.authentication.time.seconds(),
        acr: &grant.authentication.acr,
        amr: &grant.authentication.amr,
        sid: &grant.session,
        at_hash: at_hash(access_token),
        nonce: *nonce,
    };
    let alg = client.metadata.id_token_signing_alg;
    Ok(services.signer.sign(alg, ID_TOKEN_TYP, &serde_json::to_vec(&claims)?)?)
}

/// The left half of the token's SHA-256, the hash of both algorithms (OpenID Connect Core 1.0 §3.1.3.6).
fn at_hash(access_token: &str) -> String {
    let left_half: [u8; 16] = digest::truncated(Sha256::digest(access_token).into());
    URL_SAFE_NO_PAD.encode(left_half)
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
