//! The page that carries the answer of `response_mode=form_post` (OAuth 2.0 Form Post Response Mode).

use askama::Template;

use super::{FormTarget, Page};

/// Posts `fields` to `action`: at once where scripts run, else when the user presses the button.
#[derive(Template)]
#[template(path = "form_post.html")]
pub struct FormPost<'a> {
    /// The issuer.
    pub base: &'a str,
    /// The redirect URI.
    pub action: &'a str,
    /// Names and values of the answer's parameters.
    pub fields: &'a [(&'a str, &'a str)],
    /// Whether it answers `prompt=none`, which clients ask in a frame of a page of theirs.
    pub is_silent: bool,
}

impl Page for FormPost<'_> {
    fn form_target(&self) -> FormTarget {
        FormTarget::Client
    }

    fn runs_script(&self) -> bool {
        true
    }

    fn framed_by(&self) -> Option<&str> {
        self.is_silent.then_some(self.action)
    }
}
