//! The parameters of a token request, before a grant has read its own.

use std::fmt;

use super::error::TokenError;
use crate::values::{GrantType, Secret};

/// Parameters by name, each at most once (`resource` excepted), an empty one left out. Codes, verifiers and tokens are
/// among them, so all values are secrets until a grant has read them.
#[derive(Clone, Default)]
pub struct TokenParameters(Vec<(String, Secret)>);

impl TokenParameters {
    /// Takes the value of `name` out.
    #[must_use]
    pub fn take(&mut self, name: &str) -> Option<Secret> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Takes the value of `name` out, which is no secret.
    #[must_use]
    pub fn take_text(&mut self, name: &str) -> Option<String> {
        self.take(name).map(|value| value.expose().to_owned())
    }

    /// Takes all values of a repeatable parameter out, in their order.
    #[must_use]
    pub fn take_all(&mut self, name: &str) -> Vec<String> {
        let taken = self.0.extract_if(.., |(known, _)| known == name);
        taken.map(|(_, value)| value.expose().to_owned()).collect()
    }

    /// Takes out what a grant cannot do without.
    ///
    /// # Errors
    /// `invalid_request`, with `missing` for its description.
    pub fn require(&mut self, name: &str, missing: &'static str) -> Result<Secret, TokenError> {
        self.take(name).ok_or(TokenError::InvalidRequest(missing))
    }

    /// The grant that is asked for.
    ///
    /// # Errors
    /// `invalid_request` without `grant_type`, `unsupported_grant_type` for one that is not here.
    pub fn grant(&self) -> Result<GrantType, TokenError> {
        let grant_type = self.0.iter().find(|(name, _)| name == "grant_type");
        let (_, grant_type) =
            grant_type.ok_or(TokenError::InvalidRequest("grant_type is missing"))?;
        GrantType::parse(grant_type.expose()).ok_or(TokenError::UnsupportedGrantType)
    }
}

impl FromIterator<(String, String)> for TokenParameters {
    /// Leaves empty values out (RFC 6749 §3.2).
    fn from_iter<I: IntoIterator<Item = (String, String)>>(parameters: I) -> Self {
        let sent = parameters.into_iter().filter(|(_, value)| !value.is_empty());
        Self(sent.map(|(name, value)| (name, Secret::new(value))).collect())
    }
}

/// The names alone.
impl fmt::Debug for TokenParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_of_a_request_is_shown_when_it_is_debugged() {
        let sent = [("code", "the-code"), ("grant_type", "authorization_code"), ("scope", "")];
        let sent = sent.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let parameters: TokenParameters = sent.into_iter().collect();
        assert_eq!(format!("{parameters:?}"), r#"["code", "grant_type"]"#);
    }
}
