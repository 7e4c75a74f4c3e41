//! Access tokens: JWTs as RFC 9068 profiles them.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::TokenError;
use crate::client::{Client, SigningAlg};
use crate::grant::Grant;
use crate::keys::{self, Signer, Verifier};
use crate::{Issuer, Scope, Timestamp, id};

/// The `typ` of access tokens (RFC 9068 §2.1), which no ID token has.
pub const TYP: &str = "at+jwt";

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8192;

/// Whom a token is for: one text on the wire when it is one, a list when there are more.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(from = "OneOrMany", into = "OneOrMany")]
pub struct Audience(Vec<String>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    /// Whether `resource` is among them.
    #[must_use]
    pub fn contains(&self, resource: &str) -> bool {
        self.0.iter().any(|own| own == resource)
    }

    /// Whether it is for nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<String> for Audience {
    /// Keeps the first of equal resources.
    fn from_iter<I: IntoIterator<Item = String>>(resources: I) -> Self {
        let mut audience = Self::default();
        for resource in resources {
            if !audience.contains(&resource) {
                audience.0.push(resource);
            }
        }
        audience
    }
}

impl From<OneOrMany> for Audience {
    fn from(wire: OneOrMany) -> Self {
        match wire {
            OneOrMany::One(resource) => Self(vec![resource]),
            OneOrMany::Many(resources) => Self(resources),
        }
    }
}

impl From<Audience> for OneOrMany {
    fn from(audience: Audience) -> Self {
        match <[String; 1]>::try_from(audience.0) {
            Ok([resource]) => Self::One(resource),
            Err(resources) => Self::Many(resources),
        }
    }
}

/// The claims of an access token (RFC 9068 §2.2).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct AccessToken {
    /// The issuer identifier, exactly.
    pub iss: String,
    /// Whom the token speaks of: the client itself when there is no user.
    pub sub: String,
    /// Whom the token is for.
    pub aud: Audience,
    /// Who asked for it.
    pub client_id: String,
    /// What it allows; left out when that is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// When it was made, in seconds.
    pub iat: u64,
    /// From when it counts.
    pub nbf: u64,
    /// From when it does not count any more.
    pub exp: u64,
    /// Its own name: never the same twice.
    pub jti: String,
    /// The grant by which a user allowed it; left out when there is no user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
}

impl AccessToken {
    /// A token by which `client` acts for itself. Its `sub` is the clientId, which is never a UUID as
    /// users' are (RFC 9700 §4.15).
    pub(super) fn for_client(
        issuer: &Issuer,
        client: &Client,
        aud: Audience,
        scope: &Scope,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Self {
        Self {
            iss: issuer.to_string(),
            sub: client.client_id.to_string(),
            aud,
            client_id: client.client_id.to_string(),
            scope: (!scope.is_empty()).then(|| scope.to_string()),
            iat: now.seconds(),
            nbf: now.seconds(),
            exp: now.plus(client.access_token_lifetime()).seconds(),
            jti: id::uuid_v7(now, rng).to_string(),
            grant_id: None,
        }
    }

    /// A token by which a client acts for the user of `grant`.
    pub(super) fn of_grant(self, grant: &Grant) -> Self {
        Self { sub: grant.user.to_string(), grant_id: Some(grant.id.to_string()), ..self }
    }

    /// The token as it goes out.
    pub(super) fn sign(&self, signer: &dyn Signer, alg: SigningAlg) -> Result<String, TokenError> {
        Ok(signer.sign(alg, TYP, &serde_json::to_vec(self)?)?)
    }

    /// Whether it was given to `client`, and not to one that had the same clientId before.
    #[must_use]
    pub fn is_of(&self, client: &Client) -> bool {
        self.client_id == client.client_id.as_str() && self.iat >= client.created_at.seconds()
    }

    /// That it counts at `now`.
    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), AccessTokenError> {
        if now.seconds() >= self.exp {
            return Err(AccessTokenError::Expired);
        }
        if self.nbf.max(self.iat) > now.seconds() + CLOCK_AHEAD {
            return Err(AccessTokenError::NotYet);
        }
        Ok(())
    }

    /// What of it `client` may still have: a scope that an administrator has taken from the client since
    /// does not count here any more, for as long as that is so.
    ///
    /// # Errors
    /// When its scope is none.
    pub fn scope_for(&self, client: &Client) -> Result<Scope, AccessTokenError> {
        let own = self.scope.as_deref().map(Scope::parse).transpose();
        let own = own.map_err(|_| AccessTokenError::NotOurs)?.unwrap_or_default();
        Ok(own.within(client.scope()))
    }
}

/// Why a text is no access token that counts here and now.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AccessTokenError {
    /// Not signed by this server as an access token, or not with these claims.
    #[error("not an access token of this server")]
    NotOurs,
    /// Its time is over. Our own tokens get no leeway.
    #[error("expired")]
    Expired,
    /// Its time has not come: the clock that made it is more than 10 s ahead.
    #[error("not valid yet")]
    NotYet,
    /// For somebody else.
    #[error("for another audience")]
    OtherAudience,
}

/// How far the clock of another instance of this server may be ahead, in seconds.
const CLOCK_AHEAD: u64 = 10;

/// The claims of `token`, if this server signed it, for `audience`, and it counts at `now`.
///
/// # Errors
/// When one of these is not so.
pub fn check(
    verifier: &dyn Verifier,
    issuer: &Issuer,
    audience: &str,
    token: &str,
    now: Timestamp,
) -> Result<AccessToken, AccessTokenError> {
    let claims = check_for_anybody(verifier, issuer, token, now)?;
    if !claims.aud.contains(audience) {
        return Err(AccessTokenError::OtherAudience);
    }
    Ok(claims)
}

/// The claims of `token`, if this server signed it and it counts at `now`, whomever it is for: what
/// introspection and userinfo ask, which are this server's own.
///
/// # Errors
/// When one of these is not so.
pub fn check_for_anybody(
    verifier: &dyn Verifier,
    issuer: &Issuer,
    token: &str,
    now: Timestamp,
) -> Result<AccessToken, AccessTokenError> {
    let claims = read(verifier, issuer, token)?;
    claims.check_time(now)?;
    Ok(claims)
}

/// The claims of `token`, if this server signed it, whether or not it counts now.
pub(super) fn read(
    verifier: &dyn Verifier,
    issuer: &Issuer,
    token: &str,
) -> Result<AccessToken, AccessTokenError> {
    if token.len() > MAX_TOKEN {
        return Err(AccessTokenError::NotOurs);
    }
    let payload = verifier.verify(TYP, token).ok_or(AccessTokenError::NotOurs)?;
    let claims: AccessToken = keys::read_object(&payload).ok_or(AccessTokenError::NotOurs)?;
    if claims.iss == issuer.as_str() { Ok(claims) } else { Err(AccessTokenError::NotOurs) }
}
