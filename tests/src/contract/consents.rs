//! [`ConsentStore`](identety_domain::store::ConsentStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::Scope;
use identety_domain::grant::Consented;
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
        consent(stores, id(1), id(2), &allowed(scope, &[])).await;
        assert_eq!(consented(stores, id(1), id(2)).await, Some(allowed(sum, &[])));
    }
}

pub async fn claims_add_up_beside_the_scope_and_are_not_taken_for_one(stores: &Stores) {
    use UserClaim::{Email, EmailVerified, Name, Profile};
    let steps: [(&str, &[_], &str, &[_]); 4] = [
        ("a", &[Email, Name], "a", &[Name, Email]),
        ("b", &[Email, EmailVerified], "a b", &[Name, Email, EmailVerified]),
        ("profile", &[], "a b profile", &[Name, Email, EmailVerified]),
        ("a", &[Profile], "a b profile", &[Name, Profile, Email, EmailVerified]),
    ];
    for (scope, claims, scopes, sum) in steps {
        consent(stores, id(1), id(2), &allowed(scope, claims)).await;
        assert_eq!(consented(stores, id(1), id(2)).await, Some(allowed(scopes, sum)));
    }
}

pub async fn a_consent_to_an_empty_scope_is_one(stores: &Stores) {
    consent(stores, id(1), id(2), &Consented::default()).await;
    assert_eq!(consented(stores, id(1), id(2)).await, Some(Consented::default()));
    consent(stores, id(1), id(2), &allowed("a", &[])).await;
    consent(stores, id(1), id(2), &Consented::default()).await;
    assert_eq!(consented(stores, id(1), id(2)).await, Some(allowed("a", &[])));
}

pub async fn a_consent_is_of_one_user_to_one_client(stores: &Stores) {
    let scopes =
        [(id(1), id(2), "a"), (id(1), id(3), "b"), (id(2), id(2), "c"), (id(2), id(1), "d")];
    for (user, client, scope) in scopes {
        consent(stores, user, client, &allowed(scope, &[])).await;
    }
    for (user, client, scope) in scopes {
        assert_eq!(consented(stores, user, client).await, Some(allowed(scope, &[])));
    }
}

pub async fn all_consents_of_a_user_are_forgotten_and_no_others(stores: &Stores) {
    let some = allowed("a", &[UserClaim::Email]);
    for number in 1..=30 {
        consent(stores, id(100), id(number), &some).await;
    }
    consent(stores, id(101), id(1), &some).await;
    for _ in 0..2 {
        stores.consents.forget_consents(id(100)).await.expect("an end");
        for number in 1..=30 {
            assert_eq!(consented(stores, id(100), id(number)).await, None);
        }
    }
    assert_eq!(consented(stores, id(101), id(1)).await, Some(some));
}

/// A scope in the order of the alphabet, and claims in the order of their table.
pub(super) fn allowed(scope: &str, claims: &[UserClaim]) -> Consented {
    in_order(Consented { scope: Scope::parse(scope).expect("a scope"), claims: claims.to_vec() })
}

pub(super) async fn consent(stores: &Stores, user: Uuid, client: Uuid, allowed: &Consented) {
    stores.consents.consent(user, client, allowed, at(0)).await.expect("a consent");
}

/// What `user` has allowed `client`, in the order of [`allowed`].
pub(super) async fn consented(stores: &Stores, user: Uuid, client: Uuid) -> Option<Consented> {
    stores.consents.consented(user, client).await.expect("a reading").map(in_order)
}

fn in_order(Consented { scope, claims }: Consented) -> Consented {
    let mut tokens: Vec<_> = scope.iter().cloned().collect();
    tokens.sort_unstable();
    let claims = UserClaim::ALL.into_iter().filter(|claim| claims.contains(claim));
    Consented { scope: tokens.into_iter().collect(), claims: claims.collect() }
}
