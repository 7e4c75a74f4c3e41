//! What a user has allowed a client, so that the same need not be asked twice.

use std::collections::BTreeMap;

use crate::values::{Generation, Scope, UserClaim};

/// What a user has allowed a client.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Consent {
    /// The default at the first consent, and kept by later ones; another once the user has withdrawn it.
    pub generation: Generation,
    /// The scope that is allowed at each resource (RFC 8707). `None` stands for requests that name no resource.
    pub allowed: BTreeMap<Option<String>, Scope>,
    /// Claims about the user that were allowed by their names (OpenID Connect Core 1.0 §5.5), in any order. They are not
    /// at a resource: the client itself learns them.
    pub claims: Vec<UserClaim>,
}

impl Consent {
    /// Whether the user has allowed all of this: each scope at each resource, and each claim. A claim is allowed by its
    /// name or with a scope that gives it.
    #[must_use]
    pub fn covers(&self, scope: &Scope, resources: &[String], claims: &[UserClaim]) -> bool {
        let knows = |claim: &UserClaim| {
            self.claims.contains(claim)
                || self.allowed.values().any(|scope| claim.is_given_by(scope))
        };
        let is_allowed = targets(resources).all(|resource| {
            let known = self.allowed.get(&resource);
            known.is_some_and(|known| scope.first_outside(known).is_none())
        });
        is_allowed && claims.iter().all(knows)
    }
}

/// What a user allows now, besides what was allowed before.
#[derive(Clone, Copy, Debug)]
pub struct Allowed<'a> {
    /// What the client may do.
    pub scope: &'a Scope,
    /// At which resources; none where the request named none.
    pub resources: &'a [String],
    /// Which claims about the user that the scope does not give.
    pub claims: &'a [UserClaim],
    /// The generation, if this is the first consent.
    pub generation: Generation,
}

impl Allowed<'_> {
    /// The resources, or `None` once where the request named none.
    pub fn targets(&self) -> impl Iterator<Item = Option<String>> {
        targets(self.resources)
    }
}

fn targets(resources: &[String]) -> impl Iterator<Item = Option<String>> {
    let unnamed = resources.is_empty().then_some(None);
    resources.iter().cloned().map(Some).chain(unnamed)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const A: &str = "https://a.example.com";
    const B: &str = "https://b.example.com";

    #[rstest]
    #[case("read", &[A], true)]
    #[case("read", &[A, A], true)]
    #[case("", &[A], true)]
    #[case("write", &[A], false)]
    #[case("write", &[B], true)]
    #[case("read", &[B], false)]
    #[case("read", &[A, B], false)]
    #[case("", &[A, B], true)]
    #[case("read", &[], false)]
    #[case("openid", &[], true)]
    #[case("openid", &[A], false)]
    #[case("", &["https://c.example.com"], false)]
    fn a_consent_covers_each_scope_at_each_resource_that_was_allowed(
        #[case] scope: &str,
        #[case] resources: &[&str],
        #[case] expected: bool,
    ) {
        let scope_of = |text: &str| Scope::parse(text).unwrap_or_default();
        let consent = Consent {
            allowed: BTreeMap::from([
                (Some(A.to_owned()), scope_of("read")),
                (Some(B.to_owned()), scope_of("write")),
                (None, scope_of("openid")),
            ]),
            ..Consent::default()
        };
        let resources: Vec<_> = resources.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(consent.covers(&scope_of(scope), &resources, &[]), expected);
    }

    #[test]
    fn a_consent_that_was_withdrawn_covers_nothing_not_even_an_empty_scope() {
        let withdrawn = Consent { generation: Generation::from(7), ..Consent::default() };
        assert!(!withdrawn.covers(&Scope::default(), &[], &[]));
    }

    #[rstest]
    #[case("openid", &[], true)]
    #[case("openid", &[UserClaim::Email], true)]
    #[case("openid", &[UserClaim::Name, UserClaim::Picture, UserClaim::Email], true)]
    #[case("openid", &[UserClaim::EmailVerified], false)]
    #[case("openid", &[UserClaim::Name, UserClaim::Address], false)]
    // The claim was allowed, not all that its scope gives.
    #[case("openid email", &[], false)]
    fn a_claim_is_allowed_by_its_name_or_with_its_scope(
        #[case] scope: &str,
        #[case] claims: &[UserClaim],
        #[case] expected: bool,
    ) {
        let known = Scope::parse("openid profile").unwrap();
        let consent = Consent {
            allowed: BTreeMap::from([(None, known)]),
            claims: vec![UserClaim::Email],
            ..Consent::default()
        };
        assert_eq!(consent.covers(&Scope::parse(scope).unwrap(), &[], claims), expected);
    }
}
