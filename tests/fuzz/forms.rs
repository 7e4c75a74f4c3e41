//! Forms, against a decoder of one's own and the one of the crate `url`.

use identety_http::form::{Form, FormError};

use crate::mutation::{Examples, fuzz};

const EXAMPLES: Examples = Examples {
    whole: &[
        "grant_type=client_credentials&scope=orders%3Aread+orders%3Awrite",
        "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&redirect_uri=https%3A%2F%2Fa.example%2Fcb",
        "resource=https%3A%2F%2Fapi.example&resource=https%3A%2F%2Fother.example",
        "a=%E4%BD%A0%E5%A5%BD&b=%F0%9F%98%80&c=",
        "&&a&=b&c=d=e&+=%20",
    ],
    pieces: &[
        "%",
        "%0",
        "%00",
        "%0A",
        "%C0%AF",
        "%FF",
        "%ED%A0%80",
        "&",
        "=",
        "+",
        ";",
        "resource=",
        "a=",
    ],
};

/// What a form says, by the rules alone; `None` where it breaks one.
fn oracle(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut all: Vec<(String, String)> = Vec::new();
    for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let mut half = || text(halves.next().unwrap_or_default());
        let (name, value) = (half()?, half()?);
        let is_again = all.iter().any(|(known, _)| *known == name);
        if is_again && name != "resource" {
            return None;
        }
        all.push((name, value));
    }
    (all.len() <= 100).then_some(all)
}

fn text(encoded: &[u8]) -> Option<String> {
    let spaced: Vec<u8> =
        encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let is_digit = |at: usize| spaced.get(at).is_some_and(u8::is_ascii_hexdigit);
    for (at, _) in spaced.iter().enumerate().filter(|(_, byte)| **byte == b'%') {
        if !is_digit(at + 1) || !is_digit(at + 2) {
            return None;
        }
    }
    let decoded = percent_encoding::percent_decode(&spaced).decode_utf8().ok()?;
    let is_plain = decoded.chars().all(|c| !c.is_control());
    is_plain.then(|| decoded.into_owned())
}

#[test]
fn a_form_is_read_as_the_rules_have_it_or_refused_for_breaking_one() {
    fuzz(EXAMPLES, 20_000, |bytes| match (Form::parse(bytes), oracle(bytes)) {
        (Ok(form), Some(expected)) => {
            let names: Vec<_> = form.names().map(str::to_owned).collect();
            assert_eq!(names, expected.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
            check_values(form, &expected);
            let of_url: Vec<_> = url::form_urlencoded::parse(bytes).into_owned().collect();
            assert_eq!(of_url, expected, "another decoder says the same");
        }
        (Err(error), None) => assert!(!matches!(error, FormError::Body(_))),
        (parsed, expected) => panic!("{parsed:?}, and by the rules {expected:?}"),
    });
}

/// Checks what can be taken out of a form.
fn check_values(mut form: Form, expected: &[(String, String)]) {
    for (name, value) in expected.iter().filter(|(name, _)| name != "resource") {
        let given = Some(value.clone()).filter(|value| !value.is_empty());
        assert_eq!(form.take(name), given);
        assert_eq!(form.take(name), None, "it is taken out");
    }
    let resources = expected.iter().filter(|(name, value)| name == "resource" && !value.is_empty());
    let resources: Vec<_> = resources.map(|(_, value)| value.clone()).collect();
    assert_eq!(form.take_all("resource"), resources);
    assert_eq!(form.names().count(), 0);
}
