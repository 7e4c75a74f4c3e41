//! The reason of a refusal, from what HTTP and OAuth say of it.

use http::StatusCode;
use identety_domain::{ErrorCode, Reason};

/// What a status alone says.
#[must_use]
pub fn of_status(status: StatusCode) -> Reason {
    match status {
        StatusCode::UNAUTHORIZED => Reason::Unauthorized,
        StatusCode::FORBIDDEN => Reason::Forbidden,
        StatusCode::NOT_FOUND => Reason::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Reason::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => Reason::RequestTimeout,
        StatusCode::CONFLICT => Reason::Conflict,
        StatusCode::PRECONDITION_FAILED => Reason::PreconditionFailed,
        StatusCode::PAYLOAD_TOO_LARGE => Reason::ContentTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Reason::UnsupportedMediaType,
        StatusCode::TOO_MANY_REQUESTS => Reason::TooManyAttempts,
        StatusCode::SERVICE_UNAVAILABLE => ErrorCode::TemporarilyUnavailable.into(),
        status if status.is_server_error() => ErrorCode::ServerError.into(),
        _ => ErrorCode::InvalidRequest.into(),
    }
}

/// What an OAuth error says that is sent with `status`: the code, unless the status says more.
#[must_use]
pub fn of_oauth_error(status: StatusCode, code: ErrorCode) -> Reason {
    match (code, of_status(status)) {
        (ErrorCode::InvalidRequest, reason)
        | (ErrorCode::InvalidClient, reason @ Reason::TooManyAttempts) => reason,
        (code, _) => code.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reason_has_a_word_of_its_own() {
        let words: HashSet<_> = Reason::all().map(Reason::as_str).collect();
        assert_eq!(words.len(), Reason::all().count());
        let is_plain = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(words.iter().all(|word| is_plain(word)));
    }

    #[test]
    fn every_status_of_a_refusal_has_a_reason_of_the_closed_set() {
        for status in 400..=999 {
            let reason = of_status(StatusCode::from_u16(status).unwrap());
            assert!(Reason::all().any(|one| one == reason));
            if status >= 600 {
                assert_eq!(reason, Reason::Error(ErrorCode::InvalidRequest));
            }
        }
        assert_eq!(of_status(StatusCode::BAD_GATEWAY), Reason::Error(ErrorCode::ServerError));
    }

    #[test]
    fn the_status_of_an_oauth_error_says_more_only_where_the_code_says_little() {
        use ErrorCode as Code;
        for (status, code, reason) in [
            (
                StatusCode::BAD_REQUEST,
                Code::InvalidRequest,
                Reason::Error(ErrorCode::InvalidRequest),
            ),
            (StatusCode::NOT_FOUND, Code::InvalidRequest, Reason::NotFound),
            (StatusCode::PAYLOAD_TOO_LARGE, Code::InvalidRequest, Reason::ContentTooLarge),
            (
                StatusCode::UNAUTHORIZED,
                Code::InvalidClient,
                Reason::Error(ErrorCode::InvalidClient),
            ),
            (StatusCode::TOO_MANY_REQUESTS, Code::InvalidClient, Reason::TooManyAttempts),
            (StatusCode::UNAUTHORIZED, Code::InvalidToken, Reason::Error(ErrorCode::InvalidToken)),
            (
                StatusCode::FORBIDDEN,
                Code::InsufficientScope,
                Reason::Error(ErrorCode::InsufficientScope),
            ),
        ] {
            assert_eq!(of_oauth_error(status, code), reason);
        }
    }
}
