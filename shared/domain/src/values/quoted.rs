//! Values of callers inside messages.

use std::fmt::Write as _;

/// The most bytes of a value that a message repeats.
const MOST: usize = 160;

/// A value of a caller as a message may repeat it: bounded, in the characters of an `error_description`
/// (`%x20-21 / %x23-5B / %x5D-7E`, RFC 6749 §5.2), so that it neither breaks out of a header, a line of the log or a
/// quotation, nor turns the text around it. Every other byte is percent-encoded, as URIs have it.
#[must_use]
pub(crate) fn bounded(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        if matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E) {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
        if text.len() > MOST {
            text.truncate(MOST);
            text.push_str("...");
            break;
        }
    }
    text
}

/// The same in single quotation marks, for a sentence.
#[must_use]
pub(crate) fn quoted(value: &str) -> String {
    format!("'{}'", bounded(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("read:orders", "'read:orders'")]
    #[case("https://app.example/cb?a=1&b=%20", "'https://app.example/cb?a=1&b=%20'")]
    #[case("a\"b\\c", "'a%22b%5Cc'")]
    #[case("a\r\nb", "'a%0D%0Ab'")]
    #[case("é\u{202e}", "'%C3%A9%E2%80%AE'")]
    #[case("", "''")]
    fn a_value_is_quoted_within_the_characters_of_a_description(
        #[case] value: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(quoted(value), expected);
    }

    #[test]
    fn a_long_value_is_cut() {
        let most = "a".repeat(MOST);
        assert_eq!(bounded(&most), most);
        assert_eq!(bounded(&"a".repeat(10_000)), format!("{most}..."));
        assert!(bounded(&"é".repeat(10_000)).len() <= MOST + 3);
    }

    proptest! {
        #[test]
        fn no_value_leaves_the_characters_of_a_description(value in any::<String>()) {
            let legal = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
            let text = bounded(&value);
            prop_assert!(text.len() <= MOST + 3 && text.bytes().all(legal), "{text}");
        }
    }
}
