//! Why a request was refused, as a word of a closed set: it is a dimension of a metric, of which each new
//! value would cost money.

use http::StatusCode;
use identety_domain::authorization::AuthorizationErrorCode;
use identety_domain::token::OAuthErrorCode;

/// Writes the enum, all its members, and their words.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $word:literal,)*) => {
        /// Why a request was refused. Most are the error that the caller was told.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// All of them: there are no other values of the dimension.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

reasons! {
    /// What the caller sent makes no sense.
    InvalidRequest => "invalid_request",
    /// The client has not shown who it is.
    InvalidClient => "invalid_client",
    /// The code or refresh token does not count.
    InvalidGrant => "invalid_grant",
    /// The client may not use this grant, or may not come this way.
    UnauthorizedClient => "unauthorized_client",
    /// There is no such grant.
    UnsupportedGrantType => "unsupported_grant_type",
    /// There is no such response type.
    UnsupportedResponseType => "unsupported_response_type",
    /// A token that cannot be revoked.
    UnsupportedTokenType => "unsupported_token_type",
    /// The scope is not the client's.
    InvalidScope => "invalid_scope",
    /// The resource is not the client's.
    InvalidTarget => "invalid_target",
    /// The access token does not count.
    InvalidToken => "invalid_token",
    /// The access token does not reach as far.
    InsufficientScope => "insufficient_scope",
    /// The user said no.
    AccessDenied => "access_denied",
    /// Nobody has signed in, and nobody may be asked to.
    LoginRequired => "login_required",
    /// Nobody has consented, and nobody may be asked to.
    ConsentRequired => "consent_required",
    /// A request object.
    RequestNotSupported => "request_not_supported",
    /// A reference to a request object.
    RequestUriNotSupported => "request_uri_not_supported",
    /// Address and password are no user's.
    WrongPassword => "wrong_password",
    /// So many failures that the next attempt has to wait.
    TooManyAttempts => "too_many_attempts",
    /// No administrator.
    Unauthorized => "unauthorized",
    /// An administrator who may not do this, or a form that is not of our page.
    Forbidden => "forbidden",
    /// There is nothing at this path, or nobody with this id.
    NotFound => "not_found",
    /// Not in this way.
    MethodNotAllowed => "method_not_allowed",
    /// It would contradict what is there.
    Conflict => "conflict",
    /// What is there has changed meanwhile.
    PreconditionFailed => "precondition_failed",
    /// Too large.
    ContentTooLarge => "content_too_large",
    /// Not the media type.
    UnsupportedMediaType => "unsupported_media_type",
    /// It did not arrive in time.
    RequestTimeout => "request_timeout",
    /// The store or the keys were out of reach.
    TemporarilyUnavailable => "temporarily_unavailable",
    /// A defect.
    ServerError => "server_error",
}

impl Reason {
    /// What a status alone says.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::PRECONDITION_FAILED => Self::PreconditionFailed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::ContentTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::TOO_MANY_REQUESTS => Self::TooManyAttempts,
            StatusCode::SERVICE_UNAVAILABLE => Self::TemporarilyUnavailable,
            status if status.is_server_error() => Self::ServerError,
            _ => Self::InvalidRequest,
        }
    }

    /// What an OAuth error says that is sent with `status`: the code, unless the status says more.
    #[must_use]
    pub fn of_oauth_error(status: StatusCode, code: OAuthErrorCode) -> Self {
        match (code, Self::of_status(status)) {
            (OAuthErrorCode::InvalidRequest, reason)
            | (OAuthErrorCode::InvalidClient, reason @ Self::TooManyAttempts) => reason,
            (code, _) => code.into(),
        }
    }
}

impl From<OAuthErrorCode> for Reason {
    fn from(code: OAuthErrorCode) -> Self {
        match code {
            OAuthErrorCode::InvalidRequest => Self::InvalidRequest,
            OAuthErrorCode::InvalidClient => Self::InvalidClient,
            OAuthErrorCode::InvalidGrant => Self::InvalidGrant,
            OAuthErrorCode::UnauthorizedClient => Self::UnauthorizedClient,
            OAuthErrorCode::UnsupportedGrantType => Self::UnsupportedGrantType,
            OAuthErrorCode::InvalidScope => Self::InvalidScope,
            OAuthErrorCode::InvalidTarget => Self::InvalidTarget,
            OAuthErrorCode::UnsupportedTokenType => Self::UnsupportedTokenType,
            OAuthErrorCode::InvalidToken => Self::InvalidToken,
            OAuthErrorCode::InsufficientScope => Self::InsufficientScope,
            OAuthErrorCode::TemporarilyUnavailable => Self::TemporarilyUnavailable,
            OAuthErrorCode::ServerError => Self::ServerError,
        }
    }
}

impl From<AuthorizationErrorCode> for Reason {
    fn from(code: AuthorizationErrorCode) -> Self {
        use AuthorizationErrorCode as Code;
        match code {
            Code::InvalidRequest => Self::InvalidRequest,
            Code::UnauthorizedClient => Self::UnauthorizedClient,
            Code::AccessDenied => Self::AccessDenied,
            Code::UnsupportedResponseType => Self::UnsupportedResponseType,
            Code::InvalidScope => Self::InvalidScope,
            Code::InvalidTarget => Self::InvalidTarget,
            Code::ServerError => Self::ServerError,
            Code::TemporarilyUnavailable => Self::TemporarilyUnavailable,
            Code::LoginRequired => Self::LoginRequired,
            Code::ConsentRequired => Self::ConsentRequired,
            Code::RequestNotSupported => Self::RequestNotSupported,
            Code::RequestUriNotSupported => Self::RequestUriNotSupported,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reason_has_a_word_of_its_own() {
        let words: HashSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        let is_plain = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(words.iter().all(|word| is_plain(word)));
    }

    #[test]
    fn every_status_of_a_refusal_has_a_reason_of_the_closed_set() {
        for status in 400..=999 {
            let reason = Reason::of_status(StatusCode::from_u16(status).unwrap());
            assert!(Reason::ALL.contains(&reason));
            if status >= 600 {
                assert_eq!(reason, Reason::InvalidRequest);
            }
        }
        assert_eq!(Reason::of_status(StatusCode::BAD_GATEWAY), Reason::ServerError);
    }

    #[test]
    fn the_status_of_an_oauth_error_says_more_only_where_the_code_says_little() {
        use OAuthErrorCode as Code;
        for (status, code, reason) in [
            (StatusCode::BAD_REQUEST, Code::InvalidRequest, Reason::InvalidRequest),
            (StatusCode::NOT_FOUND, Code::InvalidRequest, Reason::NotFound),
            (StatusCode::PAYLOAD_TOO_LARGE, Code::InvalidRequest, Reason::ContentTooLarge),
            (StatusCode::UNAUTHORIZED, Code::InvalidClient, Reason::InvalidClient),
            (StatusCode::TOO_MANY_REQUESTS, Code::InvalidClient, Reason::TooManyAttempts),
            (StatusCode::UNAUTHORIZED, Code::InvalidToken, Reason::InvalidToken),
            (StatusCode::FORBIDDEN, Code::InsufficientScope, Reason::InsufficientScope),
        ] {
            assert_eq!(Reason::of_oauth_error(status, code), reason);
        }
    }
}
