//! Access tokens: JWTs as RFC 9068 profiles them.

use serde::{Deserialize, Serialize};

use super::confirmation::ConfirmationClaim;
use super::{Actor, Audience, Confirmation, Subject};
use crate::models::client::Client;
use crate::models::keys;
use crate::values::{ClientId, Issuer, Scope, Timestamp};

/// The `typ` of access tokens (RFC 9068 §2.1), which no ID token has.
pub const ACCESS_TOKEN_TYP: &str = "at+jwt";

/// How far the clock of another instance of this server may be ahead, in seconds.
const CLOCK_AHEAD: u64 = 10;

/// An access token of this server (RFC 9068 §2.2). Times are in seconds since the epoch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessToken {
    /// The issuer identifier, exactly: `iss`.
    pub issuer: String,
    /// For whom the client acts: `sub`, and what goes with it.
    pub subject: Subject,
    /// Whom the token is for: `aud`.
    pub audience: Audience,
    /// The client that the token was given to: `client_id`.
    pub client_id: ClientId,
    /// What it allows: `scope`, left out where that is nothing.
    pub scope: Scope,
    /// When it was made: `iat`, and `nbf` too.
    pub issued_at: u64,
    /// From when on it counts: `nbf`.
    pub not_before: u64,
    /// From when on it does not count any more: `exp`.
    pub expires_at: u64,
    /// Its own name, never the same twice: `jti`.
    pub id: String,
    /// What it is bound to: `cnf`.
    pub confirmation: Confirmation,
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
    /// It is for another audience.
    #[error("for another audience")]
    OtherAudience,
    /// It is bound to a key or a certificate, and comes without proof of that.
    #[error("bound to a key or a certificate")]
    Unconfirmed,
}

/// The claims as they are written.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    iat: u64,
    nbf: u64,
    exp: u64,
    jti: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grant_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cnf: Option<ConfirmationClaim>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    act: Option<Actor>,
}

impl AccessToken {
    /// The claims, to be signed.
    ///
    /// # Errors
    /// When they cannot be written as JSON.
    pub fn to_claims(&self) -> Result<Vec<u8>, serde_json::Error> {
        // Destructured whole, so that a member which is not written does not compile.
        let Self {
            issuer,
            subject,
            audience,
            client_id,
            scope,
            issued_at,
            not_before,
            expires_at,
            id,
            confirmation,
        } = self;
        serde_json::to_vec(&Claims {
            iss: issuer.clone(),
            sub: subject.sub(),
            aud: audience.clone(),
            client_id: client_id.to_string(),
            scope: scope.to_parameter(),
            iat: *issued_at,
            nbf: *not_before,
            exp: *expires_at,
            jti: id.clone(),
            grant_id: subject.grant().map(ToString::to_string),
            cnf: confirmation.claim(),
            act: subject.actor().cloned(),
        })
    }

    /// Reads the claims of a token that `issuer` signed. `None` where they are none of an access token.
    #[must_use]
    pub fn of_claims(payload: &[u8], issuer: &Issuer) -> Option<Self> {
        let claims: Claims = keys::read_object(payload)?;
        let Claims { iss, sub, aud, client_id, scope, iat, nbf, exp, jti, grant_id, cnf, act } =
            claims;
        if iss != issuer.as_str() {
            return None;
        }
        let client_id = ClientId::parse(&client_id)?;
        let scope = scope.as_deref().map(Scope::parse).transpose().ok()?.unwrap_or_default();
        Some(Self {
            issuer: iss,
            subject: Subject::of_claims(&sub, &client_id, grant_id.as_deref(), act)?,
            audience: aud,
            client_id,
            scope,
            issued_at: iat,
            not_before: nbf,
            expires_at: exp,
            id: jti,
            confirmation: Confirmation::of_claim(cnf),
        })
    }

    /// Whether the token was given to `client`, and not to one that had the same clientId before.
    #[must_use]
    pub fn is_of(&self, client: &Client) -> bool {
        self.client_id == client.client_id && self.issued_at >= client.created_at.seconds()
    }

    /// Checks that the token counts at `now`.
    ///
    /// # Errors
    /// When its time is over, or has not come.
    pub fn check_time(&self, now: Timestamp) -> Result<(), AccessTokenError> {
        if now.seconds() >= self.expires_at {
            return Err(AccessTokenError::Expired);
        }
        if self.not_before.max(self.issued_at) > now.seconds() + CLOCK_AHEAD {
            return Err(AccessTokenError::NotYet);
        }
        Ok(())
    }

    /// Checks that the token may come alone, as a bearer token does. A token that is bound to a key must not be
    /// accepted without proof of it (RFC 9449 §7.2).
    ///
    /// # Errors
    /// When it is bound to anything.
    pub const fn check_bearer(&self) -> Result<(), AccessTokenError> {
        match self.confirmation {
            Confirmation::None => Ok(()),
            Confirmation::Key(_) | Confirmation::Certificate(_) => {
                Err(AccessTokenError::Unconfirmed)
            }
        }
    }

    /// What of its scope `client` may still have: a scope that an administrator has taken from the client since
    /// does not count here any more, for as long as that is so.
    #[must_use]
    pub fn scope_for(&self, client: &Client) -> Scope {
        self.scope.within(client.scope())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::super::Thumbprint;
    use super::*;
    use crate::values::GrantId;

    const ISSUER: &str = "https://id.example.com";

    fn token(subject: Subject, confirmation: Confirmation) -> AccessToken {
        AccessToken {
            issuer: ISSUER.to_owned(),
            subject,
            audience: ["https://api.example.com".to_owned()].into_iter().collect(),
            client_id: ClientId::parse("m2m_a").unwrap(),
            scope: Scope::parse("orders:read orders:write").unwrap(),
            issued_at: 1000,
            not_before: 1000,
            expires_at: 4600,
            id: "one".to_owned(),
            confirmation,
        }
    }

    fn itself() -> Subject {
        Subject::Client(ClientId::parse("m2m_a").unwrap())
    }

    fn user() -> Subject {
        Subject::User { id: Uuid::from_u128(7), grant: GrantId::of_code("code") }
    }

    fn exchanged(subject: Subject) -> Subject {
        let before = Actor { sub: ClientId::parse("private_b").unwrap(), act: None };
        let actor = Actor { sub: ClientId::parse("m2m_a").unwrap(), act: Some(Box::new(before)) };
        Subject::Exchanged { subject: Box::new(subject), actor }
    }

    fn thumbprint() -> Thumbprint {
        Thumbprint::parse(&"A".repeat(43)).unwrap()
    }

    #[rstest]
    #[case(itself(), Confirmation::None)]
    #[case(user(), Confirmation::Key(thumbprint()))]
    #[case(exchanged(user()), Confirmation::Certificate(thumbprint()))]
    #[case(exchanged(Subject::Client(ClientId::parse("m2m_c").unwrap())), Confirmation::None)]
    fn a_token_is_read_as_it_was_written(
        #[case] subject: Subject,
        #[case] confirmation: Confirmation,
    ) {
        let token = token(subject, confirmation);
        let issuer = Issuer::parse(ISSUER).unwrap();
        let read = AccessToken::of_claims(&token.to_claims().unwrap(), &issuer);
        assert_eq!(read, Some(token));
    }

    #[rstest]
    #[case("sub", "m2m_b".into())]
    #[case("client_id", "".into())]
    #[case("iss", "https://other.example.com".into())]
    #[case("scope", "two  spaces and \" quotes".into())]
    #[case("grant_id", "not a grant".into())]
    #[case("cnf", serde_json::json!({"jkt": "too short"}))]
    #[case("cnf", serde_json::json!({"kid": "unknown"}))]
    #[case("act", serde_json::json!({"name": "nameless"}))]
    fn claims_that_this_server_does_not_write_are_none(
        #[case] name: &str,
        #[case] value: serde_json::Value,
    ) {
        let claims = token(itself(), Confirmation::None).to_claims().unwrap();
        let mut claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        claims[name] = value;
        let issuer = Issuer::parse(ISSUER).unwrap();
        assert_eq!(AccessToken::of_claims(claims.to_string().as_bytes(), &issuer), None);
    }

    #[test]
    fn only_a_token_that_is_bound_to_nothing_may_come_alone() {
        assert_eq!(token(itself(), Confirmation::None).check_bearer(), Ok(()));
        for bound in [Confirmation::Key(thumbprint()), Confirmation::Certificate(thumbprint())] {
            let refused = token(itself(), bound).check_bearer();
            assert_eq!(refused, Err(AccessTokenError::Unconfirmed));
        }
    }
}
