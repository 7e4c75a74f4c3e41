//! Strict forms: `application/x-www-form-urlencoded`, as RFC 6749 Appendix B means it.

use std::fmt;

use axum::body::Body;
use axum::extract::Request;
use http::HeaderMap;
use percent_encoding::percent_decode;

use crate::body::{self, BodyError};

/// The most parameters that a form may have.
const MAX_PARAMETERS: usize = 100;

/// Parameters that may come more than once (RFC 8707 §2).
const REPEATABLE: [&str; 1] = ["resource"];

/// A form whose parameters have been checked.
#[derive(Default)]
pub struct Form(Vec<(String, String)>);

/// The names alone: among the values are secrets, codes and passwords.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// Why a body is no form.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FormError {
    /// The body as such.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// A `%` without two hexadecimal digits.
    #[error("a parameter has a malformed percent-encoding")]
    PercentEncoding,
    /// Bytes that are not UTF-8, overlong encodings among them.
    #[error("a parameter is not UTF-8")]
    NotUtf8,
    /// NUL, CR, LF and their like.
    #[error("a parameter contains a control character")]
    ControlCharacter,
    /// RFC 6749 §3.2: parameters must not be included more than once.
    #[error("a parameter is included more than once")]
    Repeated,
    /// More than anybody needs.
    #[error("there are too many parameters")]
    TooMany,
}

impl Form {
    /// Reads the form of a request. Nothing of the query is heeded.
    ///
    /// # Errors
    /// When the request's body is no form.
    pub async fn read(request: Request) -> Result<Self, FormError> {
        let (parts, body) = request.into_parts();
        Self::read_body(&parts.headers, body).await
    }

    /// Reads the form that `body` is, by what `headers` say of it.
    ///
    /// # Errors
    /// When it is no form.
    pub async fn read_body(headers: &HeaderMap, body: Body) -> Result<Self, FormError> {
        body::check_content_type(headers, &["application/x-www-form-urlencoded"])?;
        Self::parse(&body::read(headers, body).await?)
    }

    /// Reads `name=value` pairs with `&` between them.
    ///
    /// # Errors
    /// When an encoding is malformed or a parameter is repeated.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs(bytes)? {
            let (name, value) = (name?, value?);
            let repeatable = REPEATABLE.contains(&name.as_str());
            if !repeatable && parameters.iter().any(|(known, _)| *known == name) {
                return Err(FormError::Repeated);
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter, which stays.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Takes a parameter out. RFC 6749 §3.2: one without a value counts as left out.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1).filter(|value| !value.is_empty())
    }

    /// Takes all values of a repeatable parameter out, in their order.
    pub fn take_all(&mut self, name: &str) -> Vec<String> {
        let taken = self.0.extract_if(.., |(known, _)| known == name);
        taken.map(|(_, value)| value).filter(|value| !value.is_empty()).collect()
    }

    /// All parameters that were not taken, in their order.
    pub fn into_pairs(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter()
    }

    /// The names of all parameters.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// A name and its value, each as far as it can be read.
pub type Pair = (Result<String, FormError>, Result<String, FormError>);

/// The pairs of a form as they are, for a caller that has to find out first whom to tell of errors.
///
/// # Errors
/// When there are more than anybody needs.
pub fn pairs(bytes: &[u8]) -> Result<Vec<Pair>, FormError> {
    let mut pairs = Vec::new();
    for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if pairs.len() == MAX_PARAMETERS {
            return Err(FormError::TooMany);
        }
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at(at);
        pairs.push((decode(name), decode(value.strip_prefix(b"=").unwrap_or(value))));
    }
    Ok(pairs)
}

/// Decodes one name or value (WHATWG URL §5.1), strictly.
///
/// # Errors
/// When a percent-encoding is malformed, or the result is not UTF-8 or has control characters.
pub fn decode(encoded: &[u8]) -> Result<String, FormError> {
    let mut escapes = encoded.split(|byte| *byte == b'%').skip(1);
    let is_hex = |digit: Option<&u8>| digit.is_some_and(u8::is_ascii_hexdigit);
    if !escapes.all(|rest| is_hex(rest.first()) && is_hex(rest.get(1))) {
        return Err(FormError::PercentEncoding);
    }
    let spaced: Vec<u8> =
        encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let bytes = percent_decode(&spaced).collect();
    let text = String::from_utf8(bytes).map_err(|_| FormError::NotUtf8)?;
    if text.chars().any(char::is_control) {
        return Err(FormError::ControlCharacter);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[test]
    fn plus_and_percent_encodings_are_decoded() {
        let mut form = Form::parse(b"a=1+2%2B%26&b=%C3%A9&c&d=&e=x=y").unwrap();
        assert_eq!(form.take("a").as_deref(), Some("1 2+&"));
        assert_eq!(form.take("b").as_deref(), Some("é"));
        assert_eq!(form.take("c"), None);
        assert_eq!(form.take("d"), None);
        assert_eq!(form.take("e").as_deref(), Some("x=y"));
        assert_eq!(form.take("a"), None);
    }

    #[test]
    fn resource_may_be_repeated_and_keeps_its_order() {
        let mut form = Form::parse(b"x=1&resource=c&resource=b&resource=a&resource=").unwrap();
        assert_eq!(form.take("x").as_deref(), Some("1"));
        assert_eq!(form.take_all("resource"), ["c", "b", "a"]);
    }

    #[rstest]
    #[case(b"a=%", FormError::PercentEncoding)]
    #[case(b"a=%4", FormError::PercentEncoding)]
    #[case(b"a=%zz", FormError::PercentEncoding)]
    #[case(b"a=%ff", FormError::NotUtf8)]
    #[case(b"a=%c0%af", FormError::NotUtf8)]
    #[case(b"a=\xff", FormError::NotUtf8)]
    #[case(b"a=%00", FormError::ControlCharacter)]
    #[case(b"a=x%0d%0ay", FormError::ControlCharacter)]
    #[case(b"a%0a=x", FormError::ControlCharacter)]
    #[case(b"a=1&a=1", FormError::Repeated)]
    #[case(b"a=1&%61=2", FormError::Repeated)]
    #[case(b"a=&a=1", FormError::Repeated)]
    fn a_malformed_form_is_refused(#[case] bytes: &[u8], #[case] error: FormError) {
        assert_eq!(Form::parse(bytes).unwrap_err(), error);
    }

    #[test]
    fn more_than_a_hundred_parameters_are_too_many() {
        let form =
            |count: usize| (0..count).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
        assert!(Form::parse(form(100).as_bytes()).is_ok());
        assert_eq!(Form::parse(form(101).as_bytes()).unwrap_err(), FormError::TooMany);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Form::parse(&bytes);
        }
    }
}
