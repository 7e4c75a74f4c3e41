//! What the log is told of an answer, and by which function.

use axum::response::Response;
use identety_domain::client::GrantType;

use super::Reason;

/// What a handler tells the log of its answer.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The authenticated client or administrator.
    pub client: Option<String>,
    /// The grant that was used, or would have been.
    pub grant: Option<GrantType>,
    /// Why the request was refused; `None` is success.
    pub reason: Option<Reason>,
    /// What lay behind it.
    pub cause: Option<String>,
    /// What somebody has a copy of who should not.
    pub theft: Option<Theft>,
}

/// What was used a second time, and so is in two hands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Theft {
    /// A code (RFC 6749 §4.1.2).
    Code,
    /// A refresh token (RFC 9700 §4.14.2).
    RefreshToken,
}

impl Outcome {
    /// A refusal.
    #[must_use]
    pub fn refused(reason: impl Into<Reason>, cause: &str) -> Self {
        let (reason, cause) = (Some(reason.into()), Some(cause.to_owned()));
        Self { reason, cause, ..Self::default() }
    }

    /// A success of `client`; with a grant, of which it has got tokens.
    pub fn success(client: impl Into<String>, grant: Option<GrantType>) -> Self {
        Self { client: Some(client.into()), grant, ..Self::default() }
    }

    /// Sends it along with the answer; it does not leave the process.
    pub fn attach(self, response: &mut Response) {
        response.extensions_mut().insert(self);
    }
}

/// The functions, as the metric of cold starts tells them apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Function {
    /// The back channel.
    Token,
    /// The front channel.
    Authorize,
    /// The administration.
    ClientAdmin,
    /// The rotation of keys.
    KeyRotation,
}

impl Function {
    /// The name of the crate.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Authorize => "authorize",
            Self::ClientAdmin => "client-admin",
            Self::KeyRotation => "key-rotation",
        }
    }
}
