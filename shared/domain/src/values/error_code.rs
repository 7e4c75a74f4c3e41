//! The one vocabulary of OAuth errors, and which endpoint may answer with which.

use std::borrow::Cow;

use super::Seconds;
use super::vocabulary::vocabulary;

/// An endpoint with errors of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6.
    Authorization,
    /// RFC 6749 §5.2.
    Token,
    /// RFC 7009 §2.2.1.
    Revocation,
    /// RFC 7662 §2.3.
    Introspection,
    /// A resource that takes bearer tokens, such as userinfo (RFC 6750 §3.1).
    Resource,
}

vocabulary! {
    /// The value of `error` in an answer of an OAuth endpoint.
    pub enum ErrorCode {
        /// A parameter is missing, repeated or malformed (RFC 6749 §5.2).
        InvalidRequest => "invalid_request",
        /// The client is not authenticated (RFC 6749 §5.2).
        InvalidClient => "invalid_client",
        /// The code or the refresh token is not valid (RFC 6749 §5.2).
        InvalidGrant => "invalid_grant",
        /// The client may not use the grant (RFC 6749 §4.1.2.1, §5.2).
        UnauthorizedClient => "unauthorized_client",
        /// The server has no such grant (RFC 6749 §5.2).
        UnsupportedGrantType => "unsupported_grant_type",
        /// The server has no such response type (RFC 6749 §4.1.2.1).
        UnsupportedResponseType => "unsupported_response_type",
        /// The token is of a kind that cannot be revoked (RFC 7009 §2.2.1).
        UnsupportedTokenType => "unsupported_token_type",
        /// The scope is malformed, or beyond what the client may have (RFC 6749 §4.1.2.1, §5.2).
        InvalidScope => "invalid_scope",
        /// The resource is not one that the client may ask for (RFC 8707 §2).
        InvalidTarget => "invalid_target",
        /// The access token is not valid (RFC 6750 §3.1).
        InvalidToken => "invalid_token",
        /// The access token does not allow this (RFC 6750 §3.1).
        InsufficientScope => "insufficient_scope",
        /// The user denies the request (RFC 6749 §4.1.2.1).
        AccessDenied => "access_denied",
        /// The user has to sign in, and no page may be shown (OpenID Connect Core 1.0 §3.1.2.6).
        LoginRequired => "login_required",
        /// The user has to consent, and no page may be shown (OpenID Connect Core 1.0 §3.1.2.6).
        ConsentRequired => "consent_required",
        /// No sign-in is of the class that the client needs (OpenID Connect Core Error Code
        /// `unmet_authentication_requirements` 1.0 §2).
        UnmetAuthenticationRequirements => "unmet_authentication_requirements",
        /// A request object (OpenID Connect Core 1.0 §3.1.2.6).
        RequestNotSupported => "request_not_supported",
        /// A reference to a request object (OpenID Connect Core 1.0 §3.1.2.6).
        RequestUriNotSupported => "request_uri_not_supported",
        /// The server is busy, or its store is out of reach (RFC 6749 §4.1.2.1).
        TemporarilyUnavailable => "temporarily_unavailable",
        /// The server failed (RFC 6749 §4.1.2.1).
        ServerError => "server_error",
    }
}

impl ErrorCode {
    /// The endpoints whose specifications have the code.
    #[must_use]
    pub const fn endpoints(self) -> &'static [Endpoint] {
        use Endpoint::{Authorization, Introspection, Resource, Revocation, Token};
        match self {
            Self::InvalidRequest | Self::TemporarilyUnavailable | Self::ServerError => {
                &[Authorization, Token, Revocation, Introspection, Resource]
            }
            Self::InvalidClient => &[Token, Revocation, Introspection],
            Self::InvalidGrant | Self::UnsupportedGrantType => &[Token],
            Self::UnauthorizedClient | Self::InvalidScope | Self::InvalidTarget => {
                &[Authorization, Token]
            }
            Self::UnsupportedResponseType
            | Self::AccessDenied
            | Self::LoginRequired
            | Self::ConsentRequired
            | Self::UnmetAuthenticationRequirements
            | Self::RequestNotSupported
            | Self::RequestUriNotSupported => &[Authorization],
            Self::UnsupportedTokenType => &[Revocation],
            Self::InvalidToken | Self::InsufficientScope => &[Resource],
        }
    }

    /// Whether `endpoint` may answer with the code.
    #[must_use]
    pub fn is_of(self, endpoint: Endpoint) -> bool {
        self.endpoints().contains(&endpoint)
    }
}

/// What the caller is told of an error. The cause is not in it: that goes to the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicError {
    /// The code.
    pub code: ErrorCode,
    /// One sentence, within `%x20-21 / %x23-5B / %x5D-7E`. Values of the caller in it are quoted and bounded.
    pub description: Cow<'static, str>,
    /// The seconds after which another attempt may succeed, if one may.
    pub retry_after: Option<Seconds>,
}

impl PublicError {
    /// An error that another attempt does not mend.
    #[must_use]
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description: Cow::Borrowed(description), retry_after: None }
    }

    /// The same with a description that names what the caller did.
    #[must_use]
    pub const fn naming(code: ErrorCode, description: String) -> Self {
        Self { code, description: Cow::Owned(description), retry_after: None }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_codes_are_written_alike() {
        let words: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn every_endpoint_can_say_that_it_failed_and_none_has_the_errors_of_another() {
        use Endpoint::{Authorization, Introspection, Resource, Revocation, Token};
        for endpoint in [Authorization, Token, Revocation, Introspection, Resource] {
            assert!(ErrorCode::ServerError.is_of(endpoint));
            assert!(ErrorCode::TemporarilyUnavailable.is_of(endpoint));
        }
        assert!(!ErrorCode::InvalidClient.is_of(Authorization));
        assert!(!ErrorCode::LoginRequired.is_of(Token));
        assert!(!ErrorCode::InvalidGrant.is_of(Revocation));
    }
}
