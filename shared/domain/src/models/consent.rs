//! What a user has allowed a client to know and to do.

use crate::values::{Scope, UserClaim};

/// What a user allows a client, or is asked to allow.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Consented {
    /// The scope.
    pub scope: Scope,
    /// Claims about the user that the scope does not give (OpenID Connect Core 1.0 §5.5).
    pub claims: Vec<UserClaim>,
}

impl From<Scope> for Consented {
    /// A scope and no claims beyond it.
    fn from(scope: Scope) -> Self {
        Self { scope, claims: Vec::new() }
    }
}

impl Consented {
    /// Whether everything that is asked for is allowed. A claim is allowed with its scope too.
    #[must_use]
    pub fn covers(&self, asked: &Self) -> bool {
        let allows =
            |claim: &UserClaim| self.claims.contains(claim) || claim.is_given_by(&self.scope);
        asked.scope.first_outside(&self.scope).is_none() && asked.claims.iter().all(allows)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn consented(scope: &str, claims: &[UserClaim]) -> Consented {
        Consented { scope: Scope::parse(scope).unwrap(), claims: claims.to_vec() }
    }

    #[rstest]
    #[case("openid", &[], true)]
    #[case("openid", &[UserClaim::Email], true)]
    #[case("openid", &[UserClaim::Name, UserClaim::Picture, UserClaim::Email], true)]
    #[case("openid", &[UserClaim::EmailVerified], false)]
    #[case("openid", &[UserClaim::Name, UserClaim::Address], false)]
    // The claim was allowed, not all that its scope gives.
    #[case("openid email", &[], false)]
    fn a_claim_is_allowed_by_itself_or_with_its_scope(
        #[case] scope: &str,
        #[case] claims: &[UserClaim],
        #[case] expected: bool,
    ) {
        let allowed = consented("openid profile", &[UserClaim::Email]);
        assert_eq!(allowed.covers(&consented(scope, claims)), expected);
    }
}
