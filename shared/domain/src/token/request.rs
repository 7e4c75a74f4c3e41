//! The parameters of a token request, parsed once into a closed enum.

use super::TokenError;
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
}

/// A token request that this server understands.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// RFC 6749 §4.4.2.
    ClientCredentials(ClientCredentialsRequest),
}

/// The parameters of the client credentials grant.
#[derive(Clone, Debug)]
pub struct ClientCredentialsRequest {
    /// What the token shall allow; `None` asks for the whole allow-list.
    pub scope: Option<String>,
    /// Whom the token shall be for.
    pub resources: Vec<String>,
}

impl TokenRequest {
    /// Reads the parameters of the grant that `grant_type` names.
    ///
    /// # Errors
    /// `invalid_request` without `grant_type`, `unsupported_grant_type` for one that is not here.
    pub fn parse(parameters: TokenParameters) -> Result<Self, TokenError> {
        let TokenParameters { grant_type, scope, resources } = parameters;
        let grant_type = grant_type.ok_or(TokenError::InvalidRequest("grant_type is missing"))?;
        let grant = GrantType::ALL.into_iter().find(|grant| grant.as_str() == grant_type);
        match grant {
            Some(GrantType::ClientCredentials) => {
                Ok(Self::ClientCredentials(ClientCredentialsRequest { scope, resources }))
            }
            Some(
                GrantType::AuthorizationCode | GrantType::RefreshToken | GrantType::TokenExchange,
            )
            | None => Err(TokenError::UnsupportedGrantType),
        }
    }

    /// The grant that is asked for.
    #[must_use]
    pub const fn grant(&self) -> GrantType {
        match self {
            Self::ClientCredentials(_) => GrantType::ClientCredentials,
        }
    }
}
