//! The page on which people make an account for themselves.

use askama::Template;

use super::{ClientView, FormTarget, Page, RequestFields};

/// Asks for `#email`, `#name` and `#password`; `#submit` posts them to `{base}/register`, with
/// `transaction` and `csrf`.
#[derive(Template)]
#[template(path = "register.html")]
pub struct Register<'a> {
    /// The issuer.
    pub base: &'a str,
    /// For whom the user signs in.
    pub client: &'a ClientView<'a>,
    /// The request that waits.
    pub request: RequestFields<'a>,
    /// What to put into `#email`.
    pub email: &'a str,
    /// What to put into `#name`.
    pub name: &'a str,
    /// What a password must be, in one sentence.
    pub password_rule: &'a str,
    /// What was wrong with what was sent before.
    pub errors: RegisterErrors<'a>,
}

/// What was wrong, each beside the field that it is about.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RegisterErrors<'a> {
    /// About no field.
    pub form: Option<&'a str>,
    /// About `#email`.
    pub email: Option<&'a str>,
    /// About `#name`.
    pub name: Option<&'a str>,
    /// About `#password`.
    pub password: Option<&'a str>,
}

impl RegisterErrors<'_> {
    /// Whether nothing was wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Page for Register<'_> {
    fn form_target(&self) -> FormTarget {
        FormTarget::Client
    }

    fn logo_uri(&self) -> Option<&str> {
        self.client.logo_uri
    }
}
