//! The pages before and after signing out.

use askama::Template;

use super::{FormTarget, Page};

/// Asks whether to sign out: `#signout` posts to `{base}/signout`, with `csrf` and what `hidden` has.
#[derive(Template)]
#[template(path = "sign_out.html")]
pub struct SignOut<'a> {
    /// The issuer.
    pub base: &'a str,
    /// Who is signed in; `None` once that has expired.
    pub user_email: Option<&'a str>,
    /// The CSRF token of the form.
    pub csrf: &'a str,
    /// Names and values of further hidden fields.
    pub hidden: Vec<(&'a str, &'a str)>,
    /// Whether the browser goes on to a client afterwards.
    pub leads_to_client: bool,
}

impl Page for SignOut<'_> {
    fn form_target(&self) -> FormTarget {
        if self.leads_to_client { FormTarget::Client } else { FormTarget::ThisServer }
    }
}

/// Says that nobody is signed in any more.
#[derive(Template)]
#[template(path = "signed_out.html")]
pub struct SignedOut<'a> {
    /// The issuer.
    pub base: &'a str,
}

impl Page for SignedOut<'_> {
    fn form_target(&self) -> FormTarget {
        FormTarget::Nowhere
    }
}
