//! What the bearer of a token must have beside it (RFC 7800).

use serde::{Deserialize, Serialize};

use crate::values::id;

/// A SHA-256 as base64url: 43 characters.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Thumbprint(String);

impl Thumbprint {
    /// Takes a thumbprint. `None` when the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        id::is_url_safe(text, 43).then(|| Self(text.to_owned()))
    }
}

impl TryFrom<String> for Thumbprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a thumbprint is a SHA-256 as base64url")
    }
}

impl From<Thumbprint> for String {
    fn from(thumbprint: Thumbprint) -> Self {
        thumbprint.0
    }
}

/// What a token is bound to: the claim `cnf`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Confirmation {
    /// Nothing: the token is enough.
    #[default]
    None,
    /// A key, which signs a proof for each request (RFC 9449 §6.1): `jkt`.
    Key(Thumbprint),
    /// The certificate of the TLS connection (RFC 8705 §3.1): `x5t#S256`.
    Certificate(Thumbprint),
}

/// How a token is presented (RFC 6749 §7.1): the member `token_type`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum TokenType {
    /// RFC 6750.
    Bearer,
    /// RFC 9449.
    DPoP,
}

/// The claim `cnf` (RFC 7800 §3.1) as it is written.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ConfirmationClaim {
    /// RFC 9449 §6.1.
    #[serde(rename = "jkt")]
    Key(Thumbprint),
    /// RFC 8705 §3.1.
    #[serde(rename = "x5t#S256")]
    Certificate(Thumbprint),
}

impl Confirmation {
    /// How a token that is bound like this is presented.
    #[must_use]
    pub const fn token_type(&self) -> TokenType {
        match self {
            Self::None | Self::Certificate(_) => TokenType::Bearer,
            Self::Key(_) => TokenType::DPoP,
        }
    }

    /// The claim `cnf`, if there is one.
    #[must_use]
    pub fn claim(&self) -> Option<ConfirmationClaim> {
        match self {
            Self::None => None,
            Self::Key(thumbprint) => Some(ConfirmationClaim::Key(thumbprint.clone())),
            Self::Certificate(thumbprint) => {
                Some(ConfirmationClaim::Certificate(thumbprint.clone()))
            }
        }
    }

    pub(super) fn of_claim(claim: Option<ConfirmationClaim>) -> Self {
        match claim {
            None => Self::None,
            Some(ConfirmationClaim::Key(thumbprint)) => Self::Key(thumbprint),
            Some(ConfirmationClaim::Certificate(thumbprint)) => Self::Certificate(thumbprint),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_bound_to_a_key_is_no_bearer_token() {
        let thumbprint = Thumbprint::parse(&"A".repeat(43)).unwrap();
        assert_eq!(Confirmation::Key(thumbprint.clone()).token_type(), TokenType::DPoP);
        assert_eq!(Confirmation::Certificate(thumbprint).token_type(), TokenType::Bearer);
        assert_eq!(Confirmation::None.token_type(), TokenType::Bearer);
    }
}
