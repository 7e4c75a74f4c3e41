//! Scopes.

use identety_domain::{Scope, ScopeToken};

use crate::mutation::{Examples, fuzz};

const EXAMPLES: Examples = Examples {
    whole: &[
        "orders:read orders:write",
        "openid profile email offline_access",
        "https://api.example.com/orders.read",
        "a b a",
        "urn:x:!#$%&'()*+,-./:;<=>?@[]^_`{|}~",
    ],
    pieces: &[" ", "  ", "\"", "\\", "\t", "\n", "\0", "password", "refresh_token", "é", "\u{7f}"],
};

/// RFC 6749 §3.3, character by character.
fn is_token(text: &str) -> bool {
    let names =
        ["authorization_code", "client_credentials", "refresh_token", "password", "implicit"];
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    let is_legal = |c: char| ('!'..='~').contains(&c) && c != '"' && c != '\\';
    (1..=128).contains(&text.len())
        && text.chars().all(is_legal)
        && !names.contains(&text)
        && text != exchange
}

#[test]
fn a_scope_is_a_set_of_legal_tokens_and_says_the_same_when_it_is_read_again() {
    fuzz(EXAMPLES, 20_000, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(ScopeToken::parse(&text).is_ok(), is_token(&text));
        let pieces: Vec<_> = text.split(' ').filter(|piece| !piece.is_empty()).collect();
        let Ok(scope) = Scope::parse(&text) else {
            let is_right = !pieces.is_empty() && pieces.iter().all(|piece| is_token(piece));
            assert!(!is_right, "{text:?} is refused");
            return;
        };
        assert!(scope.iter().all(|token| is_token(token.as_str())));
        assert!(pieces.iter().all(|piece| scope.contains(piece)), "nothing is lost");
        assert!(scope.iter().all(|token| pieces.contains(&token.as_str())), "nothing is added");
        assert_eq!(Scope::parse(&scope.to_string()), Ok(scope.clone()));
        assert_eq!(scope.within(&scope), scope);
        assert_eq!(scope.first_outside(&scope), None);
    });
}
