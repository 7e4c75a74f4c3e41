//! The cookie by which accounts know a browser. It signs no user in, and a sign-out
//! leaves it.

use axum::response::Response;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use identety_domain::session::{BROWSER_KNOWN, DeviceSecrets};

/// Its name, behind `__Host-` where the issuer is https.
const DEVICE: &str = "identety-device";

/// What the browser has. A cookie that comes twice counts as none: one of the two is not ours.
pub(crate) fn read(headers: &HeaderMap, is_secure: bool) -> DeviceSecrets {
    let name = full_name(is_secure);
    let mut values = values_of(headers, name.as_bytes());
    match (values.next(), values.next()) {
        (Some(value), None) => {
            str::from_utf8(value).map_or_else(|_| DeviceSecrets::default(), DeviceSecrets::parse)
        }
        (None, _) => DeviceSecrets::default(),
        (Some(_), Some(_)) => {
            tracing::warn!(cookie = name, "a cookie came more than once and is ignored");
            DeviceSecrets::default()
        }
    }
}

/// Has the browser keep `device`, for as long as an account knows it after its last use.
pub(crate) fn write(response: &mut Response, device: &DeviceSecrets, is_secure: bool) {
    let value = device.text();
    let cookie = Cookie::build((full_name(is_secure), value.expose()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_secure)
        .max_age(Duration::seconds(BROWSER_KNOWN.into()));
    if let Ok(mut cookie) = HeaderValue::from_str(&cookie.to_string()) {
        cookie.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

fn full_name(is_secure: bool) -> String {
    if is_secure { format!("__Host-{DEVICE}") } else { DEVICE.to_owned() }
}

/// The values of the cookies with this name, compared byte by byte (RFC 6265 §5.4). Only spaces and tabs are trimmed:
/// other white space belongs to the name, which is another one then.
fn values_of<'a>(headers: &'a HeaderMap, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (own, value) = pair.split_at_checked(equals)?;
        (trimmed(own) == name).then(|| trimmed(value.get(1..).unwrap_or_default()))
    })
}

fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const B: &str = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

    fn read_from(lines: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        read(&headers, true).text().expose().to_owned()
    }

    fn line(pairs: &[(&str, &str)]) -> Vec<u8> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join(";").into_bytes()
    }

    #[test]
    fn the_cookie_is_found_by_its_whole_name() {
        let own = "__Host-identety-device";
        assert_eq!(read_from(&[&line(&[("a", "1"), (" \t__Host-identety-device ", A)])]), A);
        for other in [
            "identety-device",
            "x__Host-identety-device",
            "__host-identety-device",
            "\u{2000}__Host-identety-device",
            "\u{a0}__Host-identety-device",
            "__Host-identety-device\u{c}",
        ] {
            if other.bytes().all(|byte| byte >= 0x20) {
                assert_eq!(read_from(&[&line(&[(other, B)])]), "", "{other:?}");
                assert_eq!(read_from(&[&line(&[(other, B), (own, A)])]), A, "{other:?}");
            }
        }
    }

    #[test]
    fn a_cookie_that_comes_twice_counts_as_none() {
        let own = "__Host-identety-device";
        assert_eq!(read_from(&[&line(&[(own, A), (own, A)])]), "");
        assert_eq!(read_from(&[&line(&[(own, A)]), &line(&[(own, B)])]), "");
        assert_eq!(read_from(&[b"__Host-identety-device=\xff\xfe", &line(&[("b", "1")])]), "");
    }

    #[test]
    fn the_cookie_is_for_this_host_alone_and_not_for_scripts() {
        let device = DeviceSecrets::parse(A);
        let written = |is_secure| {
            let mut response = Response::default();
            write(&mut response, &device, is_secure);
            response.headers()[SET_COOKIE].to_str().unwrap().to_owned()
        };
        assert_eq!(
            written(true),
            format!(
                "__Host-identety-device={A}; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=15552000"
            )
        );
        assert_eq!(
            written(false),
            format!("identety-device={A}; HttpOnly; SameSite=Lax; Path=/; Max-Age=15552000")
        );
    }
}
