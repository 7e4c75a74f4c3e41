//! Who this deployment is.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

use url::{Host, Url};

/// The issuer identifier (RFC 8414 §2): exactly the text in every `iss`, without a trailing slash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issuer(Arc<str>);

/// Why a text cannot be an issuer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IssuerError {
    /// Not a URL at all, or without a host.
    #[error("the issuer must be an absolute URL such as https://login.example.com")]
    NotAUrl,
    /// Plain http is only for loopback.
    #[error("the issuer must use https; plain http is only for localhost, 127.0.0.1 and [::1]")]
    NotHttps,
    /// RFC 8414 §2: no query, no fragment.
    #[error("the issuer must have no user information, query or fragment")]
    ExtraParts,
    /// Compared as a text, so one spelling only.
    #[error("the issuer must not end in a slash")]
    TrailingSlash,
}

impl Issuer {
    /// Checks and takes an issuer identifier.
    ///
    /// # Errors
    /// When it is not https (or http on loopback), or carries more than scheme, host, port and path.
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        let url = Url::parse(text).map_err(|_| IssuerError::NotAUrl)?;
        let host = url.host().ok_or(IssuerError::NotAUrl)?;
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&host)) {
            return Err(IssuerError::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() || text.contains(['?', '#', '@'])
        {
            return Err(IssuerError::ExtraParts);
        }
        if text.ends_with('/') {
            return Err(IssuerError::TrailingSlash);
        }
        Ok(Self(text.into()))
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The audience that the administration API asks of its tokens: `{issuer}/admin`.
    #[must_use]
    pub fn admin_audience(&self) -> String {
        format!("{self}/admin")
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Loopback as RFC 8252 §7.3 means it, and the name `localhost`.
pub(crate) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => *address == Ipv4Addr::LOCALHOST,
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// What is the same for every request of a deployment.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer identifier.
    pub issuer: Issuer,
    /// `aud` of tokens whose client names no audience of its own.
    pub default_audience: Arc<str>,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://login.example.com")]
    #[case("https://example.com/tenant")]
    #[case("http://127.0.0.1:8080")]
    #[case("http://localhost:8080")]
    #[case("http://[::1]:8080")]
    fn https_and_loopback_issuers_are_taken_as_written(#[case] text: &str) {
        assert_eq!(Issuer::parse(text).unwrap().as_str(), text);
    }

    #[rstest]
    #[case("login.example.com", IssuerError::NotAUrl)]
    #[case("http://login.example.com", IssuerError::NotHttps)]
    #[case("http://127.0.0.1.example.com", IssuerError::NotHttps)]
    #[case("https://login.example.com/", IssuerError::TrailingSlash)]
    #[case("https://login.example.com?x=1", IssuerError::ExtraParts)]
    #[case("https://login.example.com#x", IssuerError::ExtraParts)]
    #[case("https://me@login.example.com", IssuerError::ExtraParts)]
    fn any_other_issuer_is_refused(#[case] text: &str, #[case] error: IssuerError) {
        assert_eq!(Issuer::parse(text), Err(error));
    }
}
