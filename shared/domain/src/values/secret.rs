//! Values that must not be seen: redacted in `Debug`, wiped when dropped, compared in constant time.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret text: a client secret, an API key, a password.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; it is wiped from memory when the last clone goes.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself. Never put it into a log, an error or a URL.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters, by which people tell their secrets apart.
    #[must_use]
    pub fn hint(&self) -> String {
        let tail = self.0.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        self.0.get(tail..).unwrap_or_default().to_owned()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_redacted_when_debugged() {
        assert_eq!(format!("{:?}", Secret::from("hunter2")), "[redacted]");
    }

    #[test]
    fn the_hint_is_the_last_four_characters() {
        assert_eq!(Secret::from("m2m_secret_abcdWXYZ").hint(), "WXYZ");
        assert_eq!(Secret::from("ab").hint(), "ab");
        assert_eq!(Secret::from("").hint(), "");
    }
}
