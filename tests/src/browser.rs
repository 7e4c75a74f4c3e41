//! A browser without a screen: keeps cookies, follows redirects of the server, fills in forms.

use std::collections::BTreeMap;

use http::header::SET_COOKIE;
use url::Url;

use crate::call::{Answer, Call, Server};

/// A browser.
#[derive(Clone)]
pub struct Browser {
    server: Server,
    issuer: String,
    /// Its cookies, by name.
    pub cookies: BTreeMap<String, String>,
    /// Where it seems to be.
    pub peer: String,
}

/// Where a navigation ended.
#[derive(Clone, Debug)]
pub enum Shown {
    /// On a page of the server.
    Page(Answer),
    /// At the client.
    Client(Landing),
}

/// A URL of the client that the browser was sent to.
#[derive(Clone, Debug)]
pub struct Landing {
    /// The whole of it.
    pub url: String,
    /// Its query.
    pub parameters: BTreeMap<String, String>,
}

impl Landing {
    /// A parameter; empty when it is not there.
    pub fn get(&self, name: &str) -> String {
        self.parameters.get(name).cloned().unwrap_or_default()
    }
}

impl Shown {
    /// The page.
    pub fn page(self) -> Answer {
        match self {
            Self::Page(page) => page,
            Self::Client(landing) => panic!("at the client: {}", landing.url),
        }
    }

    /// What the client got.
    pub fn client(self) -> Landing {
        match self {
            Self::Client(landing) => landing,
            Self::Page(page) => panic!("a page: {} {}", page.status, html(&page)),
        }
    }
}

impl Browser {
    /// A browser that was never anywhere, for the server at `issuer`.
    pub fn new(server: Server, issuer: &str) -> Self {
        let (cookies, peer) = (BTreeMap::new(), "192.0.2.1".to_owned());
        Self { server, issuer: issuer.to_owned(), cookies, peer }
    }

    /// Goes to a path, or to a URL of the server, and wherever that redirects to.
    pub async fn open(&mut self, url: &str) -> Shown {
        let answer = self.get(url).await;
        self.follow(answer).await
    }

    /// One GET, without following.
    pub async fn get(&mut self, url: &str) -> Answer {
        let path = self.path(url);
        let call = self.server.get(path);
        self.send(call).await
    }

    /// One POST of a form, without following.
    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        let path = self.path(url);
        let call = self.server.post(path).form(fields);
        self.send(call).await
    }

    /// One call with this browser's cookies.
    pub async fn send(&mut self, call: Call) -> Answer {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, it)| format!("{name}={it}")).collect();
        let call = if pairs.is_empty() { call } else { call.header("cookie", &pairs.join("; ")) };
        let answer = call.from(&self.peer).send().await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("a cookie");
            let (pair, attributes) = cookie.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Fills in the form of a page and sends it, hidden fields and all.
    pub async fn submit(&mut self, page: &Answer, fields: &[(&str, &str)]) -> Shown {
        let answer = self.submit_once(page, fields).await;
        self.follow(answer).await
    }

    /// The same, without following.
    pub async fn submit_once(&mut self, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let form = Form::of(page);
        let hidden = form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = hidden.chain(fields.iter().copied()).collect();
        self.post(&form.action, &all).await
    }

    /// Goes to a path or URL and on to the client: signs in and consents where that is asked.
    pub async fn authorize(&mut self, url: &str, email: &str, password: &str) -> Landing {
        let shown = self.open(url).await;
        self.go_on(shown, email, password).await
    }

    /// The rest of that way.
    pub async fn go_on(&mut self, mut shown: Shown, email: &str, password: &str) -> Landing {
        for _ in 0..3 {
            let page = match shown {
                Shown::Client(landing) => return landing,
                Shown::Page(page) => page,
            };
            let html = html(&page);
            let fields: &[(&str, &str)] = if html.contains("id=\"password\"") {
                &[("email", email), ("password", password)]
            } else if html.contains("id=\"allow\"") {
                &[("decision", "allow")]
            } else {
                panic!("neither sign-in nor consent: {} {html}", page.status);
            };
            shown = self.submit(&page, fields).await;
        }
        shown.client()
    }

    /// Follows redirects as long as they stay at the server.
    pub async fn follow(&mut self, mut answer: Answer) -> Shown {
        for _ in 0..10 {
            if !(300..400).contains(&answer.status) {
                return Shown::Page(answer);
            }
            assert_eq!(answer.status, 303, "what was posted must not be posted on");
            let location = answer.header("location").to_owned();
            if !self.is_own(&location) {
                return Shown::Client(landing(location));
            }
            answer = self.get(&location).await;
        }
        panic!("too many redirects")
    }

    /// Whether a URL is of the server itself, and not of an app that it serves beside.
    fn is_own(&self, url: &str) -> bool {
        let path = url.strip_prefix(&self.issuer).unwrap_or_default();
        path.starts_with('/') && !path.starts_with("/demo")
    }

    fn path(&self, url: &str) -> String {
        url.strip_prefix(&self.issuer).unwrap_or(url).to_owned()
    }
}

fn landing(url: String) -> Landing {
    let parsed = Url::parse(&url).expect("a URL");
    let in_fragment = parsed.fragment().map(|text| url::form_urlencoded::parse(text.as_bytes()));
    let parameters = in_fragment.unwrap_or_else(|| parsed.query_pairs()).into_owned().collect();
    Landing { url, parameters }
}

/// The text of a page.
pub fn html(page: &Answer) -> String {
    String::from_utf8_lossy(&page.body).into_owned()
}

/// The first form of a page.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    /// Its hidden fields.
    pub hidden: Vec<(String, String)>,
}

impl Form {
    /// The form of `page`.
    pub fn of(page: &Answer) -> Self {
        let html = html(page);
        let (_, form) = html.split_once("<form").unwrap_or_else(|| panic!("no form: {html}"));
        let (form, _) = form.split_once("</form>").expect("the end of the form");
        let action = attribute(form.split('>').next().unwrap_or_default(), "action");
        let inputs = form.split("<input").skip(1).filter_map(|rest| rest.split('>').next());
        let hidden = inputs.filter(|input| attribute(input, "type") == "hidden");
        let hidden = hidden.map(|input| (attribute(input, "name"), attribute(input, "value")));
        Self { action, hidden: hidden.collect() }
    }

    /// A hidden field; empty when it is not there.
    pub fn get(&self, name: &str) -> String {
        let found = self.hidden.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let value = tag.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
    unescape(value.map_or("", |(value, _)| value))
}

fn unescape(text: &str) -> String {
    let named = [("&#34;", "\""), ("&#38;", "&"), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">")];
    let more = [("&quot;", "\""), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    let all = named.into_iter().chain(more);
    all.fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
