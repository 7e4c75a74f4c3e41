//! The content security policy of a page.

use std::fmt;
use std::net::Ipv4Addr;

use url::{Host, Url};

/// Where the form of a page leads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FormTarget {
    /// The page has no form.
    Nowhere,
    /// To this server, which answers with a page of its own.
    ThisServer,
    /// To a client, at once or by way of this server.
    ///
    /// Such a page has no `form-action`. Chromium holds that directive against every later hop of a form's
    /// submission, also against those to which the client's callback sends the browser on; and where these
    /// lead, this server cannot know.
    Client,
}

/// What a page may load, where its form may lead, and who may frame it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy<'a> {
    /// The image that it shows.
    pub(super) image: Option<&'a str>,
    /// Whether it loads the script of this server.
    pub(super) runs_script: bool,
    /// Where its form leads.
    pub(super) form: FormTarget,
    /// The origin whose pages may frame it.
    pub(super) framed_by: Option<&'a str>,
}

impl fmt::Display for Policy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image, runs_script, form, framed_by } = self;
        f.write_str("default-src 'none'; style-src 'self'; ")?;
        if *runs_script {
            f.write_str("script-src 'self'; ")?;
        }
        f.write_str("img-src 'self'")?;
        if let Some(image) = image.and_then(source) {
            write!(f, " {image}")?;
        }
        f.write_str(match form {
            FormTarget::Nowhere => "; form-action 'none'",
            FormTarget::ThisServer => "; form-action 'self'",
            FormTarget::Client => "",
        })?;
        write!(f, "; frame-ancestors {}; base-uri 'none'", framed_by.unwrap_or("'none'"))
    }
}

/// The source expression (Content Security Policy Level 3 §2.3.1) that means the origin of `uri`. `None` where
/// there is no expression that means it alone: for schemes other than http and https, for hosts that the
/// grammar cannot spell, and for IP addresses but 127.0.0.1, which no expression matches (§6.7.2.9).
///
/// It is made of the letters, digits, `.`, `-`, `:` and `/` of a scheme, host and port, so nothing in a URI
/// can end the expression or the directive.
pub(super) fn source(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let host = url.host().filter(is_spelt)?;
    Some(match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    })
}

/// Whether a host-source can name the host, and would match it.
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
    fn an_origin_is_named(#[case] uri: &str, #[case] expected: &str) {
        assert_eq!(source(uri).as_deref(), Some(expected));
    }

    #[rstest]
    #[case("http://[::1]:49152/cb")]
    #[case("https://[2001:db8::1]/cb")]
    #[case("https://192.0.2.1/cb")]
    #[case("https://my_app.example.com/cb")]
    #[case("https://*.example.com/cb")]
    #[case("https://a;script-src,*/cb")]
    #[case("https://a'self'/cb")]
    #[case("com.example.app:/cb")]
    #[case("com.example.app+x:/cb;script-src *")]
    #[case("javascript:alert(1)")]
    #[case("data:text/html,x")]
    #[case("/relative")]
    #[case("https://a b/cb")]
    #[case("https:// ; script-src *")]
    #[case("")]
    fn what_no_expression_means_alone_has_none(#[case] uri: &str) {
        assert_eq!(source(uri), None);
    }

    proptest! {
        #[test]
        fn nothing_in_a_uri_ends_the_expression(
            uri in "(https?|com\\.a)://[a-z;,'\" *%0-9_.\\-\\[\\]:@/\\\\?#\t\n\r(){}é]{0,40}",
        ) {
            if let Some(source) = source(&uri) {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-.:/".contains(c);
                prop_assert!(source.chars().all(plain), "{source}");
            }
        }
    }
}
