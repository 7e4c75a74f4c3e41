//! Scopes in words.

use identety_domain::ScopeToken;

/// One scope on the consent page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ScopeView<'a> {
    /// The scope-token.
    pub name: &'a str,
    /// What it means to the user; `None` for scopes that only the client's makers know, whose names are
    /// shown as they are.
    pub text: Option<&'a str>,
}

impl<'a> From<&'a ScopeToken> for ScopeView<'a> {
    fn from(token: &'a ScopeToken) -> Self {
        Self { name: token.as_str(), text: in_words(token.as_str()) }
    }
}

/// The standard scopes (OpenID Connect Core 1.0 §3.1.2.1, §5.4 and §11).
fn in_words(name: &str) -> Option<&'static str> {
    match name {
        "openid" => Some("Know who you are"),
        "profile" => Some("See your name and profile"),
        "email" => Some("See your email address"),
        "address" => Some("See your postal address"),
        "phone" => Some("See your phone number"),
        "offline_access" => Some("Keep access while you are away"),
        _ => None,
    }
}
