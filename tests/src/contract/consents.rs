//! [`ConsentStore`](identety_domain::store::ConsentStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use std::collections::BTreeSet;

use identety_domain::Scope;
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
    stores.consents.consent(user, client, scope, at(0)).await.expect("a consent");
}

/// The tokens that `user` has allowed `client`, in any order.
pub(super) async fn consented(
    stores: &Stores,
    user: Uuid,
    client: Uuid,
) -> Option<BTreeSet<String>> {
    let scope = stores.consents.consented(user, client).await.expect("a reading")?;
    Some(scope.iter().map(|token| token.as_str().to_owned()).collect())
}

fn tokens(text: &str) -> BTreeSet<String> {
    text.split(' ').map(str::to_owned).collect()
}
