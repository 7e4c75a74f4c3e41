//! The page on which a user decides what a client may do.

use askama::Template;
use identety_domain::client::Destination;

use super::{ClientView, FormTarget, Page, RequestFields, ScopeView};

/// `#allow` and `#deny` post `decision=allow` or `decision=deny` to `{base}/consent`, with `transaction`
/// and `csrf`. What is asked for is not in the form: the transaction has it.
#[derive(Template)]
#[template(path = "consent.html")]
pub struct Consent<'a> {
    /// The issuer.
    pub base: &'a str,
    /// Who asks.
    pub client: &'a ClientView<'a>,
    /// Who is asked.
    pub user_email: &'a str,
    /// The request that waits.
    pub request: RequestFields<'a>,
    /// The CSRF token of the session.
    pub session: &'a str,
    /// What is asked for.
    pub scopes: Vec<ScopeView<'a>>,
    /// What is asked for beyond the scopes, in words.
    pub claims: Vec<&'static str>,
    /// At which resources (RFC 8707); none where the request names none.
    pub resources: &'a [String],
    /// Where the browser is led.
    pub destination: Destination<'a>,
}

impl Page for Consent<'_> {
    fn form_target(&self) -> FormTarget {
        FormTarget::Client
    }

    fn logo_uri(&self) -> Option<&str> {
        self.client.logo_uri
    }
}
