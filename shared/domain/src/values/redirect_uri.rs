//! Redirect URIs: the rules at registration and the comparison afterwards.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::issuer::is_loopback;

/// A registered redirect URI, kept exactly as it was written.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

/// The longest redirect URI, in bytes.
const MAX_REDIRECT_URI: usize = 2048;

/// Why a text cannot be registered as a redirect URI.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RedirectUriError {
    /// Relative, malformed, or with characters that URIs do not have.
    #[error(
        "must be an absolute URI of at most 2048 ASCII characters, without spaces or backslashes"
    )]
    NotAbsolute,
    /// RFC 6749 §3.1.2.
    #[error("must not have a fragment (#)")]
    Fragment,
    /// Exact match leaves nothing for a wildcard to do.
    #[error("must not have a wildcard (*): redirect URIs match exactly")]
    Wildcard,
    /// `https://trusted@evil.example`.
    #[error("must not have user information (@) before the host")]
    UserInfo,
    /// Plain http would show the code to the network.
    #[error("must use https; http is only for 127.0.0.1, [::1] and localhost")]
    PlainHttp,
    /// RFC 8252 §7.1: a private-use scheme is a domain name in reverse.
    #[error(
        "must use https, or a private-use scheme with a dot such as com.example.app (RFC 8252)"
    )]
    Scheme,
}

impl RedirectUri {
    /// Checks a redirect URI for registration.
    ///
    /// # Errors
    /// When it is not an https URI, an http URI on loopback, or one of a private-use scheme; or when
    /// it has a fragment, a wildcard or user information.
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        let plain =
            |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>');
        if text.len() > MAX_REDIRECT_URI || !text.bytes().all(plain) {
            return Err(RedirectUriError::NotAbsolute);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::NotAbsolute)?;
        if text.contains('#') {
            return Err(RedirectUriError::Fragment);
        }
        if text.contains('*') {
            return Err(RedirectUriError::Wildcard);
        }
        if authority(text).is_some_and(|authority| authority.contains('@')) {
            return Err(RedirectUriError::UserInfo);
        }
        match url.scheme() {
            "https" | "http" => check_web_uri(text, &url)?,
            scheme if scheme.contains('.') => {}
            _ => return Err(RedirectUriError::Scheme),
        }
        Ok(Self(text.to_owned()))
    }

    /// The URI as it was registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a request may use `requested`: the same text, or on a loopback literal the same but for
    /// the port, which a native app learns only when it listens (RFC 8252 §7.3).
    #[must_use]
    pub fn matches(&self, requested: &str) -> bool {
        if self.0 == requested {
            return true;
        }
        match (loopback_parts(&self.0), loopback_parts(requested)) {
            (Some(own), Some(other)) => own == other,
            _ => false,
        }
    }
}

/// What stands between `//` and the path.
fn authority(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(':')?;
    rest.strip_prefix("//")?.split(['/', '?']).next()
}

/// The rules for https, and for http on loopback.
fn check_web_uri(text: &str, url: &Url) -> Result<(), RedirectUriError> {
    // The parser forgives `https:host` and `https:///host`; an exact match must not depend on that.
    let begins_right = text.strip_prefix(url.scheme()).is_some_and(|rest| rest.starts_with("://"));
    if !begins_right || authority(text).is_none_or(str::is_empty) {
        return Err(RedirectUriError::NotAbsolute);
    }
    let host = url.host().ok_or(RedirectUriError::NotAbsolute)?;
    if url.scheme() == "http" && !is_loopback(&host) {
        return Err(RedirectUriError::PlainHttp);
    }
    Ok(())
}

/// Host and everything after the port of an http URI on a loopback *literal*; `localhost` is none,
/// for a name can be made to mean another machine.
fn loopback_parts(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("http://")?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            port.parse::<u16>().ok().filter(|_| port.bytes().all(|b| b.is_ascii_digit()))?;
            host
        }
        _ => authority,
    };
    match Host::parse(host).ok()? {
        Host::Ipv4(_) if host == "127.0.0.1" => Some((host, tail)),
        Host::Ipv6(_) if host == "[::1]" => Some((host, tail)),
        _ => None,
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://app.example.com/callback")]
    #[case("https://app.example.com/callback?tenant=1")]
    #[case("https://app.example.com/@me")]
    #[case("http://127.0.0.1/callback")]
    #[case("http://127.0.0.1:4000/callback")]
    #[case("http://[::1]:4000/callback")]
    #[case("http://localhost:3000/callback")]
    #[case("com.example.app:/oauth2redirect")]
    #[case("com.example.app://callback")]
    fn a_redirect_uri_within_the_rules_is_kept_as_written(#[case] text: &str) {
        assert_eq!(RedirectUri::parse(text).unwrap().as_str(), text);
    }

    #[rstest]
    #[case("", RedirectUriError::NotAbsolute)]
    #[case("/callback", RedirectUriError::NotAbsolute)]
    #[case("https:app.example.com", RedirectUriError::NotAbsolute)]
    #[case("https:///app.example.com", RedirectUriError::NotAbsolute)]
    #[case("HTTPS://app.example.com", RedirectUriError::NotAbsolute)]
    #[case("https://app.example.com\\@evil.example", RedirectUriError::NotAbsolute)]
    #[case("https://app.example.com/a b", RedirectUriError::NotAbsolute)]
    #[case("https://пример.example/", RedirectUriError::NotAbsolute)]
    #[case("https://app.example.com/#x", RedirectUriError::Fragment)]
    #[case("https://app.example.com/#", RedirectUriError::Fragment)]
    #[case("https://*.example.com/", RedirectUriError::Wildcard)]
    #[case("https://app.example.com/*", RedirectUriError::Wildcard)]
    #[case("https://app.example.com@evil.example/", RedirectUriError::UserInfo)]
    #[case("com.example.app://trusted@evil.example/", RedirectUriError::UserInfo)]
    #[case("http://app.example.com/", RedirectUriError::PlainHttp)]
    #[case("http://127.0.0.1.example.com/", RedirectUriError::PlainHttp)]
    #[case("http://10.0.0.1/", RedirectUriError::PlainHttp)]
    #[case("http://localhost.example.com/", RedirectUriError::PlainHttp)]
    #[case("javascript:alert(1)", RedirectUriError::Scheme)]
    #[case("data:text/html,x", RedirectUriError::Scheme)]
    #[case("file:///etc/passwd", RedirectUriError::Scheme)]
    #[case("myapp:/callback", RedirectUriError::Scheme)]
    fn a_redirect_uri_outside_the_rules_is_refused(
        #[case] text: &str,
        #[case] error: RedirectUriError,
    ) {
        assert_eq!(RedirectUri::parse(text), Err(error), "{text}");
    }

    #[rstest]
    #[case("https://app.example.com/cb", "https://app.example.com/cb")]
    #[case("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb")]
    #[case("http://127.0.0.1:1/cb?x=1", "http://127.0.0.1:2/cb?x=1")]
    #[case("http://[::1]/cb", "http://[::1]:49152/cb")]
    fn the_same_uri_matches_and_a_loopback_literal_on_any_port(
        #[case] registered: &str,
        #[case] requested: &str,
    ) {
        assert!(RedirectUri::parse(registered).unwrap().matches(requested));
    }

    #[rstest]
    #[case("https://app.example.com/cb", "https://app.example.com/cb/")]
    #[case("https://app.example.com/cb", "https://app.example.com/CB")]
    #[case("https://app.example.com/cb", "https://app.example.com/cb?x")]
    #[case("https://app.example.com/cb", "https://app.example.com:443/cb")]
    #[case("http://localhost:3000/cb", "http://localhost:3001/cb")]
    #[case("http://127.0.0.1/cb", "http://127.0.0.1:1/other")]
    #[case("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb")]
    #[case("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb")]
    #[case("http://127.0.0.1/cb", "http://127.0.0.1:+1/cb")]
    #[case("http://127.0.0.1/cb", "http://localhost/cb")]
    #[case("http://127.0.0.1/cb", "https://127.0.0.1/cb")]
    fn anything_else_does_not_match(#[case] registered: &str, #[case] requested: &str) {
        assert!(!RedirectUri::parse(registered).unwrap().matches(requested));
    }

    proptest! {
        #[test]
        fn no_text_makes_parser_or_comparison_panic(a in ".{0,80}", b in "http://.{0,40}") {
            let registered = RedirectUri::parse("http://127.0.0.1/cb").unwrap();
            let _ = RedirectUri::parse(&a);
            let _ = registered.matches(&b);
        }
    }
}
