//! The cookies: one for the session, and one for each authorization request that waits. With an http issuer, which only
//! loopback may have, they go without prefix and `Secure`, which browsers would not take there.

use std::collections::BTreeMap;

use axum::response::Response;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use identety_domain::authorization::{SignedInBrowser, Visitor};
use identety_domain::session::{
    BROWSER_KNOWN, DeviceSecrets, PendingRequest, RequestSecret, SESSION_KEPT, SessionSecret,
    TransactionId,
};
use identety_domain::{Issuer, Seconds, Timestamp};

const SESSION: &str = "identety-session";
/// By which accounts know the browser. It signs no user in, and a sign-out leaves it.
const DEVICE: &str = "identety-device";
/// Followed by the name of the request.
const REQUEST: &str = "identety-request-";

/// How many requests may wait in one browser. API Gateway takes 10,240 bytes of headers, and a cookie of a request has
/// about 130.
const MAX_REQUESTS: usize = 8;

/// How long a browser keeps the cookie of a request: a page that was left open overnight still leads on.
const REQUEST_KEPT: Seconds = 86_400;

/// What a browser brought, and what it is to keep.
pub(crate) struct Cookies {
    requests: BTreeMap<String, Waiting>,
    session: Option<SessionSecret>,
    device: DeviceSecrets,
    came_with_any: bool,
    is_secure: bool,
    changes: Vec<HeaderValue>,
}

/// What the cookie of a request says.
struct Waiting {
    secret: RequestSecret,
    since: u64,
}

impl Waiting {
    /// `{secret}.{seconds}`: the time is for the browser's own requests to be told by their age, and for nothing else.
    fn parse(value: &str) -> Option<Self> {
        let (secret, since) = value.split_once('.')?;
        Some(Self { secret: RequestSecret::parse(secret)?, since: since.parse().ok()? })
    }
}

impl Cookies {
    /// Those of a request.
    pub(crate) fn of(headers: &HeaderMap, issuer: &Issuer) -> Self {
        let is_secure = issuer.as_str().starts_with("https:");
        let own = guarded(headers, is_secure);
        let request = |(name, value): (&String, &String)| {
            let id = TransactionId::parse(name.strip_prefix(REQUEST)?)?;
            Some((id.as_str().to_owned(), Waiting::parse(value)?))
        };
        Self {
            requests: own.iter().filter_map(request).collect(),
            session: own.get(SESSION).and_then(|text| SessionSecret::parse(text)),
            device: own.get(DEVICE).map(|text| DeviceSecrets::parse(text)).unwrap_or_default(),
            came_with_any: headers.contains_key(COOKIE),
            is_secure,
            changes: Vec::new(),
        }
    }

    /// What the browser shows of its session, if it has one.
    pub(crate) fn session(&self) -> Option<&SessionSecret> {
        self.session.as_ref()
    }

    /// What the browser brings to a sign-in.
    pub(crate) fn visitor(&self) -> Visitor<'_> {
        Visitor { session: self.session(), device: &self.device }
    }

    /// The request of that name, if it waits in this browser.
    pub(crate) fn pending(&self, id: &TransactionId) -> Option<PendingRequest> {
        let waiting = self.requests.get(id.as_str())?;
        Some(PendingRequest { id: id.clone(), secret: waiting.secret.clone() })
    }

    /// Whether the browser brought any cookie at all.
    pub(crate) fn came_with_any(&self) -> bool {
        self.came_with_any
    }

    /// Lets the browser hold a request, and the oldest ones go when there are too many.
    pub(crate) fn hold(&mut self, pending: &PendingRequest, now: Timestamp) {
        let since = now.seconds();
        let waiting = Waiting { secret: pending.secret.clone(), since };
        self.requests.insert(pending.id.as_str().to_owned(), waiting);
        let value = format!("{}.{since}", pending.secret.expose());
        self.change(&format!("{REQUEST}{}", pending.id), &value, REQUEST_KEPT);
        while self.requests.len() > MAX_REQUESTS {
            // One with a time in the future has been forged or comes from another clock; it goes first.
            let age = |since: u64| if since > now.seconds() { 0 } else { since };
            let others = self.requests.iter().filter(|(id, _)| *id != pending.id.as_str());
            let oldest = others.min_by_key(|(_, waiting)| age(waiting.since));
            let Some((oldest, _)) = oldest else { return };
            let oldest = oldest.clone();
            self.requests.remove(&oldest);
            self.change(&format!("{REQUEST}{oldest}"), "", 0);
        }
    }

    /// Puts a session in the place of any other. Its cookie outlives it, as grants do: it signs no user in any more, but
    /// tells what there is to sign out of.
    pub(crate) fn sign_in(&mut self, signed_in: &SignedInBrowser) {
        let SignedInBrowser { session, device } = signed_in;
        self.change(SESSION, session.expose(), SESSION_KEPT);
        if let Some(device) = device {
            self.keep_device(device);
        }
    }

    /// Lets accounts know the browser, for as long as they do after its last use.
    pub(crate) fn keep_device(&mut self, device: &DeviceSecrets) {
        self.change(DEVICE, device.text().expose(), BROWSER_KNOWN);
    }

    /// Takes the session away.
    pub(crate) fn end_session(&mut self) {
        self.change(SESSION, "", 0);
    }

    /// Writes what the browser is to keep.
    pub(crate) fn write(&mut self, response: &mut Response) {
        for cookie in self.changes.drain(..) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }

    fn change(&mut self, name: &str, value: &str, lifetime: Seconds) {
        let cookie = Cookie::build((full_name(name, self.is_secure), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.is_secure)
            .max_age(Duration::seconds(lifetime.into()));
        if let Ok(mut cookie) = HeaderValue::from_str(&cookie.to_string()) {
            cookie.set_sensitive(true);
            self.changes.push(cookie);
        }
    }
}

/// `__Host-` keeps other hosts of the domain from setting the cookie (RFC 6265bis §4.1.3.2).
const PREFIX: &str = "__Host-";

fn full_name(name: &str, is_secure: bool) -> String {
    if is_secure { format!("{PREFIX}{name}") } else { name.to_owned() }
}

/// The cookies of ours that came, by their names without the prefix.
///
/// Names are compared byte by byte, after spaces and tabs around them are taken away and nothing else: a server that
/// forgives more takes a look-alike for the guarded name, which a sibling host can set. A guarded name that comes twice
/// is a sign of that, too, so none of the two counts.
fn guarded(headers: &HeaderMap, is_secure: bool) -> BTreeMap<String, String> {
    let prefix = if is_secure { PREFIX } else { "" };
    let lines = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let mut found = BTreeMap::<String, Option<String>>::new();
    for pair in lines.flat_map(|line| line.split(|byte| *byte == b';')) {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at(at);
        let name = trimmed(name).strip_prefix(prefix.as_bytes());
        let is_own = |name: &&[u8]| {
            [SESSION, DEVICE].iter().any(|own| *name == own.as_bytes())
                || name.starts_with(REQUEST.as_bytes())
        };
        let Some(name) = name.filter(is_own).and_then(|name| str::from_utf8(name).ok()) else {
            continue;
        };
        let value = str::from_utf8(trimmed(value.strip_prefix(b"=").unwrap_or(value)));
        let value = value.ok().map(str::to_owned);
        if found.insert(name.to_owned(), value).is_some() {
            tracing::warn!(cookie = name, "a cookie came twice, so it counts as absent");
            found.insert(name.to_owned(), None);
        }
    }
    found.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Without the white space that RFC 6265 §5.2 takes away: spaces and tabs.
fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn headers(cookie: &[u8]) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_bytes(cookie).unwrap())])
    }

    fn session(cookie: &[u8]) -> Option<String> {
        guarded(&headers(cookie), true).get(SESSION).cloned()
    }

    #[rstest]
    #[case::alone(b"__Host-identety-session=S")]
    #[case::among_others(b"a=1; __Host-identety-session=S; b=2")]
    #[case::without_spaces(b"a=1;__Host-identety-session=S;b=2")]
    #[case::with_tabs(b"a=1;\t__Host-identety-session\t=\tS\t;b")]
    #[case::beside_no_text(b"a=\xff\xfe; \xff=2; __Host-identety-session=S; c=\xc3\xa9")]
    #[case::beside_another_case(b"__host-identety-session=A; __Host-identety-session=S")]
    #[case::beside_no_prefix(b"identety-session=A; __Host-identety-session=S")]
    #[case::beside_a_longer_name(
        b"__Host-identety-session2=A; x__Host-identety-session=B; __Host-identety-session=S"
    )]
    #[case::after_an_en_quad(b"\xe2\x80\x80__Host-identety-session=A; __Host-identety-session=S")]
    #[case::after_a_no_break_space(b"\xc2\xa0__Host-identety-session=A; __Host-identety-session=S")]
    #[case::after_a_vertical_space(
        b"__Host-identety-session\xe2\x80\xa8=A; __Host-identety-session=S"
    )]
    fn a_cookie_is_found_by_its_exact_name(#[case] cookie: &[u8]) {
        assert_eq!(session(cookie).as_deref(), Some("S"));
    }

    #[rstest]
    #[case::none(b"a=1")]
    #[case::look_alike_alone(b"\xe2\x80\x80__Host-identety-session=A")]
    #[case::twice(b"__Host-identety-session=A; __Host-identety-session=S")]
    #[case::thrice(
        b"__Host-identety-session=S; __Host-identety-session=S; __Host-identety-session=S"
    )]
    #[case::twice_the_same(b"__Host-identety-session=S; __Host-identety-session=S")]
    #[case::twice_once_no_text(b"__Host-identety-session=\xff; __Host-identety-session=S")]
    fn a_cookie_that_is_not_there_or_comes_twice_is_none(#[case] cookie: &[u8]) {
        assert_eq!(session(cookie), None);
    }

    #[test]
    fn a_cookie_that_comes_twice_in_two_lines_is_none() {
        let mut headers = headers(b"__Host-identety-session=A");
        headers.append(COOKIE, HeaderValue::from_static("__Host-identety-session=S"));
        assert_eq!(guarded(&headers, true).get(SESSION), None);
    }

    fn issuer(text: &str) -> Issuer {
        Issuer::parse(text).unwrap()
    }

    /// What a browser is told to keep.
    fn written(cookies: &mut Cookies) -> Vec<String> {
        let mut response = Response::default();
        cookies.write(&mut response);
        let all = response.headers().get_all(SET_COOKIE).iter();
        all.map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
    }

    #[rstest]
    #[case(
        "https://id.example.com",
        "__Host-identety-request-ID=V.7; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=86400"
    )]
    #[case(
        "http://localhost:8080",
        "identety-request-ID=V.7; HttpOnly; SameSite=Lax; Path=/; Max-Age=86400"
    )]
    fn cookies_are_for_this_host_alone_and_not_for_scripts(
        #[case] own: &str,
        #[case] expected: &str,
    ) {
        let mut rng = identety_http::ambient::rng().unwrap();
        let pending = PendingRequest::generate(&mut rng);
        let mut cookies = Cookies::of(&HeaderMap::new(), &issuer(own));
        cookies.hold(&pending, Timestamp::from_seconds(7));
        let written = written(&mut cookies);
        let anonymous = written[0].replace(pending.id.as_str(), "ID");
        assert_eq!(anonymous.replace(pending.secret.expose(), "V"), expected);
    }

    #[test]
    fn of_many_requests_the_oldest_go() {
        let mut rng = identety_http::ambient::rng().unwrap();
        let all: Vec<_> = (0..12).map(|_| PendingRequest::generate(&mut rng)).collect();
        let line: Vec<_> = all
            .iter()
            .enumerate()
            .map(|(at, pending)| {
                format!("identety-request-{}={}.{}", pending.id, pending.secret.expose(), 100 + at)
            })
            .collect();
        let own = issuer("http://localhost:8080");
        let mut cookies = Cookies::of(&headers(line.join("; ").as_bytes()), &own);
        let new = PendingRequest::generate(&mut rng);
        cookies.hold(&new, Timestamp::from_seconds(1000));
        let gone: Vec<_> =
            written(&mut cookies).into_iter().filter(|it| it.contains("Max-Age=0")).collect();
        assert_eq!(gone.len(), 5);
        for (pending, at) in all.iter().zip(0..) {
            let is_gone = gone.iter().any(|cookie| cookie.contains(pending.id.as_str()));
            assert_eq!(is_gone, at < 5, "{at}");
            assert_eq!(cookies.pending(&pending.id).is_none(), is_gone);
        }
        assert!(cookies.pending(&new.id).is_some());
    }
}
