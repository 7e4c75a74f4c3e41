//! The one parser of tokens that callers present: access tokens, refresh tokens, and ID tokens as hints.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use uuid::Uuid;

use crate::models::grant::{RefreshKey, RefreshToken};
use crate::models::keys::{self, Judgement};
use crate::models::token::{ACCESS_TOKEN_TYP, AccessToken, AccessTokenError};
use crate::stores::{StoreError, Verifier};
use crate::values::{ClientId, Issuer, SessionId, Timestamp};

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
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read(
        reader: TokenReader<'_>,
        refresh_key: &RefreshKey,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        if let Some(token) = refresh_key.read(token) {
            return Ok(Some(Self::RefreshToken(token)));
        }
        match reader.access_token(token, now).await {
            Ok(token) => Ok(Some(Self::AccessToken(Box::new(token)))),
            Err(ReadError::Token(_)) => Ok(None),
            Err(ReadError::Store(error)) => Err(error),
        }
    }
}

/// Why an access token is not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It does not count.
    #[error(transparent)]
    Token(#[from] AccessTokenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    /// When this server did not sign it as an access token; or when the store fails.
    pub async fn access_token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<AccessToken, ReadError> {
        let token = match self.judge(ACCESS_TOKEN_TYP, token, now).await? {
            Judgement::Genuine(payload) => AccessToken::of_claims(&payload, self.issuer),
            Judgement::UnknownKey | Judgement::Forged => None,
        };
        Ok(token.ok_or(AccessTokenError::NotOurs)?)
    }

    /// The access token, if it is for `audience`, counts at `now`, and may come alone.
    ///
    /// # Errors
    /// When one of these is not so; or when the store fails.
    pub async fn bearer_token_for(
        &self,
        audience: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<AccessToken, ReadError> {
        let token = self.access_token(token, now).await?;
        token.check_time(now)?;
        token.check_bearer()?;
        if token.audience.contains(audience) {
            Ok(token)
        } else {
            Err(AccessTokenError::OtherAudience.into())
        }
    }

    /// What an ID token is worth that comes back as `id_token_hint`. Whether it has expired does not matter
    /// to a hint.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn id_token_hint(&self, hint: &str, now: Timestamp) -> Result<Hint, StoreError> {
        Ok(match self.judge(ID_TOKEN_TYP, hint, now).await? {
            Judgement::Genuine(payload) => {
                self.hint_of(&payload).map_or(Hint::NotOurs, Hint::Genuine)
            }
            Judgement::UnknownKey => {
                let claims = unverified_payload(hint).and_then(|payload| self.hint_of(&payload));
                claims.map_or(Hint::NotOurs, |claims| Hint::UnknownKey(claims.client_id))
            }
            Judgement::Forged => Hint::NotOurs,
        })
    }

    fn hint_of(&self, payload: &[u8]) -> Option<IdTokenHint> {
        #[derive(Deserialize)]
        struct Claims {
            iss: String,
            sub: Uuid,
            aud: String,
            sid: Option<SessionId>,
        }
        let claims: Claims = keys::read_object(payload)?;
        let client_id = ClientId::parse(&claims.aud)?;
        (claims.iss == self.issuer.as_str()).then_some(IdTokenHint {
            user: claims.sub,
            client_id,
            session: claims.sid,
        })
    }

    /// Judges a token, of which the length is bounded before anything else is done.
    async fn judge(&self, typ: &str, token: &str, now: Timestamp) -> Result<Judgement, StoreError> {
        if token.len() > MAX_TOKEN {
            return Ok(Judgement::Forged);
        }
        self.verifier.verify(typ, token, now).await
    }
}

/// What a JWS says that no known key has signed. It may choose the error, and is believed in nothing else.
fn unverified_payload(jws: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(jws.split('.').nth(1)?).ok()
}

/// What a text is worth that comes as `id_token_hint`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Hint {
    /// This server signed it as an ID token.
    Genuine(IdTokenHint),
    /// It says that this server made it for this client, but the key that it names is not published. An old
    /// ID token is like that, and so is a forged one: it names no user.
    UnknownKey(ClientId),
    /// It is no ID token of this server.
    NotOurs,
}

impl Hint {
    /// What it says, if it is genuine.
    #[must_use]
    pub fn genuine(self) -> Option<IdTokenHint> {
        match self {
            Self::Genuine(hint) => Some(hint),
            Self::UnknownKey(_) | Self::NotOurs => None,
        }
    }
}

/// What a genuine ID token says that comes back as a hint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IdTokenHint {
    /// The user.
    pub user: Uuid,
    /// The client that it was made for.
    pub client_id: ClientId,
    /// The session in which its user allowed it (`sid`).
    pub session: Option<SessionId>,
}
