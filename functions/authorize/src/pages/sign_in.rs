//! The page on which a user shows who they are.

use askama::Template;

use super::{ClientView, FormTarget, Page, RequestFields};

/// Asks for `#email` and `#password`; `#submit` posts them to `{base}/signin`, with `transaction` and
/// `csrf`.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub struct SignIn<'a> {
    /// The issuer.
    pub base: &'a str,
    /// For whom the user signs in.
    pub client: &'a ClientView<'a>,
    /// The request that waits.
    pub request: RequestFields<'a>,
    /// What to put into `#email`: what was typed before, or a hint; empty if there is nothing.
    pub email: &'a str,
    /// Why the sign-in before this one failed.
    pub error: Option<&'a str>,
    /// Whether to offer registration.
    pub can_register: bool,
}

impl Page for SignIn<'_> {
    fn form_target(&self) -> FormTarget {
        FormTarget::Client
    }

    fn logo_uri(&self) -> Option<&str> {
        self.client.logo_uri
    }
}
