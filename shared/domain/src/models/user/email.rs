//! E-mail addresses: as their owners write them, and as they are compared.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::values::text::{is_printable, nfc};

/// An e-mail address, as its owner writes it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

/// The longest e-mail address, in bytes (RFC 5321 §4.5.3.1.3, less the brackets).
pub const MAX_EMAIL: usize = 254;

/// The longest part before the `@`, in bytes (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;

impl EmailAddress {
    /// Takes an address: something, an `@`, and a domain of any script. White space around it is none of it: keyboards
    /// of telephones add a space. Whether mail arrives there, only mail can tell. `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(' ');
        let (local, domain) = text.rsplit_once('@')?;
        let is_plain = |c: char| {
            !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '\\' | ',' | ';' | ':' | '(' | ')')
        };
        let fits = !local.is_empty()
            && local.len() <= MAX_LOCAL_PART
            && nfc(local).len() <= MAX_LOCAL_PART
            && !local.contains('@')
            && text.len() <= MAX_EMAIL
            && text.chars().all(is_plain)
            && is_printable(text)
            && !text.chars().any(is_joiner)
            && is_domain(domain)
            && ascii(domain).is_some_and(|domain| is_domain(&domain));
        fits.then(|| Self(text.to_owned()))
    }

    /// The address as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// By which addresses are compared: the part before the `@` in Normalization Form C and lower case, since no
    /// provider of note tells two by their case, and the domain as the DNS has it (UTS #46).
    #[must_use]
    pub fn normalized(&self) -> String {
        let Some((local, domain)) = self.0.rsplit_once('@') else { return lower(&self.0) };
        // An address of before these rules may have a domain that is none.
        let domain = ascii(domain).unwrap_or_else(|| lower(domain).into());
        format!("{}@{domain}", lower(local))
    }

    /// Whether both are the same address.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.normalized() == other.normalized()
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Under which a text is counted that was entered as an address and is none.
pub(crate) fn lower(text: &str) -> String {
    // The small letters of a text in this form need not be in it.
    nfc(&nfc(text).to_lowercase()).into_owned()
}

/// The joiners are invisible, and in an address nothing is written with them.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
}

/// Labels between single dots. That the DNS knows it, only the DNS can tell.
fn is_domain(domain: &str) -> bool {
    !domain.is_empty()
        && domain.len() <= MAX_EMAIL
        && domain.split('.').all(|label| !label.is_empty())
        && !domain.starts_with('-')
        && !domain.ends_with('-')
}

/// A domain as the DNS has it: lower case, and `xn--…` for what is not ASCII (UTS #46, as URLs have it). `None` where
/// there is no such form.
fn ascii(domain: &str) -> Option<Cow<'_, str>> {
    idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::EMPTY).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn parsed(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap_or_else(|| panic!("{text} is an address"))
    }

    #[rstest]
    #[case("Ada@Example.COM", "ada@example.com")]
    #[case("ann@bücher.example", "ann@xn--bcher-kva.example")]
    #[case("ann@BÜCHER.example", "ann@xn--bcher-kva.example")]
    #[case("ann@bu\u{308}cher.example", "ann@xn--bcher-kva.example")]
    #[case("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example")]
    #[case("ann@XN--Bcher-KVA.example", "ann@xn--bcher-kva.example")]
    #[case("JÖRG@example.com", "jörg@example.com")]
    #[case("jo\u{308}rg@example.com", "jörg@example.com")]
    #[case("ann@例え。example", "ann@xn--r8jz45g.example")]
    #[case("ann@ｅｘａｍｐｌｅ.com", "ann@example.com")]
    #[case("straße@faß.example", "straße@xn--fa-hia.example")]
    #[case(" ada@example.com ", "ada@example.com")]
    #[case("o'brien+x/y=z@a_b.example", "o'brien+x/y=z@a_b.example")]
    fn an_address_is_compared_in_one_form(#[case] text: &str, #[case] form: &str) {
        assert_eq!(parsed(text).normalized(), form);
        assert_eq!(parsed(text).as_str(), text.trim());
        assert_eq!(parsed(form).normalized(), form);
    }

    #[rstest]
    #[case("a\u{200b}da@example.com")]
    #[case("a\u{ad}da@example.com")]
    #[case("\u{3164}@example.com")]
    #[case("ada@exam\u{ad}ple.com")]
    #[case("ada@exam\u{200d}ple.com")]
    #[case("a\u{200d}da@example.com")]
    #[case("a\u{202e}da@example.com")]
    #[case("a\u{a0}da@example.com")]
    #[case("a\u{378}da@example.com")]
    #[case("ada@xn--a.example")]
    #[case("ada@example..com")]
    #[case("ada@example。。com")]
    #[case("ada@example.com.")]
    #[case("ada@example.com。")]
    #[case("ada@\u{301}.example")]
    #[case("ada@example.com\n")]
    fn what_cannot_be_seen_or_looked_up_is_no_address(#[case] text: &str) {
        assert_eq!(EmailAddress::parse(text), None, "{text:?}");
    }

    #[test]
    fn other_letters_are_another_address() {
        assert!(!parsed("jorg@example.com").is_same(&parsed("jörg@example.com")));
        assert!(!parsed("ann@bucher.example").is_same(&parsed("ann@bücher.example")));
    }

    proptest! {
        #[test]
        fn the_form_of_a_form_is_that_form(text in "\\PC{1,20}@\\PC{1,20}") {
            if let Some(address) = EmailAddress::parse(&text) {
                let form = address.normalized();
                let again = EmailAddress(form.clone()).normalized();
                prop_assert_eq!(again, form);
            }
        }
    }
}
