//! The parameters of a token request, parsed once into a closed enum.

use super::TokenError;
use crate::Secret;
use crate::client::GrantType;

/// The parameters as they came: each at most once (`resource` excepted), an empty one left out.
#[derive(Clone, Debug, Default)]
pub struct TokenParameters {
    /// RFC 6749 §4.
    pub grant_type: Option<String>,
    /// RFC 6749 §3.3.
    pub scope: Option<String>,
    /// RFC 8707 §2.
    pub resources: Vec<String>,
    /// RFC 6749 §4.1.3.
    pub code: Option<Secret>,
    /// RFC 6749 §4.1.3.
    pub redirect_uri: Option<String>,
    /// RFC 7636 §4.5.
    pub code_verifier: Option<Secret>,
    /// RFC 6749 §6.
    pub refresh_token: Option<Secret>,
}

/// A token request that this server understands.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// RFC 6749 §4.1.3.
    AuthorizationCode(AuthorizationCodeRequest),
    /// RFC 6749 §6.
    RefreshToken(RefreshTokenRequest),
    /// RFC 6749 §4.4.2.
    ClientCredentials(ClientCredentialsRequest),
}

/// The parameters of the authorization code grant.
#[derive(Clone, Debug)]
pub struct AuthorizationCodeRequest {
    /// The code.
    pub code: Secret,
    /// The redirect URI of the authorization request.
    pub redirect_uri: Option<String>,
    /// What the code challenge was made of.
    pub code_verifier: Option<Secret>,
    /// Whom the access token shall be for.
    pub resources: Vec<String>,
}

/// The parameters of the refresh token grant.
#[derive(Clone, Debug)]
pub struct RefreshTokenRequest {
    /// The refresh token.
    pub refresh_token: Secret,
    /// What the access token shall allow; `None` asks for all that was granted.
    pub scope: Option<String>,
    /// Whom the access token shall be for.
    pub resources: Vec<String>,
}

/// The parameters of the client credentials grant.
#[derive(Clone, Debug)]
pub struct ClientCredentialsRequest {
    /// What the token shall allow; `None` asks for the whole allow-list.
    pub scope: Option<String>,
    /// Whom the token shall be for.
    pub resources: Vec<String>,
}

impl TokenParameters {
    /// The grant that is asked for.
    ///
    /// # Errors
    /// `invalid_request` without `grant_type`, `unsupported_grant_type` for one that is not here.
    pub fn grant(&self) -> Result<GrantType, TokenError> {
        let grant_type = self.grant_type.as_deref();
        let grant_type = grant_type.ok_or(TokenError::InvalidRequest("grant_type is missing"))?;
        match GrantType::ALL.into_iter().find(|grant| grant.as_str() == grant_type) {
            Some(GrantType::TokenExchange) | None => Err(TokenError::UnsupportedGrantType),
            Some(grant) => Ok(grant),
        }
    }
}

impl TokenRequest {
    /// Reads the parameters of `grant`. Those of other grants are ignored, as unknown ones are; so is
    /// `scope` beside a code, for what a code allows is decided already.
    ///
    /// # Errors
    /// `invalid_request` without what the grant needs, `unsupported_grant_type` for one that is not here.
    pub fn parse(grant: GrantType, parameters: TokenParameters) -> Result<Self, TokenError> {
        let TokenParameters {
            grant_type: _,
            scope,
            resources,
            code,
            redirect_uri,
            code_verifier,
            refresh_token,
        } = parameters;
        match grant {
            GrantType::AuthorizationCode => {
                let code = code.ok_or(TokenError::InvalidRequest("code is missing"))?;
                Ok(Self::AuthorizationCode(AuthorizationCodeRequest {
                    code,
                    redirect_uri,
                    code_verifier,
                    resources,
                }))
            }
            GrantType::RefreshToken => {
                let refresh_token =
                    refresh_token.ok_or(TokenError::InvalidRequest("refresh_token is missing"))?;
                Ok(Self::RefreshToken(RefreshTokenRequest { refresh_token, scope, resources }))
            }
            GrantType::ClientCredentials => {
                Ok(Self::ClientCredentials(ClientCredentialsRequest { scope, resources }))
            }
            GrantType::TokenExchange => Err(TokenError::UnsupportedGrantType),
        }
    }
}
