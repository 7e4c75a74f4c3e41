//! Client credentials of a request: exactly one mechanism (RFC 6749 §2.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use identety_domain::Secret;
use identety_domain::authentication::Credentials;
use identety_domain::client::TokenEndpointAuthMethod as Method;

use crate::form::{self, Form};

/// Why a request carries no credentials to judge.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CredentialsError {
    /// RFC 6749 §2.3: more than one mechanism in one request.
    #[error("only one client authentication mechanism may be used")]
    TwoMechanisms,
    /// The identifier in the header and the one in the form differ.
    #[error("client_id does not match the Authorization header")]
    IdMismatch,
    /// More than one Authorization header.
    #[error("only one Authorization header may be sent")]
    TwoHeaders,
    /// A `client_secret` without `client_id`.
    #[error("client_id is missing")]
    IdMissing,
    /// Nothing at all, a header that cannot be read, or a mechanism that is not supported.
    #[error("client authentication failed")]
    Unusable,
}

/// The credentials in the Authorization header or in the form, which loses them.
///
/// # Errors
/// When there are none, more than one, or unreadable ones.
pub fn extract(headers: &HeaderMap, form: &mut Form) -> Result<Credentials, CredentialsError> {
    let shown = Shown {
        basic: basic(headers)?,
        client_id: form.take("client_id"),
        client_secret: form.take("client_secret").map(Secret::new),
        has_assertion: [form.take("client_assertion"), form.take("client_assertion_type")]
            .iter()
            .any(Option::is_some),
    };
    let mut proofs = Method::ALL.into_iter().filter(|method| shown.has_proof_by(*method));
    match (proofs.next(), proofs.next(), shown.has_assertion) {
        (Some(_), Some(_), _) | (Some(_), None, true) => Err(CredentialsError::TwoMechanisms),
        (None, _, true) => Err(CredentialsError::Unusable),
        (Some(method), None, false) => shown.credentials(method),
        (None, _, false) => shown.credentials(Method::None),
    }
}

/// What a request shows, by whatever mechanism.
struct Shown {
    basic: Option<(String, Secret)>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    /// An assertion (RFC 7521 §4.2), by which no client can be registered.
    has_assertion: bool,
}

impl Shown {
    /// Whether there is something by which `method` could prove a client.
    const fn has_proof_by(&self, method: Method) -> bool {
        match method {
            Method::None => false,
            Method::ClientSecretBasic => self.basic.is_some(),
            Method::ClientSecretPost => self.client_secret.is_some(),
        }
    }

    /// The credentials of `method`.
    fn credentials(self, method: Method) -> Result<Credentials, CredentialsError> {
        let Self { basic, client_id, client_secret, has_assertion: _ } = self;
        match method {
            Method::None => {
                let client_id = client_id.ok_or(CredentialsError::Unusable)?;
                Ok(Credentials::None { client_id })
            }
            Method::ClientSecretBasic => {
                let (own, secret) = basic.ok_or(CredentialsError::Unusable)?;
                if client_id.is_some_and(|other| own != other) {
                    return Err(CredentialsError::IdMismatch);
                }
                Ok(Credentials::Secret { client_id: own, secret })
            }
            Method::ClientSecretPost => {
                let secret = client_secret.ok_or(CredentialsError::Unusable)?;
                let client_id = client_id.ok_or(CredentialsError::IdMissing)?;
                Ok(Credentials::Secret { client_id, secret })
            }
        }
    }
}

/// Identifier and secret of `Authorization: Basic`, both form-encoded before base64 (RFC 6749 §2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, Secret)>, CredentialsError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(CredentialsError::TwoHeaders);
    }
    let unusable = || CredentialsError::Unusable;
    let (scheme, encoded) =
        value.to_str().map_err(|_| unusable())?.split_once(' ').ok_or_else(unusable)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(unusable());
    }
    let pair = STANDARD.decode(encoded.trim()).map_err(|_| unusable())?;
    let colon = pair.iter().position(|byte| *byte == b':').ok_or_else(unusable)?;
    let (client_id, secret) = pair.split_at(colon);
    let client_id = form::decode(client_id).map_err(|_| unusable())?;
    let secret = form::decode(secret.get(1..).unwrap_or_default()).map_err(|_| unusable())?;
    if client_id.is_empty() || secret.is_empty() {
        return Err(unusable());
    }
    Ok(Some((client_id, Secret::new(secret))))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn from(
        authorization: Option<&str>,
        form: &str,
    ) -> Result<(String, Option<String>), CredentialsError> {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        let mut form = Form::parse(form.as_bytes()).unwrap();
        match extract(&headers, &mut form)? {
            Credentials::None { client_id } => Ok((client_id, None)),
            Credentials::Secret { client_id, secret } => {
                Ok((client_id, Some(secret.expose().to_owned())))
            }
        }
    }

    fn encoded(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[rstest]
    #[case("id:secret", "id", "secret")]
    #[case("id:se%2Bcret+x%3A%25", "id", "se+cret x:%")]
    #[case("i%3Ad:a:b", "i:d", "a:b")]
    fn basic_is_form_decoded(#[case] pair: &str, #[case] id: &str, #[case] secret: &str) {
        let found = from(Some(&encoded(pair)), "").unwrap();
        assert_eq!(found, (id.to_owned(), Some(secret.to_owned())));
    }

    #[test]
    fn the_scheme_is_compared_without_regard_to_case() {
        let lower = encoded("id:secret").replace("Basic", "basic");
        assert!(from(Some(&lower), "").is_ok());
    }

    #[test]
    fn the_form_may_hold_the_credentials() {
        let found = from(None, "client_id=id&client_secret=s%26x").unwrap();
        assert_eq!(found, ("id".into(), Some("s&x".into())));
        assert_eq!(from(None, "client_id=id").unwrap(), ("id".into(), None));
    }

    #[test]
    fn the_same_client_id_may_stand_beside_the_header() {
        assert!(from(Some(&encoded("id:secret")), "client_id=id").is_ok());
    }

    #[rstest]
    #[case("client_secret=secret", CredentialsError::TwoMechanisms)]
    #[case("client_id=id&client_secret=secret", CredentialsError::TwoMechanisms)]
    #[case("client_assertion=x", CredentialsError::TwoMechanisms)]
    #[case("client_id=other", CredentialsError::IdMismatch)]
    fn a_second_mechanism_beside_basic_is_refused(
        #[case] form: &str,
        #[case] error: CredentialsError,
    ) {
        assert_eq!(from(Some(&encoded("id:secret")), form), Err(error));
    }

    #[rstest]
    #[case("")]
    #[case("Basic")]
    #[case("Basic ")]
    #[case("Basic !!!")]
    #[case("Bearer abc")]
    #[case("Basic aWQ=")] // id
    #[case("Basic OnNlY3JldA==")] // :secret
    #[case("Basic aWQ6")] // id:
    #[case("Basic aWQ6JXp6")] // id:%zz
    #[case("Basic /zo=")] // not UTF-8
    fn a_header_that_cannot_be_read_is_unusable(#[case] value: &str) {
        assert_eq!(from(Some(value), "client_id=id"), Err(CredentialsError::Unusable));
    }

    #[rstest]
    #[case("", CredentialsError::Unusable)]
    #[case("client_secret=x", CredentialsError::IdMissing)]
    #[case("client_id=id&client_assertion=x", CredentialsError::Unusable)]
    #[case("client_id=id&client_secret=x&client_assertion=x", CredentialsError::TwoMechanisms)]
    fn a_form_without_usable_credentials_is_refused(
        #[case] form: &str,
        #[case] error: CredentialsError,
    ) {
        assert_eq!(from(None, form), Err(error));
    }
}
