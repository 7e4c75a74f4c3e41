//! How a request went, for the log.

use super::{ErrorCode, GrantType};

/// What the log says of a request. The steps of the request fill it in; the edge writes it once, at the end.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The authenticated client or administrator, or the client that a browser came for.
    pub client: Option<String>,
    /// The grant that was used, or would have been.
    pub grant: Option<GrantType>,
    /// Why the request was refused; `None` is success.
    pub reason: Option<Reason>,
    /// What lay behind the refusal: never a secret.
    pub cause: Option<String>,
    /// What was used twice, and so is in two hands.
    pub theft: Option<Theft>,
}

impl Outcome {
    /// Notes a refusal.
    pub fn refuse(&mut self, reason: impl Into<Reason>, cause: impl Into<String>) {
        self.reason = Some(reason.into());
        self.cause = Some(cause.into());
    }
}

/// What was used a second time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Theft {
    /// A code (RFC 6749 §4.1.2).
    Code,
    /// A refresh token (RFC 9700 §4.14.2).
    RefreshToken,
}

/// Writes the words beside the OAuth errors, and all of them.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $word:literal,)*) => {
        /// Why a request was refused, as a word of a closed set: it is a dimension of a metric, and each new
        /// value of a dimension costs money.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Reason {
            /// The error that the caller was told.
            Error(ErrorCode),
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            const BESIDE_ERRORS: &[Self] = &[$(Self::$name),*];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::Error(code) => code.as_str(),
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

reasons! {
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
}

impl Reason {
    /// All reasons: the dimension has no other values.
    pub fn all() -> impl Iterator<Item = Self> {
        let errors = ErrorCode::ALL.iter().map(|code| Self::Error(*code));
        errors.chain(Self::BESIDE_ERRORS.iter().copied())
    }
}

impl From<ErrorCode> for Reason {
    fn from(code: ErrorCode) -> Self {
        Self::Error(code)
    }
}
