//! The one parser of tokens that callers present: access tokens, refresh tokens, and ID tokens as hints.

use serde::Deserialize;
use uuid::Uuid;

use crate::models::grant::{RefreshKey, RefreshToken};
use crate::models::keys::{self, Verifier};
use crate::models::token::{ACCESS_TOKEN_TYP, AccessToken, AccessTokenError};
use crate::values::{ClientId, Issuer, Timestamp};

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8192;

/// The `typ` of ID tokens, which no access token has.
pub(super) const ID_TOKEN_TYP: &str = "JWT";

/// A token that this server made, whether or not it counts now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Presented {
    /// A refresh token.
    RefreshToken(RefreshToken),
    /// An access token.
    AccessToken(Box<AccessToken>),
}

impl Presented {
    /// Reads a token of either kind. `None` where this server did not make it.
    #[must_use]
    pub fn read(reader: TokenReader<'_>, refresh_key: &RefreshKey, token: &str) -> Option<Self> {
        if let Some(token) = refresh_key.read(token) {
            return Some(Self::RefreshToken(token));
        }
        reader.access_token(token).ok().map(Box::new).map(Self::AccessToken)
    }
}

/// Reads JWTs of this server.
#[derive(Clone, Copy)]
pub struct TokenReader<'a> {
    /// Who this deployment is.
    pub issuer: &'a Issuer,
    /// Judges who signed.
    pub verifier: &'a dyn Verifier,
}

impl TokenReader<'_> {
    /// The access token, whether or not it counts now.
    ///
    /// # Errors
    /// When this server did not sign it as an access token.
    pub fn access_token(&self, token: &str) -> Result<AccessToken, AccessTokenError> {
        let payload = self.payload(ACCESS_TOKEN_TYP, token);
        let token = payload.and_then(|payload| AccessToken::of_claims(&payload, self.issuer));
        token.ok_or(AccessTokenError::NotOurs)
    }

    /// The access token, if it is for `audience`, counts at `now`, and may come alone.
    ///
    /// # Errors
    /// When one of these is not so.
    pub fn bearer_token_for(
        &self,
        audience: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<AccessToken, AccessTokenError> {
        let token = self.access_token(token)?;
        token.check_time(now)?;
        token.check_bearer()?;
        if token.audience.contains(audience) {
            Ok(token)
        } else {
            Err(AccessTokenError::OtherAudience)
        }
    }

    /// What an ID token says that comes back as `id_token_hint`. `None` unless this server signed it as one.
    #[must_use]
    pub fn id_token_hint(&self, hint: &str, now: Timestamp) -> Option<IdTokenHint> {
        #[derive(Deserialize)]
        struct Claims {
            iss: String,
            sub: Uuid,
            aud: String,
            exp: u64,
        }
        let claims: Claims = keys::read_object(&self.payload(ID_TOKEN_TYP, hint)?)?;
        let client_id = ClientId::parse(&claims.aud)?;
        (claims.iss == self.issuer.as_str()).then_some(IdTokenHint {
            user: claims.sub,
            client_id,
            is_expired: now.seconds() >= claims.exp,
        })
    }

    /// The payload of a token of this kind, of which the length is bounded before anything else is done.
    fn payload(&self, typ: &str, token: &str) -> Option<Vec<u8>> {
        if token.len() > MAX_TOKEN { None } else { self.verifier.verify(typ, token) }
    }
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
