//! Successful answers (RFC 6749 §5.1), each grant's own.

use std::fmt;

use serde::Serialize;

use crate::models::token::TokenType;
use crate::values::Seconds;

/// The answer of the grant that was used.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub enum TokenResponse {
    /// Of the client credentials grant: RFC 6749 §4.4.3, no refresh token.
    ClientCredentials(AccessTokenResponse),
    /// Of the authorization code and the refresh token grant.
    User(UserTokenResponse),
}

/// What every answer has.
#[derive(Clone, Serialize)]
pub struct AccessTokenResponse {
    /// The token, a JWT (RFC 9068).
    pub access_token: String,
    /// How the token is presented.
    pub token_type: TokenType,
    /// How long the token lives.
    pub expires_in: Seconds,
    /// What the token allows; left out when that is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// What a client gets that acts for a user.
#[derive(Clone, Serialize)]
pub struct UserTokenResponse {
    /// The access token.
    #[serde(flatten)]
    pub access: AccessTokenResponse,
    /// The next refresh token (RFC 6749 §1.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Who signed in (OpenID Connect Core 1.0 §3.1.3.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[tokens]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> AccessTokenResponse {
        AccessTokenResponse {
            access_token: "a".to_owned(),
            token_type: TokenType::Bearer,
            expires_in: 60,
            scope: None,
        }
    }

    #[test]
    fn each_grant_answers_with_its_own_members() {
        let own = serde_json::to_value(TokenResponse::ClientCredentials(access())).unwrap();
        let base =
            serde_json::json!({"access_token": "a", "token_type": "Bearer", "expires_in": 60});
        assert_eq!(own, base);
        let refresh_token = Some("r".to_owned());
        let user = UserTokenResponse { access: access(), refresh_token, id_token: None };
        let mut expected = base;
        expected["refresh_token"] = "r".into();
        assert_eq!(serde_json::to_value(TokenResponse::User(user)).unwrap(), expected);
    }

    #[test]
    fn no_token_is_shown_when_an_answer_is_debugged() {
        assert_eq!(format!("{:?}", TokenResponse::ClientCredentials(access())), "[tokens]");
    }
}
