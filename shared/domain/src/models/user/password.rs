//! What a new password must be like.

use std::borrow::Cow;

use crate::values::Secret;
use crate::values::text::nfkc;

/// A password that somebody may set: 8–256 characters, at most 1024 bytes, none of them a control
/// character. No other rule makes guessing harder (NIST SP 800-63B §3.1.1.2).
///
/// It is kept in Normalization Form KC, as that section has it: another keyboard writes the same characters
/// otherwise.
///
/// A password that somebody signs in with is a [`Secret`]: the rules may have been others when it was
/// set.
#[derive(Clone, Debug)]
pub struct Password(Secret);

const MIN_CHARACTERS: usize = 8;
const MAX_CHARACTERS: usize = 256;
/// The most bytes that a password can have.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// Why a text is no password.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than 8 characters.
    #[error("must have at least 8 characters")]
    TooShort,
    /// More than 256 characters or 1024 bytes.
    #[error("must have at most 256 characters, and at most 1024 bytes in UTF-8")]
    TooLong,
    /// A line break, a tab or the like, which nobody types into a field.
    #[error("must have no control characters")]
    ControlCharacter,
}

impl Password {
    /// Checks a new password.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn new(secret: Secret) -> Result<Self, PasswordError> {
        let text = secret.expose();
        let characters = text.chars().count();
        let changed = match nfkc(text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(changed) => Some(Secret::new(changed)),
        };
        let normal = changed.as_ref().unwrap_or(&secret).expose();
        if normal.chars().count().min(characters) < MIN_CHARACTERS {
            return Err(PasswordError::TooShort);
        }
        if characters > MAX_CHARACTERS || text.len() > MAX_PASSWORD_BYTES {
            return Err(PasswordError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(PasswordError::ControlCharacter);
        }
        Ok(Self(changed.unwrap_or(secret)))
    }

    /// The password as what it is, in its normal form.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("8 charac")]
    #[case("pässwörd")]
    #[case(&"x".repeat(256))]
    #[case(&"🔑".repeat(256))]
    fn a_long_enough_text_of_any_script_is_a_password(#[case] text: &str) {
        assert_eq!(Password::new(text.into()).unwrap().secret().expose(), text);
    }

    #[rstest]
    #[case("", PasswordError::TooShort)]
    #[case("7 chars", PasswordError::TooShort)]
    #[case("🔑🔑🔑", PasswordError::TooShort)]
    #[case(&"x".repeat(257), PasswordError::TooLong)]
    #[case("line\nbreak", PasswordError::ControlCharacter)]
    #[case("nothing\0more", PasswordError::ControlCharacter)]
    fn another_text_is_none(#[case] text: &str, #[case] error: PasswordError) {
        assert_eq!(Password::new(text.into()).unwrap_err(), error);
    }

    #[rstest]
    #[case("pa\u{308}sswo\u{308}rd", "pässwörd")]
    #[case("ﬁve ｗｏｒｄｓ", "five words")]
    fn a_password_is_kept_in_one_form(#[case] text: &str, #[case] form: &str) {
        assert_eq!(Password::new(text.into()).unwrap().secret().expose(), form);
    }

    #[test]
    fn marks_that_belong_to_letters_do_not_make_a_password_longer() {
        let seven = "e\u{301}".repeat(7);
        assert_eq!(Password::new(seven.as_str().into()).unwrap_err(), PasswordError::TooShort);
        let six = "ﬃ".repeat(6);
        assert_eq!(Password::new(six.as_str().into()).unwrap_err(), PasswordError::TooShort);
    }

    #[test]
    fn a_password_is_redacted_when_debugged() {
        let password = Password::new("correct horse".into()).unwrap();
        assert!(!format!("{password:?}").contains("horse"));
    }
}
