//! Redirect URIs, at registration and when they are compared.

use identety_domain::client::ClientType::{Private, Public};
use identety_domain::client::{Destination, RedirectUri};

use crate::mutation::{Examples, fuzz};

const EXAMPLES: Examples = Examples {
    whole: &[
        "https://app.example.com/callback",
        "https://app.example.com:8443/cb?x=1&y=%20",
        "http://127.0.0.1:49152/callback",
        "http://[::1]/callback",
        "http://localhost:3000/",
        "com.example.app:/oauth2redirect",
        "com.example.app://callback/path",
        "cursor://callback",
        "https://xn--bcher-kva.example/",
    ],
    pieces: &[
        "#",
        "*",
        "@",
        "user:pass@",
        "\\",
        "//",
        "://",
        "/../",
        "%2e%2e",
        "javascript:",
        "data:",
        "file:",
        "http://",
        ".evil.example",
        ":80",
        ":99999",
        "?",
        " ",
        "\t",
        "127.0.0.1",
        "[",
        "]",
        "é",
        "localhost",
        "web+app:",
        "view-source:",
        "vscode:",
    ],
};

#[test]
fn whatever_is_registered_is_a_uri_that_the_rules_allow_and_matches_itself_alone() {
    fuzz(EXAMPLES, 40_000, |bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let known = EXAMPLES.whole.iter().map(|uri| RedirectUri::parse(uri, Public));
        for known in known.flatten() {
            let expected = is_match(known.as_str(), &text);
            assert_eq!(known.matches(&text, Public), expected, "{known:?} {text:?}");
            assert_eq!(known.matches(&text, Private), known.as_str() == text);
        }
        // Of what is registered, it can be said where it leads; of anything else, nothing panics.
        let destination = Destination::of(&text);
        let Ok(uri) = RedirectUri::parse(&text, Public) else { return };
        assert_eq!(uri.as_str(), text, "it is kept as it was written");
        assert_eq!(RedirectUri::parse(uri.as_str(), Public), Ok(uri.clone()));
        assert!(uri.matches(&text, Public));
        check(&text);
        let is_app = !text.starts_with("https://") && !text.starts_with("http://");
        assert_eq!(matches!(destination, Destination::App(_)), is_app, "{text}");
        let of_private = RedirectUri::parse(&text, Private);
        assert_eq!(of_private.is_err(), is_app, "only apps have schemes of their own: {text}");
    });
}

/// The rules, in the words of the text.
fn check(text: &str) {
    assert!(text.len() <= 2048 && text.is_ascii(), "{text}");
    assert!(!text.contains(['#', '*', '\\', ' ', '"', '<', '>']), "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
    let (scheme, rest) = text.split_once(':').expect("a scheme");
    let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?']).next().unwrap());
    assert!(!authority.unwrap_or_default().contains('@'), "user information: {text}");
    match scheme {
        "https" => assert!(!authority.expect("an authority").is_empty(), "{text}"),
        "http" => {
            let authority = authority.expect("an authority");
            let without_port = match authority.rsplit_once(':') {
                Some((host, port)) if !port.contains(']') => host,
                _ => authority,
            };
            let parsed = url::Url::parse(text).expect("a URL");
            let host = parsed.host_str().expect("a host");
            let is_loopback = ["127.0.0.1", "[::1]", "localhost"].contains(&host)
                || host.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback());
            assert!(is_loopback && !without_port.is_empty(), "{text}");
        }
        scheme => {
            let scheme = scheme.to_ascii_lowercase();
            assert!(scheme.len() > 1 && !SPECIAL.contains(&scheme.as_str()), "{text}");
            assert!(scheme.contains('.') || !scheme.starts_with("web+"), "{text}");
        }
    }
}

/// Some schemes that browsers treat specially.
const SPECIAL: [&str; 7] =
    ["javascript", "data", "file", "blob", "about", "view-source", "localhost"];

/// Whether a registered text means a requested one of a public client: letter by letter, and on a loopback host
/// whatever the port.
fn is_match(own: &str, requested: &str) -> bool {
    let without_port = |text: &str| -> Option<(String, String)> {
        let rest = text.strip_prefix("http://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let literal = ["127.0.0.1", "[::1]", "localhost"]
            .into_iter()
            .find(|host| authority.starts_with(host))?;
        let port = &authority[literal.len()..];
        let is_port = port.is_empty()
            || port.strip_prefix(':').is_some_and(|digits| {
                !digits.is_empty()
                    && digits.bytes().all(|digit| digit.is_ascii_digit())
                    && digits.parse::<u16>().is_ok()
            });
        is_port.then(|| (literal.to_owned(), tail.to_owned()))
    };
    let (one, other) = (without_port(own), without_port(requested));
    own == requested || (one.is_some() && one == other)
}
