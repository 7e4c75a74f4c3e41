//! [`ConsentStore`](identety_domain::store::ConsentStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use std::collections::BTreeSet;

use identety_domain::Scope;
use identety_domain::grant::{Allowed, Consent, Generation};
use identety_domain::user::UserClaim;
use uuid::Uuid;

use super::Stores;
use super::fixtures::{at, id};

pub async fn who_was_never_asked_has_consented_to_nothing(stores: &Stores) {
    assert_eq!(consented(stores, id(1), id(2)).await, None);
}

pub async fn consents_add_up(stores: &Stores) {
    for (scope, sum) in [("b a", "a b"), ("b c", "a b c"), ("a", "a b c"), ("!#[]~", "!#[]~ a b c")]
    {
        consent(stores, id(1), id(2), &Scope::parse(scope).expect("a scope")).await;
        assert_eq!(consented(stores, id(1), id(2)).await, Some(tokens(sum)));
    }
}

pub async fn a_consent_to_an_empty_scope_is_one(stores: &Stores) {
    consent(stores, id(1), id(2), &Scope::default()).await;
    assert_eq!(consented(stores, id(1), id(2)).await, Some(BTreeSet::new()));
    consent(stores, id(1), id(2), &Scope::parse("a").expect("a scope")).await;
    consent(stores, id(1), id(2), &Scope::default()).await;
    assert_eq!(consented(stores, id(1), id(2)).await, Some(tokens("a")));
}

pub async fn a_consent_is_for_the_resources_that_were_named_with_it(stores: &Stores) {
    let [a, b] = ["https://a.example.com", "https://b.example.com/x?y=z"].map(str::to_owned);
    let asked = [
        ("read", vec![a.clone()]),
        ("write", vec![a.clone(), b.clone()]),
        ("openid", vec![]),
        ("", vec![b.clone()]),
    ];
    for (number, (scope, resources)) in (1..).zip(&asked) {
        let scope = Scope::parse(scope).unwrap_or_default();
        let allowed =
            Allowed { scope: &scope, resources, claims: &[], generation: Generation::from(number) };
        let consented = stores.consents.consent(id(1), id(2), &allowed, at(0)).await;
        assert_eq!(consented.expect("a consent"), Generation::from(1), "the first one stays");
    }
    let known = stores.consents.consented(id(1), id(2)).await.expect("a reading");
    let known = known.expect("a consent");
    let expected = [(None, "openid"), (Some(a), "read write"), (Some(b), "write")];
    let expected = expected.map(|(at, scope)| (at, Scope::parse(scope).expect("a scope")));
    assert_eq!(
        known,
        Consent { generation: Generation::from(1), allowed: expected.into(), claims: Vec::new() }
    );
}

pub async fn a_consent_to_an_empty_scope_at_a_resource_is_one(stores: &Stores) {
    let resources = ["https://a.example.com".to_owned()];
    let scope = Scope::default();
    let generation = Generation::from(1);
    let allowed = Allowed { scope: &scope, resources: &resources, claims: &[], generation };
    stores.consents.consent(id(1), id(2), &allowed, at(0)).await.expect("a consent");
    let known = stores.consents.consented(id(1), id(2)).await.expect("a reading");
    let known = known.expect("a consent");
    assert!(known.covers(&scope, &resources, &[]) && !known.covers(&scope, &[], &[]));
}

pub async fn a_consent_that_is_withdrawn_covers_nothing_and_has_another_generation(
    stores: &Stores,
) {
    let resources = ["https://a.example.com".to_owned()];
    let scope = Scope::parse("a").expect("a scope");
    let given = async |generation, resources: &[String]| {
        let claims = &[UserClaim::Email];
        let allowed = Allowed { scope: &scope, resources, claims, generation };
        let given = stores.consents.consent(id(1), id(2), &allowed, at(0)).await;
        given.expect("a consent")
    };
    let [first, second, third] = [1, u64::MAX, 3].map(Generation::from);
    assert_eq!(given(first, &resources).await, first);
    assert_eq!(given(third, &[]).await, first);
    // One that was never asked may withdraw, too: what was given without asking ends with it.
    for (client, at_once) in [(id(2), 2), (id(3), 1)] {
        for _ in 0..at_once {
            let withdrawn = stores.consents.withdraw_consent(id(1), client, second, at(1)).await;
            withdrawn.expect("an end");
        }
        let known = stores.consents.consented(id(1), client).await.expect("a reading");
        assert_eq!(known, Some(Consent { generation: second, ..Consent::default() }));
    }
    assert_eq!(given(third, &resources).await, second, "later consents keep it");
    let known = stores.consents.consented(id(1), id(2)).await.expect("a reading");
    let known = known.expect("a consent");
    assert!(known.covers(&scope, &resources, &[]) && !known.covers(&scope, &[], &[]));
}

pub async fn claims_add_up_beside_the_scope_and_are_not_taken_for_one(stores: &Stores) {
    use UserClaim::{Email, EmailVerified, Name, Profile};
    let steps: [(&str, &[_], &str, &[_]); 4] = [
        ("a", &[Email, Name], "a", &[Email, Name]),
        ("b", &[Email, EmailVerified], "a b", &[Email, EmailVerified, Name]),
        ("profile", &[], "a b profile", &[Email, EmailVerified, Name]),
        ("a", &[Profile], "a b profile", &[Email, EmailVerified, Name, Profile]),
    ];
    for (scope, claims, scopes, sum) in steps {
        let scope = Scope::parse(scope).expect("a scope");
        consent_with(stores, id(1), id(2), &scope, claims).await;
        assert_eq!(consented(stores, id(1), id(2)).await, Some(tokens(scopes)));
        assert_eq!(consented_claims(stores, id(1), id(2)).await, Some(sum.to_vec()));
    }
}

pub async fn a_consent_is_of_one_user_to_one_client(stores: &Stores) {
    let scopes =
        [(id(1), id(2), "a"), (id(1), id(3), "b"), (id(2), id(2), "c"), (id(2), id(1), "d")];
    for (user, client, scope) in scopes {
        consent(stores, user, client, &Scope::parse(scope).expect("a scope")).await;
    }
    for (user, client, scope) in scopes {
        assert_eq!(consented(stores, user, client).await, Some(tokens(scope)));
    }
}

pub async fn all_consents_of_a_user_are_forgotten_and_no_others(stores: &Stores) {
    let scope = Scope::parse("a").expect("a scope");
    for number in 1..=30 {
        consent(stores, id(100), id(number), &scope).await;
    }
    consent(stores, id(101), id(1), &scope).await;
    for _ in 0..2 {
        stores.consents.forget_consents(id(100)).await.expect("an end");
        for number in 1..=30 {
            assert_eq!(consented(stores, id(100), id(number)).await, None);
        }
    }
    assert_eq!(consented(stores, id(101), id(1)).await, Some(tokens("a")));
}

pub(super) async fn consent(stores: &Stores, user: Uuid, client: Uuid, scope: &Scope) {
    consent_with(stores, user, client, scope, &[]).await;
}

pub(super) async fn consent_with(
    stores: &Stores,
    user: Uuid,
    client: Uuid,
    scope: &Scope,
    claims: &[UserClaim],
) {
    let allowed = Allowed { scope, resources: &[], claims, generation: Generation::from(1) };
    stores.consents.consent(user, client, &allowed, at(0)).await.expect("a consent");
}

/// The claims that `user` has allowed `client` by their names, in the order of their table.
pub(super) async fn consented_claims(
    stores: &Stores,
    user: Uuid,
    client: Uuid,
) -> Option<Vec<UserClaim>> {
    let known = stores.consents.consented(user, client).await.expect("a reading")?;
    Some(UserClaim::ALL.into_iter().filter(|claim| known.claims.contains(claim)).collect())
}

/// The tokens that `user` has allowed `client` without a resource, in any order.
pub(super) async fn consented(
    stores: &Stores,
    user: Uuid,
    client: Uuid,
) -> Option<BTreeSet<String>> {
    let known = stores.consents.consented(user, client).await.expect("a reading")?;
    let scope = known.allowed.get(&None).cloned().unwrap_or_default();
    Some(scope.iter().map(|token| token.as_str().to_owned()).collect())
}

fn tokens(text: &str) -> BTreeSet<String> {
    text.split(' ').map(str::to_owned).collect()
}
