//! The pages before and after signing out.

use askama::Template;

use super::Page;

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
}

impl Page for SignOut<'_> {}

/// Says that nobody is signed in any more.
#[derive(Template)]
#[template(path = "signed_out.html")]
pub struct SignedOut<'a> {
    /// The issuer.
    pub base: &'a str,
}

impl Page for SignedOut<'_> {}
