//! Many writers at once: atomicity is part of what the verbs mean.

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use std::future::Future;

use identety_domain::client::{Client, SigningAlg, StoredSecret};
use identety_domain::grant::{Allowed, Generation};
use identety_domain::keys::WrappedKey;
use identety_domain::store::{Change, Creation, StoreError, UserWrite};
use identety_domain::user::UserClaim;
use identety_domain::{Scope, ScopeToken};

use super::Stores;
use super::consents::{consented, consented_claims};
use super::fixtures::{
    at, created, find, find_by_id, id, m2m_client, phc, renamed, ring, secret, updated, user,
    user_created, user_found, with_email,
};

pub async fn of_fifty_creations_of_one_client_id_one_succeeds(stores: &Stores) {
    let contender = |number| Client { id: id(number), ..m2m_client(1) };
    let ends = at_once(50, |number| {
        let (clients, client) = (stores.clients.clone(), contender(number));
        async move { clients.create(&client).await }
    })
    .await;
    let winner = only(&ends, &Creation::Created);
    assert_eq!(find(stores, &contender(winner)).await, Some(contender(winner)));
    for number in 0..50 {
        let found = find_by_id(stores, &contender(number)).await;
        assert_eq!(found.is_some(), number == winner, "{number}");
    }
    assert_eq!(stores.clients.count().await.expect("a count"), 1);
}

pub async fn of_fifty_updates_of_one_version_one_succeeds(stores: &Stores) {
    let before = created(stores, m2m_client(1)).await;
    let contender = |number| renamed(&before, &format!("Contender {number}"));
    let ends = at_once(50, |number| {
        let (clients, before) = (stores.clients.clone(), before.clone());
        let after = contender(number);
        async move { clients.update(&before, &after).await }
    })
    .await;
    let winner = only(&ends, &Change::Done);
    assert_eq!(find(stores, &before).await, Some(contender(winner)));
}

pub async fn of_fifty_deletions_of_one_client_one_succeeds(stores: &Stores) {
    let client = created(stores, m2m_client(1)).await;
    let ends = at_once(50, |_| {
        let (clients, client) = (stores.clients.clone(), client.clone());
        async move { clients.delete(&client).await }
    })
    .await;
    only(&ends, &Change::Done);
    assert_eq!(find(stores, &client).await, None);
}

pub async fn of_fifty_users_with_one_email_one_is_created(stores: &Stores) {
    let contender = |number| with_email(&user(number), "ada@example.com");
    let ends = at_once(50, |number| {
        let (users, user) = (stores.users.clone(), contender(number));
        async move { users.create(&user).await }
    })
    .await;
    let winner = only(&ends, &UserWrite::Done);
    assert_eq!(ends.iter().filter(|end| **end == UserWrite::EmailTaken).count(), 49);
    for number in 0..50 {
        let found = user_found(stores, &contender(number)).await;
        assert_eq!(found.is_some(), number == winner, "{number}");
    }
    let email = contender(winner).details.email;
    let found = stores.users.find_by_email(&email).await.expect("a reading");
    assert_eq!(found, Some(contender(winner)));
    assert_eq!(stores.users.count().await.expect("a count"), 1);
}

pub async fn of_twenty_users_that_want_one_email_one_gets_it(stores: &Stores) {
    for number in 0..20 {
        user_created(stores, user(number)).await;
    }
    let contender = |number| with_email(&user(number), "ada@example.com");
    let ends = at_once(20, |number| {
        let (users, before, after) = (stores.users.clone(), user(number), contender(number));
        async move { users.update(&before, &after).await }
    })
    .await;
    let winner = only(&ends, &UserWrite::Done);
    for number in 0..20 {
        let expected = if number == winner { contender(number) } else { user(number) };
        assert_eq!(user_found(stores, &expected).await.as_ref(), Some(&expected));
        let old = stores.users.find_by_email(&user(number).details.email).await;
        assert_eq!(old.expect("a reading").is_some(), number != winner, "{number}");
    }
}

pub async fn of_fifty_updates_of_one_user_one_succeeds(stores: &Stores) {
    let before = user_created(stores, user(0)).await;
    // Half of them change the address, half something else.
    let contender = |number: u16| {
        let email = if number.is_multiple_of(2) { 0 } else { number };
        let mut after = with_email(&before, user(email).details.email.as_str());
        after.details.name = Some(format!("Contender {number}"));
        after
    };
    let ends = at_once(50, |number| {
        let (users, before) = (stores.users.clone(), before.clone());
        let after = contender(number);
        async move { users.update(&before, &after).await }
    })
    .await;
    let winner = only(&ends, &UserWrite::Done);
    assert_eq!(user_found(stores, &before).await, Some(contender(winner)));
    for number in 0..50 {
        let email = user(number).details.email;
        let found = stores.users.find_by_email(&email).await.expect("a reading");
        let is_winners = contender(winner).details.email == email;
        assert_eq!(found.is_some(), is_winners, "{number}");
    }
}

pub async fn fifty_consents_at_once_are_all_kept(stores: &Stores) {
    let generations = at_once(50, |number| {
        let consents = stores.consents.clone();
        let scope: Scope = ScopeToken::parse(&format!("s{number}")).into_iter().collect();
        let generation = Generation::from(u64::from(number) + 1);
        async move {
            let claims = &[UserClaim::ALL[usize::from(number) % UserClaim::ALL.len()]];
            let allowed = Allowed { scope: &scope, resources: &[], claims, generation };
            consents.consent(id(1), id(2), &allowed, at(0)).await
        }
    })
    .await;
    assert!(generations.iter().all(|generation| *generation == generations[0]), "one is the first");
    let expected = (0..50).map(|number| format!("s{number}")).collect();
    assert_eq!(consented(stores, id(1), id(2)).await, Some(expected));
    let claims = consented_claims(stores, id(1), id(2)).await;
    assert_eq!(claims, Some(UserClaim::ALL.to_vec()));
}

pub async fn of_twenty_rotations_of_one_ring_one_succeeds(stores: &Stores) {
    let first = ring(SigningAlg::Es256, 1, "first");
    assert_eq!(stores.keys.put_ring(&first).await.expect("an answer"), Change::Done);
    let contender = |number| ring(SigningAlg::Es256, 2, &format!("contender-{number}"));
    let ends = at_once(20, |number| {
        let (keys, ring) = (stores.keys.clone(), contender(number));
        async move { keys.put_ring(&ring).await }
    })
    .await;
    let winner = only(&ends, &Change::Done);
    assert_eq!(stores.keys.load().await.expect("the keys").rings, [contender(winner)]);
}

pub async fn of_twenty_wrapped_keys_one_is_written(stores: &Stores) {
    let contender = |number| WrappedKey(format!("contender-{number}"));
    let ends = at_once(20, |number| {
        let (keys, key) = (stores.keys.clone(), contender(number));
        async move { keys.put_wrapped_key(&key).await }
    })
    .await;
    let winner = only(&ends, &Change::Done);
    let keys = stores.keys.load().await.expect("the keys");
    assert_eq!(keys.wrapped_key, Some(contender(winner)));
}

pub async fn of_twenty_first_api_keys_one_is_written(stores: &Stores) {
    let contender = |number| phc(&format!("contender-{number}"));
    let ends = at_once(20, |number| {
        let (api_keys, key) = (stores.api_keys.clone(), contender(number));
        async move { api_keys.create_api_key(&key).await }
    })
    .await;
    let winner = only(&ends, &Change::Done);
    assert_eq!(stores.api_keys.api_key().await.expect("a reading"), Some(contender(winner)));
}

pub async fn a_hundred_failures_at_once_are_all_counted(stores: &Stores) {
    let mut counts = at_once(100, |_| {
        let failures = stores.failures.clone();
        async move { failures.count_failure("key", at(0)).await }
    })
    .await;
    counts.sort_unstable();
    assert!(counts.into_iter().eq(1..=100));
}

pub async fn updates_and_uses_of_a_secret_at_once_lose_nothing(stores: &Stores) {
    let mut client = created(stores, m2m_client(1)).await;
    let uses = {
        let (stores, client_id) = (stores.clone(), client.client_id.clone());
        tokio::spawn(async move {
            at_once(50, |number| {
                let (clients, client_id) = (stores.clients.clone(), client_id.clone());
                let at = at(u64::from(number));
                async move { clients.record_secret_use(&client_id, secret(1).id, at, None).await }
            })
            .await
        })
    };
    for number in 0..20 {
        client = updated(stores, &client, renamed(&client, &format!("Name {number}"))).await;
    }
    uses.await.expect("the uses");
    client.secrets = vec![StoredSecret { last_used_at: Some(at(49)), ..secret(1) }];
    assert_eq!(find(stores, &client).await.as_ref(), Some(&client));
}

/// What `number` tasks give that run at once, in the order of their numbers.
pub(super) async fn at_once<T, F>(number: u16, task: impl Fn(u16) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    let tasks: Vec<_> = (0..number).map(|number| tokio::spawn(task(number))).collect();
    let mut ends = Vec::new();
    for task in tasks {
        ends.push(task.await.expect("a task").expect("an answer"));
    }
    ends
}

/// The number of the only task that ended like this.
pub(super) fn only<T: PartialEq>(ends: &[T], expected: &T) -> u16 {
    let mut winners = ends.iter().zip(0..).filter(|(end, _)| *end == expected);
    let winner = winners.next().map(|(_, number)| number).expect("a winner");
    assert_eq!(winners.count(), 0, "there is more than one winner");
    winner
}
