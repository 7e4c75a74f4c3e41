//! Redirect URIs, at registration and when they are compared.

use identety_domain::client::RedirectUri;

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
    ],
};

#[test]
fn whatever_is_registered_is_a_uri_that_the_rules_allow_and_matches_itself_alone() {
    fuzz(EXAMPLES, 40_000, |bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let known: Vec<_> = EXAMPLES.whole.iter().map(|uri| RedirectUri::parse(uri)).collect();
        for known in known.into_iter().flatten() {
            assert_eq!(known.matches(&text), is_match(known.as_str(), &text), "{known:?} {text:?}");
        }
        let Ok(uri) = RedirectUri::parse(&text) else { return };
        assert_eq!(uri.as_str(), text, "it is kept as it was written");
        assert_eq!(RedirectUri::parse(uri.as_str()), Ok(uri.clone()));
        assert!(uri.matches(&text));
        check(&text);
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
        scheme => assert!(scheme.contains('.'), "{text}"),
    }
}

/// Whether a registered text means a requested one: letter by letter, and on a loopback literal whatever
/// the port.
fn is_match(own: &str, requested: &str) -> bool {
    let without_port = |text: &str| -> Option<(String, String)> {
        let rest = text.strip_prefix("http://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let literal =
            ["127.0.0.1", "[::1]"].into_iter().find(|literal| authority.starts_with(literal))?;
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
