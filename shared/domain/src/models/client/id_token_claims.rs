//! What a client's ID tokens say of the user without being asked.

use serde::{Deserialize, Serialize};

use crate::values::vocabulary::vocabulary;
use crate::values::{Scope, UserClaim};

/// The scopes whose claims are in an ID token by [`IdTokenRule::Scope`].
const SCOPES: [&str; 2] = ["profile", "email"];

vocabulary! {
    /// A rule that has a name.
    pub enum IdTokenRule {
        /// What the granted `profile` and `email` give at userinfo is in the ID token too: many clients never ask
        /// userinfo.
        Scope => "scope",
        /// Nothing.
        None => "none",
    }
}

/// What a client's ID tokens say of the user without being asked: never more than the granted scope gives. What the
/// `claims` parameter asks for (OpenID Connect Core 1.0 §5.5) comes on top.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IdTokenClaims {
    /// What a rule says.
    Rule(IdTokenRule),
    /// These.
    Listed(Vec<UserClaim>),
}

impl Default for IdTokenClaims {
    fn default() -> Self {
        Self::Rule(IdTokenRule::Scope)
    }
}

impl IdTokenClaims {
    /// Whether `claim` is in an ID token for `scope`.
    #[must_use]
    pub fn include(&self, claim: UserClaim, scope: &Scope) -> bool {
        let is_included = match self {
            Self::Rule(IdTokenRule::Scope) => SCOPES.contains(&claim.scope()),
            Self::Rule(IdTokenRule::None) => false,
            Self::Listed(claims) => claims.contains(&claim),
        };
        is_included && claim.is_given_by(scope)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    #[rstest]
    #[case(json!("scope"), "openid email address phone", &["email", "email_verified"])]
    #[case(json!("scope"), "openid", &[])]
    #[case(json!("none"), "openid profile email", &[])]
    #[case(json!([]), "openid profile email", &[])]
    #[case(json!(["address", "name", "email"]), "openid profile address", &["name", "address"])]
    fn the_id_token_has_what_the_member_says_and_the_scope_gives(
        #[case] member: Value,
        #[case] scope: &str,
        #[case] expected: &[&str],
    ) {
        let claims: IdTokenClaims = serde_json::from_value(member.clone()).unwrap();
        assert_eq!(serde_json::to_value(&claims).unwrap(), member);
        let scope = Scope::parse(scope).unwrap();
        let included = UserClaim::ALL.into_iter().filter(|claim| claims.include(*claim, &scope));
        assert_eq!(included.map(UserClaim::as_str).collect::<Vec<_>>(), expected);
    }

    #[rstest]
    #[case(json!("profile"))]
    #[case(json!(["sub"]))]
    #[case(json!(null))]
    #[case(json!({"scope": true}))]
    fn anything_else_is_no_such_member(#[case] member: Value) {
        assert!(serde_json::from_value::<IdTokenClaims>(member).is_err());
    }
}
