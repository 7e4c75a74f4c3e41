//! The page that carries the answer of `response_mode=form_post` (OAuth 2.0 Form Post Response Mode).

use askama::Template;

use super::Page;

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
}

impl Page for FormPost<'_> {
    fn form_target(&self) -> Option<&str> {
        Some(self.action)
    }

    fn runs_script(&self) -> bool {
        true
    }
}
