//! The page of a one-time link.

use askama::Template;

use super::{FormTarget, Page};

/// Asks whether to make this browser known: `#known-browser` posts to `{base}/known-browser`, with `token`.
#[derive(Template)]
#[template(path = "known_browser.html")]
pub struct KnownBrowser<'a> {
    /// The issuer.
    pub base: &'a str,
    /// What the link carries.
    pub token: &'a str,
}

impl Page for KnownBrowser<'_> {
    fn form_target(&self) -> FormTarget {
        FormTarget::ThisServer
    }
}
