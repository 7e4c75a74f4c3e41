//! ID tokens (OpenID Connect Core 1.0 §2): who signed in, for the client alone.
//!
//! The claims about the sign-in are members of [`IdToken`]; those about the user are of [`UserClaim`], none of which has
//! the name of such a member, so that nothing that is known of a user can pass for a claim about the sign-in.
//!
//! [`UserClaim`]: crate::values::UserClaim

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::about_user::about_user;
use super::error::TokenError;
use super::presented::ID_TOKEN_TYP;
use super::services::TokenServices;
use crate::models::client::Client;
use crate::models::grant::Grant;
use crate::models::user::User;
use crate::values::{RequestContext, Scope, Seconds, SessionId, digest};

/// How long an ID token lives: an hour.
const LIFETIME: Seconds = 3600;

/// How many bytes of JSON an ID token says about its user at most: as a hint it comes back in a URL, and API Gateway
/// takes 10,240 bytes of URL and headers. Only details that are all as long as they may be are more than that.
const MAX_ABOUT_USER: usize = 4096;

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
    #[serde(flatten)]
    about_user: Map<String, Value>,
}

/// What an ID token is made of.
pub(super) struct NewIdToken<'a> {
    /// Whom it is for.
    pub(super) client: &'a Client,
    /// What the user allowed, and when the user signed in.
    pub(super) grant: &'a Grant,
    /// The user, as known by now.
    pub(super) user: &'a User,
    /// What the access token allows.
    pub(super) scope: &'a Scope,
    /// The access token beside it.
    pub(super) access_token: &'a str,
    /// What the request asked to be repeated. A refreshed token has none, for it answers no request of the browser.
    pub(super) nonce: Option<&'a str>,
}

/// The ID token, signed.
pub(super) fn sign(
    services: &TokenServices,
    context: &RequestContext,
    token: &NewIdToken<'_>,
) -> Result<String, TokenError> {
    let NewIdToken { client, grant, user: _, scope: _, access_token, nonce } = token;
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
        about_user: claims_about_user(token),
    };
    let alg = client.metadata.id_token_signing_alg;
    Ok(services.signer.sign(alg, ID_TOKEN_TYP, &serde_json::to_vec(&claims)?)?)
}

/// What the client wants to find in its ID tokens of what the scope gives, and what it has asked for claim by claim.
/// A claim for which there is no room is left out.
fn claims_about_user(token: &NewIdToken<'_>) -> Map<String, Value> {
    let NewIdToken { client, grant, user, scope, access_token: _, nonce: _ } = token;
    let included = client.id_token_claims();
    let given = |claim| included.as_ref().is_some_and(|own| own.include(claim, scope));
    let mut room = MAX_ABOUT_USER;
    let mut claims = Map::new();
    for (name, value) in about_user(user, client, given, &grant.claims.id_token) {
        // As it is written: "name":value,
        let size = name.len() + value.to_string().len() + 4;
        if let Some(rest) = room.checked_sub(size) {
            room = rest;
            claims.insert(name.to_owned(), value);
        }
    }
    claims
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
