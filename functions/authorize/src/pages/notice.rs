//! The page that says what went wrong, when there is nowhere to send the browser.

use askama::Template;

use super::{FormTarget, Page};

/// Says what happened and what to do about it.
#[derive(Template)]
#[template(path = "notice.html")]
pub struct Notice<'a> {
    /// The issuer.
    pub base: &'a str,
    /// What happened, in a few words.
    pub title: &'a str,
    /// What happened, in a sentence.
    pub text: &'a str,
    /// What the reader can do; empty if there is nothing.
    pub what_to_do: &'a str,
    /// The app that the user came from, if it is known.
    pub app: Option<AppView<'a>>,
    /// What to quote to the people who run the server.
    pub request_id: Option<&'a str>,
}

/// An app to go back to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AppView<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its home page.
    pub uri: Option<&'a str>,
}

impl Page for Notice<'_> {
    fn form_target(&self) -> FormTarget {
        FormTarget::Nowhere
    }
}
