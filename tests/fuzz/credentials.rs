//! The Basic header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use identety_domain::authentication::Credentials;
use identety_http::credentials::{CredentialsError, extract};
use identety_http::form::{self, Form};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::mutation::{Examples, fuzz};

const EXAMPLES: Examples = Examples {
    whole: &[
        "Basic aWQ6c2VjcmV0",
        "basic aSUzQWQ6YSUyQmIrYw==",
        "Basic bTJtX2FiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eDptMm1fc2VjcmV0X3g=",
        "Basic  aWQ6c2VjcmV0",
        "Bearer aWQ6c2VjcmV0",
    ],
    pieces: &["=", "==", " ", ",", "Basic ", "Og==", "OmE=", "aWQ=", "JQ==", "+", "/", "-", "_"],
};

fn read(value: &HeaderValue) -> Result<(String, String), CredentialsError> {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value.clone())]);
    match extract(&headers, &mut Form::default())? {
        Credentials::Secret { client_id, secret } => Ok((client_id, secret.expose().to_owned())),
        Credentials::None { client_id } => panic!("{client_id} without a secret"),
    }
}

#[test]
fn what_a_basic_header_says_is_what_was_put_into_it_or_it_is_refused() {
    fuzz(EXAMPLES, 20_000, |bytes| {
        let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
        let Ok((id, secret)) = read(&value) else { return };
        assert!(!id.is_empty() && !secret.is_empty());
        // RFC 6749 §2.3.1, by hand.
        let text = value.to_str().expect("visible characters");
        let (scheme, encoded) = text.split_once(' ').expect("a scheme");
        assert!(scheme.eq_ignore_ascii_case("basic"));
        let pair = STANDARD.decode(encoded.trim()).expect("base64");
        let colon = pair.iter().position(|byte| *byte == b':').expect("a colon");
        assert_eq!(form::decode(&pair[..colon]), Ok(id.clone()));
        assert_eq!(form::decode(&pair[colon + 1..]), Ok(secret.clone()));
        // And back again.
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pair = STANDARD.encode(format!("{}:{}", encode(&id), encode(&secret)));
        let again = HeaderValue::from_str(&format!("Basic {pair}")).unwrap();
        assert_eq!(read(&again), Ok((id, secret)));
    });
}
