//! The content security policy of a page.

use std::net::Ipv4Addr;

use url::{Host, Url};

use super::Page;

/// The policy of `page`, whose form may lead to `form_targets`.
pub(super) fn policy(page: &impl Page, form_targets: &[&str]) -> String {
    let own = || "'self'".to_owned();
    let mut images = vec![own()];
    images.extend(page.logo_uri().and_then(csp_source));
    let mut forms = vec![own()];
    for target in page.form_target().iter().chain(form_targets) {
        forms.extend(csp_source(target).filter(|source| !forms.contains(source)));
    }
    let scripts = if page.runs_script() { "script-src 'self'; " } else { "" };
    format!(
        "default-src 'none'; style-src 'self'; {scripts}img-src {}; form-action {}; \
         frame-ancestors 'none'; base-uri 'none'",
        images.join(" "),
        forms.join(" "),
    )
}

/// The source expression of Content Security Policy (Level 3 §2.3.1) that lets a browser go to `uri`: its
/// origin, or the scheme alone for schemes of apps and for hosts that the grammar cannot spell or no
/// browser would match, such as IPv6 literals. `None` for whatever cannot be a redirect URI.
///
/// It is made of the letters, digits, `.`, `-`, `+`, `:` and `/` of a scheme, host and port, so nothing in
/// a URI can end the expression or the directive.
#[must_use]
pub fn csp_source(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    let scheme = url.scheme();
    match scheme {
        "http" | "https" => {
            let host = url.host().filter(is_spelt).map(|host| host.to_string());
            Some(match (host, url.port()) {
                (Some(host), Some(port)) => format!("{scheme}://{host}:{port}"),
                (Some(host), None) => format!("{scheme}://{host}"),
                (None, _) => format!("{scheme}:"),
            })
        }
        // RFC 8252 §7.1: with a dot. So `javascript:` and `data:` are none.
        app if app.contains('.') => Some(format!("{app}:")),
        _ => None,
    }
}

/// Whether a host-source can name the host: of the IP addresses, only 127.0.0.1 ever matches (§6.7.2.9).
fn is_spelt(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
        }
        Host::Ipv4(address) => *address == Ipv4Addr::LOCALHOST,
        Host::Ipv6(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://app.example.com/cb?a=b", "https://app.example.com")]
    #[case("https://app.example.com:8443/cb", "https://app.example.com:8443")]
    #[case("https://app.example.com:443/cb", "https://app.example.com")]
    #[case("https://bücher.example/cb", "https://xn--bcher-kva.example")]
    #[case("http://localhost:3000/", "http://localhost:3000")]
    #[case("http://127.0.0.1:49152/cb", "http://127.0.0.1:49152")]
    #[case("com.example.app:/cb", "com.example.app:")]
    #[case("com.example.app+x:/cb;script-src *", "com.example.app+x:")]
    fn an_origin_is_named(#[case] uri: &str, #[case] source: &str) {
        assert_eq!(csp_source(uri).as_deref(), Some(source));
    }

    #[rstest]
    #[case("http://[::1]:49152/cb", "http:")]
    #[case("https://[2001:db8::1]/cb", "https:")]
    #[case("https://192.0.2.1/cb", "https:")]
    #[case("https://my_app.example.com/cb", "https:")]
    #[case("https://*.example.com/cb", "https:")]
    #[case("https://a;script-src,*/cb", "https:")]
    #[case("https://a'self'/cb", "https:")]
    fn a_host_that_a_policy_cannot_name_is_named_by_its_scheme(
        #[case] uri: &str,
        #[case] source: &str,
    ) {
        assert_eq!(csp_source(uri).as_deref(), Some(source));
    }

    #[rstest]
    #[case("javascript:alert(1)")]
    #[case("data:text/html,x")]
    #[case("/relative")]
    #[case("https://a b/cb")]
    #[case("https:// ; script-src *")]
    #[case("")]
    fn what_cannot_be_a_redirect_uri_has_no_source(#[case] uri: &str) {
        assert_eq!(csp_source(uri), None);
    }

    proptest! {
        #[test]
        fn nothing_in_a_uri_ends_the_expression(
            uri in "(https?|com\\.a)://[a-z;,'\" *%0-9_.\\-\\[\\]:@/\\\\?#\t\n\r(){}é]{0,40}",
        ) {
            if let Some(source) = csp_source(&uri) {
                let plain = |c: char| c.is_ascii_alphanumeric() || "+-.:/".contains(c);
                prop_assert!(source.chars().all(plain), "{source}");
            }
        }
    }
}
