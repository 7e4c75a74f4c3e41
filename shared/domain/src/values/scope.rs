//! Scopes (RFC 6749 §3.3) and their algebra.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::quoted;

/// One scope-token: `1*( %x21 / %x23-5B / %x5D-7E )`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeToken(String);

/// The longest scope-token that a client may have, in bytes.
pub const MAX_SCOPE_TOKEN: usize = 128;

/// Scopes of OpenID Connect that speak of a user, which an m2m client does not have.
pub(crate) const USER_SCOPES: [&str; 6] =
    ["openid", "profile", "email", "address", "phone", "offline_access"];

/// Reserved scopes: an administrator can grant only those that its own token carries.
const RESERVED_SCOPES: [&str; 7] = [
    "clients:read",
    "clients:write",
    "users:read",
    "users:write",
    "resources:read",
    "resources:write",
    "tokens:introspect",
];

/// Names of grants, which people put into the scopes by mistake.
const GRANT_NAMES: [&str; 6] = [
    "authorization_code",
    "client_credentials",
    "refresh_token",
    "password",
    "implicit",
    "urn:ietf:params:oauth:grant-type:token-exchange",
];

/// Why a text is no scope-token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ScopeError {
    /// Empty, or with a character outside the grammar.
    #[error(
        "a scope is 1 to 128 printable ASCII characters without space, quotation mark or backslash"
    )]
    Grammar,
    /// The name of a grant.
    #[error("that is the name of a grant, not of a scope; it belongs into grants")]
    GrantName,
}

impl ScopeToken {
    /// Checks one scope-token against the grammar of RFC 6749 §3.3.
    ///
    /// # Errors
    /// When the text breaks the grammar or is the name of a grant.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let grammar = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if text.is_empty() || text.len() > MAX_SCOPE_TOKEN || !text.bytes().all(grammar) {
            return Err(ScopeError::Grammar);
        }
        if GRANT_NAMES.contains(&text) {
            return Err(ScopeError::GrantName);
        }
        Ok(Self(text.to_owned()))
    }

    /// The token as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it speaks of a user (`openid`, `profile`, …).
    #[must_use]
    pub fn is_for_users(&self) -> bool {
        USER_SCOPES.contains(&self.as_str())
    }

    /// Whether it is reserved for administration.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        RESERVED_SCOPES.contains(&self.as_str())
    }

    /// Whether it opens the administration API.
    #[must_use]
    pub fn is_administration(&self) -> bool {
        self.is_reserved() && self.as_str() != "tokens:introspect"
    }
}

/// Why a scope is not granted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotGranted<'a> {
    /// This token is not in the allow-list, and none of those that are left out silently.
    Outside(&'a ScopeToken),
    /// Nothing is left of it.
    Nothing,
}

/// An ordered set of scope-tokens: the order is the one in which they were given.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(Vec<ScopeToken>);

impl Scope {
    /// Every scope that only administrators may have.
    #[must_use]
    pub fn reserved() -> Self {
        RESERVED_SCOPES.iter().map(|text| ScopeToken((*text).to_owned())).collect()
    }

    /// Reads a `scope` parameter: scope-tokens with spaces between them (RFC 6749 §3.3). The grammar has single
    /// spaces; clients join lists that have holes, so a run of spaces counts as one, and those at the ends do not count.
    ///
    /// # Errors
    /// When a token breaks the grammar; a text without any token is an error too, for a caller that has none
    /// should not call.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let tokens = text.split(' ').filter(|token| !token.is_empty()).map(ScopeToken::parse);
        let scope: Self = tokens.collect::<Result<_, _>>()?;
        if scope.is_empty() { Err(ScopeError::Grammar) } else { Ok(scope) }
    }

    /// Reads a `scope` parameter of a request.
    ///
    /// # Errors
    /// A sentence for the caller, which names the token that breaks the grammar.
    pub fn of_parameter(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| {
            let tokens = text.split(' ').filter(|token| !token.is_empty());
            match tokens.into_iter().find(|token| ScopeToken::parse(token).is_err()) {
                Some(token) => format!("the scope {} is malformed: {error}", quoted(token)),
                None => "the scope parameter has nothing but spaces".to_owned(),
            }
        })
    }

    /// What of this a client may have whose allow-list is `allowed`. OpenID's own scopes outside the list are left
    /// out, because clients add them whether they may have them or not (OpenID Connect Core 1.0 §3.1.2.1, §11).
    ///
    /// # Errors
    /// When another token is outside the list, or nothing remains.
    pub fn granted_by(&self, allowed: &Self) -> Result<Self, NotGranted<'_>> {
        let outside = |token: &&ScopeToken| !allowed.contains(token.as_str());
        if let Some(token) = self.iter().filter(outside).find(|token| !token.is_for_users()) {
            return Err(NotGranted::Outside(token));
        }
        let granted = self.within(allowed);
        if granted.is_empty() { Err(NotGranted::Nothing) } else { Ok(granted) }
    }

    /// Whether `token` is in the set.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|own| own.as_str() == token)
    }

    /// The first token that `allowed` does not have, if any.
    #[must_use]
    pub fn first_outside<'a>(&'a self, allowed: &Self) -> Option<&'a ScopeToken> {
        self.0.iter().find(|token| !allowed.contains(token.as_str()))
    }

    /// Those tokens that `allowed` has too.
    #[must_use]
    pub fn within(&self, allowed: &Self) -> Self {
        self.iter().filter(|token| allowed.contains(token.as_str())).cloned().collect()
    }

    /// The value of a `scope` member or parameter; `None` where there is nothing to say.
    #[must_use]
    pub fn to_parameter(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.to_string())
    }

    /// The tokens, in order.
    pub fn iter(&self) -> impl Iterator<Item = &ScopeToken> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<ScopeToken> for Scope {
    /// Keeps the first of equal tokens.
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(tokens: I) -> Self {
        let mut set = Vec::new();
        for token in tokens {
            if !set.contains(&token) {
                set.push(token);
            }
        }
        Self(set)
    }
}

impl fmt::Display for Scope {
    /// As on the wire: the tokens with a space between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, token) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("read:orders")]
    #[case("https://api.example.com/orders.read")]
    #[case("!#[]~")]
    fn a_token_within_the_grammar_is_taken(#[case] text: &str) {
        assert_eq!(ScopeToken::parse(text).unwrap().as_str(), text);
    }

    #[rstest]
    #[case("")]
    #[case("two words")]
    #[case("quote\"")]
    #[case("back\\slash")]
    #[case("tab\t")]
    #[case("é")]
    #[case("del\u{7f}")]
    fn a_token_outside_the_grammar_is_refused(#[case] text: &str) {
        assert_eq!(ScopeToken::parse(text), Err(ScopeError::Grammar));
    }

    #[rstest]
    #[case("client_credentials")]
    #[case("password")]
    fn the_name_of_a_grant_is_no_scope(#[case] text: &str) {
        assert_eq!(ScopeToken::parse(text), Err(ScopeError::GrantName));
    }

    #[test]
    fn a_scope_keeps_its_order_and_drops_repetitions() {
        assert_eq!(Scope::parse("b a b c").unwrap().to_string(), "b a c");
    }

    #[rstest]
    #[case("a  b")]
    #[case(" a b")]
    #[case("a b   ")]
    #[case("   a     b ")]
    fn a_run_of_spaces_counts_as_one_and_those_at_the_ends_do_not_count(#[case] text: &str) {
        assert_eq!(Scope::parse(text).unwrap().to_string(), "a b");
    }

    #[rstest]
    #[case("")]
    #[case("   ")]
    #[case("a\tb")]
    #[case("a\u{a0}b")]
    fn only_spaces_stand_between_tokens_and_there_is_one_token_at_least(#[case] text: &str) {
        assert_eq!(Scope::parse(text), Err(ScopeError::Grammar));
    }

    #[rstest]
    #[case("a openid offline_access", "a openid")]
    #[case("offline_access a", "a")]
    #[case("b openid", "refused: b")]
    #[case("offline_access b", "refused: b")]
    #[case("OFFLINE_ACCESS a", "refused: OFFLINE_ACCESS")]
    #[case("offline_access profile", "nothing")]
    fn scopes_of_openid_outside_the_list_are_left_out_and_others_refused(
        #[case] asked: &str,
        #[case] expected: &str,
    ) {
        let (asked, allowed) = (Scope::parse(asked).unwrap(), Scope::parse("openid a").unwrap());
        let granted = match asked.granted_by(&allowed) {
            Ok(granted) => granted.to_string(),
            Err(NotGranted::Outside(token)) => format!("refused: {}", token.as_str()),
            Err(NotGranted::Nothing) => "nothing".to_owned(),
        };
        assert_eq!(granted, expected);
    }

    #[test]
    fn the_token_outside_the_allowed_set_is_named() {
        let allowed = Scope::parse("a b").unwrap();
        let asked = Scope::parse("b c").unwrap();
        assert_eq!(asked.first_outside(&allowed).unwrap().as_str(), "c");
        assert_eq!(allowed.first_outside(&allowed), None);
    }

    proptest! {
        #[test]
        fn whatever_parses_is_written_back_and_read_the_same(text in "[!#-\\[\\]-~ ]{0,60}") {
            if let Ok(scope) = Scope::parse(&text) {
                prop_assert_eq!(Scope::parse(&scope.to_string()).unwrap(), scope);
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".*") {
            let _ = Scope::parse(&text);
        }
    }
}
