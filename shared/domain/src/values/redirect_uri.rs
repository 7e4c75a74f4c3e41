//! Redirect URIs: the rules at registration and the comparison afterwards.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use super::ClientType;
use super::issuer::is_loopback;

/// A registered redirect URI, kept exactly as it was written.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

/// The longest redirect URI, in bytes.
const MAX_REDIRECT_URI: usize = 2048;

/// The hosts on which a public client may listen at any port (RFC 8252 §7.3, OAuth 2.1 §8.4.2).
const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Schemes that no redirect URI may have, by the reason. A scheme with a dot is none of these.
const SPECIAL_SCHEMES: [(&str, &[&str]); 7] = [
    (
        "browsers run or show what stands behind it",
        &["data", "javascript", "livescript", "mocha", "vbscript"],
    ),
    (
        "browsers open files, or what another page has made, by it",
        &["blob", "content", "file", "filesystem", "jar"],
    ),
    (
        "it names pages of the browser itself or of its extensions",
        &[
            "about",
            "brave",
            "chrome",
            "chrome-devtools",
            "chrome-error",
            "chrome-extension",
            "chrome-native",
            "chrome-search",
            "chrome-untrusted",
            "devtools",
            "edge",
            "extension",
            "moz-extension",
            "moz-icon",
            "moz-safe-about",
            "ms-browser-extension",
            "opera",
            "resource",
            "safari-extension",
            "safari-web-extension",
            "view-source",
            "vivaldi",
            "wyciwyg",
        ],
    ),
    (
        "it is a network protocol, which takes the code to a server",
        &[
            "dav", "ftp", "ftps", "git", "gopher", "ldap", "ldaps", "nfs", "rtmp", "rtsp", "smb",
            "telnet", "tftp", "vnc", "ws", "wss",
        ],
    ),
    (
        "any web site may offer itself to browsers as its handler (HTML, registerProtocolHandler)",
        &[
            "bitcoin",
            "callto",
            "feed",
            "geo",
            "im",
            "irc",
            "ircs",
            "magnet",
            "mailto",
            "matrix",
            "mms",
            "news",
            "nntp",
            "openpgp4fpr",
            "sftp",
            "sip",
            "sips",
            "sms",
            "smsto",
            "ssh",
            "tel",
            "urn",
            "webcal",
            "wtai",
            "xmpp",
        ],
    ),
    (
        "it starts whichever program the rest of the URI names",
        &["android-app", "intent", "itms-services", "market", "search", "shell"],
    ),
    ("it is a host: write http:// before it", &["localhost"]),
];

/// Beginnings of schemes that no redirect URI may have, by the reason.
const SPECIAL_PREFIXES: [(&str, &str); 3] = [
    (
        "any web site may offer itself to browsers as its handler (HTML, registerProtocolHandler)",
        "web+",
    ),
    ("any extension of a browser may offer itself as its handler", "ext+"),
    ("Windows hands it to its own components", "ms-"),
];

/// Where a redirect URI leads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Destination<'a> {
    /// To a web server: its host, and its port where that is written.
    Server(&'a str),
    /// To whichever program listens on the user's own device: host and port.
    Loopback(&'a str),
    /// To whichever app of the user's device has claimed this private-use scheme.
    App(&'a str),
}

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
    /// `app.example.com:8080/callback` would be a scheme with a dot.
    #[error(
        "must begin with https:// or, on loopback, http://: this begins with a host and a port"
    )]
    HostAsScheme,
    /// RFC 8252 §8.4 asks for a domain name in reverse; what is wrong with this scheme is worse.
    #[error("must not use this scheme: {0}")]
    SpecialScheme(&'static str),
    /// RFC 8252 §7.1 is for apps, which keep no secret.
    #[error(
        "must use https: a private-use scheme is for public clients, which are apps on a device"
    )]
    PrivateUseScheme,
}

impl RedirectUri {
    /// Checks a redirect URI that an administrator registers for a client of type `kind`.
    ///
    /// A client that registers itself must have a dot in a private-use scheme besides, which shows who may use it
    /// (RFC 8252 §8.4).
    ///
    /// # Errors
    /// When it is not an https URI, an http URI on loopback, or, for public clients, one of a private-use scheme; or
    /// when it has a fragment, a wildcard or user information.
    pub fn parse(text: &str, kind: ClientType) -> Result<Self, RedirectUriError> {
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
            scheme => check_private_use(text, scheme, kind)?,
        }
        Ok(Self(text.to_owned()))
    }

    /// The URI as it was registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a client of type `kind` that registered this may use `requested`: the same text; or for a public client
    /// on a loopback host the same but for the port, which a native app learns only when it listens (RFC 8252 §7.3).
    #[must_use]
    pub fn matches(&self, requested: &str, kind: ClientType) -> bool {
        if self.0 == requested {
            return true;
        }
        match (loopback_parts(&self.0), loopback_parts(requested)) {
            (Some(own), Some(other)) => kind == ClientType::Public && own == other,
            _ => false,
        }
    }
}

impl<'a> Destination<'a> {
    /// Where a URI leads that is registered, or matches a registered one.
    #[must_use]
    pub fn of(uri: &'a str) -> Self {
        let scheme = uri.split(':').next().unwrap_or_default();
        if !matches!(scheme, "https" | "http") {
            return Self::App(scheme);
        }
        let authority = authority(uri).unwrap_or_default();
        let is_on_device =
            Url::parse(uri).is_ok_and(|url| url.host().is_some_and(|host| is_loopback(&host)));
        if is_on_device { Self::Loopback(authority) } else { Self::Server(authority) }
    }

    /// Whether another program than the client's may receive what is sent there, so that only the user can say whether
    /// it shall be sent (RFC 8252 §8.6). A client that can keep a secret is itself on the device, as in development.
    #[must_use]
    pub fn may_be_claimed(self, kind: ClientType) -> bool {
        match self {
            Self::Server(_) => false,
            Self::Loopback(_) => kind == ClientType::Public,
            Self::App(_) => true,
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

/// The rules for every other scheme. The parser writes `scheme` in lower case.
fn check_private_use(text: &str, scheme: &str, kind: ClientType) -> Result<(), RedirectUriError> {
    if !scheme.contains('.')
        && let Some(reason) = special(scheme)
    {
        return Err(RedirectUriError::SpecialScheme(reason));
    }
    let rest = text.split_once(':').map_or("", |(_, rest)| rest);
    let port = rest.split(['/', '?']).next().unwrap_or_default();
    if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RedirectUriError::HostAsScheme);
    }
    if kind == ClientType::Public { Ok(()) } else { Err(RedirectUriError::PrivateUseScheme) }
}

/// Why no redirect URI may have this scheme, if none may.
fn special(scheme: &str) -> Option<&'static str> {
    let named = SPECIAL_SCHEMES.iter().find(|(_, schemes)| schemes.contains(&scheme));
    let begun = SPECIAL_PREFIXES.iter().find(|(_, prefix)| scheme.starts_with(prefix));
    let drive = (scheme.len() == 1).then_some("browsers open it as a drive of Windows");
    named.map(|(reason, _)| *reason).or(begun.map(|(reason, _)| *reason)).or(drive)
}

/// Host and everything after the port of an http URI on a loopback host.
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
    LOOPBACK_HOSTS.contains(&host).then_some((host, tail))
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
    #[case("cursor://anysphere.cursor-retrieval/oauth/callback")]
    #[case("vscode://vscode.github-authentication/did-authenticate")]
    #[case("myapp:/callback")]
    #[case("msal1234://auth")]
    fn a_redirect_uri_within_the_rules_is_kept_as_written(#[case] text: &str) {
        assert_eq!(RedirectUri::parse(text, ClientType::Public).unwrap().as_str(), text);
    }

    #[rstest]
    #[case("com.example.app:/callback")]
    #[case("cursor://callback")]
    fn a_private_use_scheme_is_for_public_clients(#[case] text: &str) {
        let refused = RedirectUri::parse(text, ClientType::Private);
        assert_eq!(refused, Err(RedirectUriError::PrivateUseScheme));
    }

    #[rstest]
    #[case("javascript:alert(1)")]
    #[case("JavaScript:alert(1)")]
    #[case("data:text/html,x")]
    #[case("vbscript:x")]
    #[case("file:///etc/passwd")]
    #[case("blob:https://app.example.com/0b0e")]
    #[case("about:blank")]
    #[case("view-source:https://app.example.com/")]
    #[case("chrome://settings")]
    #[case("moz-extension://x/cb")]
    #[case("ws://app.example.com/cb")]
    #[case("ftp://app.example.com/cb")]
    #[case("mailto:ann@example.com")]
    #[case("tel:1")]
    #[case("urn:ietf:wg:oauth:2.0:oob")]
    #[case("web+app://callback")]
    #[case("ms-settings:privacy")]
    #[case("intent://callback")]
    #[case("localhost:3000/callback")]
    #[case("c:/callback")]
    fn a_scheme_that_browsers_treat_specially_is_refused_with_the_reason(#[case] text: &str) {
        let refused = RedirectUri::parse(text, ClientType::Public);
        assert!(matches!(refused, Err(RedirectUriError::SpecialScheme(_))), "{text} {refused:?}");
    }

    #[test]
    fn the_special_schemes_are_written_as_the_parser_writes_them_and_each_once() {
        let all: Vec<_> = SPECIAL_SCHEMES.iter().flat_map(|(_, schemes)| *schemes).collect();
        for scheme in &all {
            let legal =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!(scheme.bytes().all(legal), "{scheme}");
            assert_eq!(all.iter().filter(|other| *other == scheme).count(), 1, "{scheme}");
        }
    }

    #[rstest]
    #[case("https://app.example.com/cb", Destination::Server("app.example.com"))]
    #[case("https://app.example.com:8443?x=/", Destination::Server("app.example.com:8443"))]
    #[case("http://127.0.0.1:4000/cb", Destination::Loopback("127.0.0.1:4000"))]
    #[case("http://[::1]/cb", Destination::Loopback("[::1]"))]
    #[case("https://localhost/cb", Destination::Loopback("localhost"))]
    #[case("com.example.app:/cb", Destination::App("com.example.app"))]
    #[case("http.example.app:/cb", Destination::App("http.example.app"))]
    #[case("cursor://cb", Destination::App("cursor"))]
    fn it_is_said_where_a_uri_leads(#[case] uri: &str, #[case] expected: Destination<'_>) {
        assert_eq!(Destination::of(uri), expected);
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
    #[case("app.example.com:8080/cb", RedirectUriError::HostAsScheme)]
    #[case("app:8080", RedirectUriError::HostAsScheme)]
    fn a_redirect_uri_outside_the_rules_is_refused(
        #[case] text: &str,
        #[case] error: RedirectUriError,
    ) {
        assert_eq!(RedirectUri::parse(text, ClientType::Public), Err(error), "{text}");
    }

    #[rstest]
    #[case("https://app.example.com/cb", "https://app.example.com/cb")]
    #[case("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb")]
    #[case("http://127.0.0.1:1/cb?x=1", "http://127.0.0.1:2/cb?x=1")]
    #[case("http://[::1]/cb", "http://[::1]:49152/cb")]
    #[case("http://localhost/cb", "http://localhost:49152/cb")]
    #[case("http://localhost:3000/cb", "http://localhost/cb")]
    fn the_same_uri_matches_and_a_loopback_host_of_a_public_client_on_any_port(
        #[case] registered: &str,
        #[case] requested: &str,
    ) {
        let matches = |kind| RedirectUri::parse(registered, kind).unwrap().matches(requested, kind);
        assert!(matches(ClientType::Public));
        assert_eq!(matches(ClientType::Private), registered == requested);
    }

    #[rstest]
    #[case("https://app.example.com/cb", "https://app.example.com/cb/")]
    #[case("https://app.example.com/cb", "https://app.example.com/CB")]
    #[case("https://app.example.com/cb", "https://app.example.com/cb?x")]
    #[case("https://app.example.com/cb", "https://app.example.com:443/cb")]
    #[case("http://localhost:3000/cb", "http://localhost:3001/other")]
    #[case("http://localhost/cb", "http://LOCALHOST:1/cb")]
    #[case("http://localhost/cb", "http://localhost.evil.example:1/cb")]
    #[case("http://localhost/cb", "https://localhost:1/cb")]
    #[case("https://localhost/cb", "https://localhost:1/cb")]
    #[case("http://127.0.0.1/cb", "http://127.0.0.1:1/other")]
    #[case("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb")]
    #[case("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb")]
    #[case("http://127.0.0.1/cb", "http://127.0.0.1:+1/cb")]
    #[case("http://127.0.0.1/cb", "http://localhost/cb")]
    #[case("http://127.0.0.1/cb", "https://127.0.0.1/cb")]
    fn anything_else_does_not_match(#[case] registered: &str, #[case] requested: &str) {
        let kind = ClientType::Public;
        assert!(!RedirectUri::parse(registered, kind).unwrap().matches(requested, kind));
    }

    proptest! {
        #[test]
        fn no_text_makes_parser_or_comparison_panic(a in ".{0,80}", b in "http://.{0,40}") {
            let kind = ClientType::Public;
            let registered = RedirectUri::parse("http://127.0.0.1/cb", kind).unwrap();
            let _ = RedirectUri::parse(&a, kind);
            let _ = registered.matches(&b, kind);
            let _ = (Destination::of(&a), Destination::of(&b));
        }
    }
}
