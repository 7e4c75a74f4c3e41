//! The two cookies: one names the browser, one the session. With an http issuer, which only loopback may
//! have, they go without prefix and `Secure`, which browsers would not take there.

use axum::response::Response;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use identety_domain::authorization::Visitor;
use identety_domain::session::{BrowserSecret, SESSION_KEPT, SessionSecret};
use identety_domain::{Issuer, Seconds};
use rand::CryptoRng;

const BROWSER: &str = "identety-browser";
const SESSION: &str = "identety-session";

/// What a browser brought, and what it is to keep.
pub(crate) struct Cookies {
    visitor: Visitor,
    is_new: bool,
    is_secure: bool,
}

impl Cookies {
    /// Those of a request. A browser without a secret gets one.
    pub(crate) fn of(headers: &HeaderMap, issuer: &Issuer, rng: &mut dyn CryptoRng) -> Self {
        let is_secure = issuer.as_str().starts_with("https:");
        let value = |name: &str| find(headers, &full_name(name, is_secure));
        let browser = value(BROWSER).and_then(|text| BrowserSecret::parse(&text));
        let is_new = browser.is_none();
        let browser = browser.unwrap_or_else(|| BrowserSecret::generate(rng));
        let session = value(SESSION).and_then(|text| SessionSecret::parse(&text));
        Self { visitor: Visitor { browser, session }, is_new, is_secure }
    }

    /// The browser.
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    /// Gives a browser its secret that came without one.
    pub(crate) fn name_browser(&self, response: &mut Response) {
        if self.is_new {
            self.set(response, BROWSER, self.visitor.browser.expose(), None);
        }
    }

    /// Puts a session in the place of any other. Its cookie outlives it, as grants do: it signs nobody in
    /// any more, but tells what there is to sign out of.
    pub(crate) fn start_session(&self, response: &mut Response, session: &SessionSecret) {
        self.set(response, SESSION, session.expose(), Some(SESSION_KEPT));
    }

    /// Takes the session away.
    pub(crate) fn end_session(&self, response: &mut Response) {
        self.set(response, SESSION, "", Some(0));
    }

    fn set(&self, response: &mut Response, name: &str, value: &str, lifetime: Option<Seconds>) {
        let cookie = Cookie::build((full_name(name, self.is_secure), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.is_secure);
        let cookie = match lifetime {
            Some(seconds) => cookie.max_age(Duration::seconds(seconds.into())),
            None => cookie,
        };
        if let Ok(mut cookie) = HeaderValue::from_str(&cookie.to_string()) {
            cookie.set_sensitive(true);
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
}

/// `__Host-` keeps other hosts of the domain from setting the cookie (RFC 6265bis §4.1.3.2).
fn full_name(name: &str, is_secure: bool) -> String {
    if is_secure { format!("__Host-{name}") } else { name.to_owned() }
}

/// The crate that writes cookies does not read them: it trims Unicode white space from their names. Looks at bytes: what other hosts of the domain have set need not be text.
fn find(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';'));
    let mut pairs = pairs.filter_map(|pair| str::from_utf8(pair).ok()?.split_once('='));
    pairs.find(|(own, _)| own.trim() == name).map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, cookie.parse().unwrap());
        headers
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let headers = headers("a=1; x__Host-b=2;__Host-b=3; b=4");
        assert_eq!(find(&headers, "__Host-b").as_deref(), Some("3"));
        assert_eq!(find(&headers, "b").as_deref(), Some("4"));
        assert_eq!(find(&headers, "c"), None);
    }

    #[test]
    fn a_cookie_is_found_beside_one_that_is_no_text() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_bytes(b"a=\xff\xfe; b=1; c=\xc3\xa9").unwrap());
        assert_eq!(find(&headers, "b").as_deref(), Some("1"));
        assert_eq!(find(&headers, "a"), None);
    }

    #[test]
    fn cookies_are_for_this_host_alone_and_not_for_scripts() {
        let mut rng = identety_http::ambient::rng().unwrap();
        let cookie = |issuer: &str, rng: &mut rand::rngs::StdRng| {
            let issuer = Issuer::parse(issuer).unwrap();
            let cookies = Cookies::of(&HeaderMap::new(), &issuer, rng);
            let mut response = Response::default();
            cookies.name_browser(&mut response);
            let cookie = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
            let value = cookies.visitor().browser.expose().to_owned();
            cookie.replace(&value, "V")
        };
        assert_eq!(
            cookie("https://id.example.com", &mut rng),
            "__Host-identety-browser=V; HttpOnly; SameSite=Lax; Secure; Path=/"
        );
        assert_eq!(
            cookie("http://localhost:8080", &mut rng),
            "identety-browser=V; HttpOnly; SameSite=Lax; Path=/"
        );
    }
}
