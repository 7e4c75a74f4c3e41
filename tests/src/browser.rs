//! A browser as far as plain HTML forms need one: cookies, redirects, and the fields of a form.

use std::collections::BTreeMap;

use http::header::{LOCATION, SET_COOKIE};

use crate::call::{Answer, Call, Server};

/// How often a browser follows before it gives up.
const MOST_REDIRECTS: usize = 10;

/// One person's browser.
pub struct Browser {
    server: Server,
    issuer: String,
    cookies: BTreeMap<String, String>,
}

/// Where a browser has come to.
#[derive(Clone, Debug)]
pub struct Page {
    /// The path and query below the issuer.
    pub path: String,
    /// The answer.
    pub answer: Answer,
}

impl Browser {
    /// A browser without cookies, for a server that names itself `issuer`.
    pub fn new(server: Server, issuer: &str) -> Self {
        Self { server, issuer: issuer.to_owned(), cookies: BTreeMap::new() }
    }

    /// Goes to a URL of the server and follows redirects as long as they stay there.
    pub async fn get(&mut self, url: &str) -> Page {
        let path = self.path_of(url).unwrap_or(url).to_owned();
        let page = self.send(self.server.get(path.clone()), path).await;
        self.follow(page).await
    }

    /// Fills in the form of a page, sends it, and follows as [`Browser::get`] does.
    pub async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let action = page.attribute("<form", "action").expect("a form");
        let hidden = page.hidden_fields();
        let all = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = all.chain(fields.iter().copied()).collect();
        let path = self.path_of(&action).unwrap_or(&action).to_owned();
        let call = self.server.post(path.clone()).header("origin", &self.issuer).form(&all);
        let page = self.send(call, path).await;
        self.follow(page).await
    }

    /// Signs in and consents where that is asked.
    pub async fn authorize(&mut self, url: &str, email: &str, password: &str) -> Page {
        let mut page = self.get(url).await;
        if page.path.starts_with("/signin") {
            page = self.submit(&page, &[("email", email), ("password", password)]).await;
        }
        if page.path.starts_with("/consent") {
            page = self.submit(&page, &[("decision", "allow")]).await;
        }
        page
    }

    async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..MOST_REDIRECTS {
            let Some(path) = self.path_of(page.location()).map(str::to_owned) else {
                return page;
            };
            page = self.send(self.server.get(path.clone()), path).await;
        }
        panic!("redirected again and again: {}", page.location());
    }

    async fn send(&mut self, call: Call, path: String) -> Page {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let call =
            if cookies.is_empty() { call } else { call.header("cookie", &cookies.join("; ")) };
        let answer = call.send().await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().expect("a cookie");
            let pair = text.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a cookie's name and value");
            if value.is_empty() || text.to_lowercase().contains("max-age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Page { path, answer }
    }

    /// The path and query of a URL of the server; `None` when it is somewhere else.
    fn path_of<'a>(&self, url: &'a str) -> Option<&'a str> {
        match url.strip_prefix(self.issuer.as_str()) {
            Some(rest) if rest.starts_with('/') => Some(rest),
            Some(_) => None,
            None => url.starts_with('/').then_some(url),
        }
    }
}

impl Page {
    /// Where the browser is sent; empty when it is not.
    pub fn location(&self) -> &str {
        self.answer.header(LOCATION.as_str())
    }

    /// The HTML.
    pub fn html(&self) -> String {
        String::from_utf8_lossy(&self.answer.body).into_owned()
    }

    fn attribute(&self, tag: &str, name: &str) -> Option<String> {
        let html = self.html();
        let start = html.find(tag)?;
        attribute(html[start..].split('>').next()?, name)
    }

    fn hidden_fields(&self) -> Vec<(String, String)> {
        let html = self.html();
        let inputs = html.split("<input").skip(1).filter_map(|rest| rest.split('>').next());
        inputs
            .filter(|input| attribute(input, "type").as_deref() == Some("hidden"))
            .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
            .collect()
    }
}

/// The value of an attribute, as it was before it was escaped.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    let escapes = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    Some(escapes.iter().fold(value.to_owned(), |text, (from, to)| text.replace(from, to)))
}
