//! Many at once who redeem, rotate, end and try. Each race is run for a number of rounds.

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use identety_domain::grant::Redeemed;
use identety_domain::store::{Allowance, Change, Count, Counter, GrantCreation, Redeem, Rotate};

use super::Stores;
use super::attempts::below;
use super::fixtures::{at, id};
use super::grant_fixtures::{find_grant, grant, granted, redeemed, redemption, rotation};
use super::links::{browser, link};
use super::races::{at_once, only};

pub async fn of_fifty_creations_of_one_grant_one_succeeds(stores: &Stores, rounds: u16) {
    for round in 0..rounds {
        let contender = |number| {
            let mut grant = grant(round);
            grant.user = id(number);
            grant
        };
        let ends = at_once(50, |number| {
            let (grants, grant) = (stores.grants.clone(), contender(number));
            async move { grants.create_grant(&grant).await }
        })
        .await;
        let winner = contender(only(&ends, &GrantCreation::Created));
        let exists = GrantCreation::Exists(Box::new(winner.clone()));
        assert_eq!(ends.iter().filter(|end| **end == exists).count(), 49);
        assert_eq!(find_grant(stores, &winner.id).await, Some(winner));
    }
}

pub async fn of_a_hundred_redemptions_of_one_code_one_succeeds(stores: &Stores, rounds: u16) {
    for round in 0..rounds {
        let grant = granted(stores, grant(round)).await;
        let ends = at_once(100, |number| {
            let (grants, id) = (stores.grants.clone(), grant.id.clone());
            let redemption = redemption(number, at(number.into()));
            async move { grants.redeem_code(&id, &redemption).await }
        })
        .await;
        let winner = at(only(&ends, &Redeem::Redeemed).into());
        let found = find_grant(stores, &grant.id).await.expect("the grant").redeemed;
        assert_eq!(found, Some(Redeemed { at: winner, generation: 1, rotated_at: winner }));
    }
}

pub async fn of_fifty_rotations_of_one_generation_one_succeeds(stores: &Stores, rounds: u16) {
    let before = redeemed(stores, 1).await;
    for from in (1..).take(rounds.into()) {
        let ends = at_once(50, |number| {
            let (grants, id) = (stores.grants.clone(), before.id.clone());
            let rotation = rotation(from, at(u64::from(number)));
            async move { grants.rotate_refresh_token(&id, &rotation).await }
        })
        .await;
        let rotated_at = at(only(&ends, &Rotate::Rotated).into());
        let mut after = before.clone();
        after.redeemed = Some(Redeemed { at: at(500), generation: from + 1, rotated_at });
        let refused = Rotate::Refused(Some(Box::new(after.clone())));
        assert_eq!(ends.iter().filter(|end| **end == refused).count(), 49);
        assert_eq!(find_grant(stores, &before.id).await, Some(after));
    }
}

pub async fn no_code_is_redeemed_after_its_grant_has_ended(stores: &Stores, rounds: u16) {
    for round in 0..rounds {
        let grant = granted(stores, grant(round)).await;
        let has_ended = Arc::new(AtomicBool::new(false));
        let ends = at_once(20, |number| {
            let (grants, id) = (stores.grants.clone(), grant.id.clone());
            let (has_ended, redemption) = (has_ended.clone(), redemption(number, at(0)));
            async move {
                if number == 0 {
                    grants.end_grant(&id, at(1)).await?;
                    has_ended.store(true, SeqCst);
                    return Ok(Redeem::Refused);
                }
                let is_too_late = has_ended.load(SeqCst);
                let end = grants.redeem_code(&id, &redemption).await?;
                assert!(!is_too_late || end == Redeem::Refused, "redeemed after the end");
                Ok(end)
            }
        })
        .await;
        let winners = ends.iter().filter(|end| **end == Redeem::Redeemed).count();
        let found = find_grant(stores, &grant.id).await.expect("the grant");
        assert_eq!(winners, usize::from(found.redeemed.is_some()));
        assert_eq!(found.ended_at, Some(at(1)));
    }
}

pub async fn no_token_is_rotated_after_its_grant_has_ended(stores: &Stores, rounds: u16) {
    for round in 0..rounds {
        let grant = redeemed(stores, round).await;
        let has_ended = Arc::new(AtomicBool::new(false));
        let ends = at_once(20, |number| {
            let (grants, id) = (stores.grants.clone(), grant.id.clone());
            let (has_ended, rotation) = (has_ended.clone(), rotation(1, at(0)));
            async move {
                if number == 0 {
                    grants.end_grant(&id, at(1)).await?;
                    has_ended.store(true, SeqCst);
                    return Ok(false);
                }
                let is_too_late = has_ended.load(SeqCst);
                let end = grants.rotate_refresh_token(&id, &rotation).await?;
                assert!(!is_too_late || end != Rotate::Rotated, "rotated after the end");
                Ok(end == Rotate::Rotated)
            }
        })
        .await;
        let winners = ends.iter().filter(|rotated| **rotated).count();
        let found = find_grant(stores, &grant.id).await.expect("the grant");
        let generation = found.redeemed.expect("it was redeemed").generation;
        assert_eq!(u32::try_from(winners), Ok(generation - 1));
        assert_eq!(found.ended_at, Some(at(1)));
    }
}

pub async fn of_two_hundred_attempts_as_many_count_as_may(stores: &Stores, rounds: u16) {
    for round in 0..rounds {
        let counted = at_once(200, |_| {
            let (attempts, key) = (stores.attempts.clone(), format!("ATTEMPTS#{round}"));
            async move { attempts.count_attempt(&key, &below(10), at(0)).await }
        })
        .await;
        assert_eq!(counted.iter().filter(|end| **end == Count::Counted).count(), 10);
        let full = Count::Refused(Counter { count: 10, last_at: Some(at(0)), resets: 0 });
        assert_eq!(counted.iter().filter(|end| **end == full).count(), 190);
    }
}

pub async fn of_fifty_attempts_in_one_pause_one_counts(stores: &Stores, rounds: u16) {
    let allowance = Allowance { apart: 60, ..below(u32::MAX) };
    for round in 0..rounds {
        let counted = at_once(50, |number| {
            let attempts = stores.attempts.clone();
            let now = at(u64::from(round) * 120_000 + u64::from(number));
            async move { attempts.count_attempt("ATTEMPTS#key", &allowance, now).await }
        })
        .await;
        only(&counted, &Count::Counted);
    }
}

pub async fn of_fifty_first_attempts_after_a_long_time_as_many_count_as_may(
    stores: &Stores,
    rounds: u16,
) {
    let allowance = Allowance { kept: 60, ..below(10) };
    for round in 0..rounds {
        let now = at(u64::from(round) * 120_000);
        let counted = at_once(50, |_| {
            let attempts = stores.attempts.clone();
            async move { attempts.count_attempt("ATTEMPTS#key", &allowance, now).await }
        })
        .await;
        let counted = counted.iter().filter(|end| **end == Count::Counted).count();
        let stored = stores.attempts.find_counter("ATTEMPTS#key").await.expect("a reading");
        assert_eq!(u32::try_from(counted), Ok(stored.count));
        assert!((1..=10).contains(&counted), "{counted}");
    }
}

pub async fn of_fifty_browsers_one_uses_a_link(stores: &Stores, rounds: u16) {
    for round in 0..rounds {
        let link = link(round);
        stores.links.create_link(&link).await.expect("a creation");
        let ends = at_once(50, |number| {
            let (links, key) = (stores.links.clone(), link.key.clone());
            async move { links.use_link(&key, &browser(&number.to_string()), at(0)).await }
        })
        .await;
        let winner = browser(&only(&ends, &Change::Done).to_string());
        let found = stores.links.find_link(&link.key).await.expect("a reading");
        assert_eq!(found.and_then(|link| link.used_by), Some(winner));
    }
}

pub async fn attempts_taken_back_at_once_never_count_below_none(stores: &Stores, rounds: u16) {
    for round in 0..rounds {
        let key = format!("ATTEMPTS#{round}");
        for _ in 0..10 {
            let counted = stores.attempts.count_attempt(&key, &below(10), at(0)).await;
            assert_eq!(counted.expect("a count"), Count::Counted);
        }
        at_once(20, |_| {
            let (attempts, key) = (stores.attempts.clone(), key.clone());
            async move { attempts.uncount_attempt(&key).await }
        })
        .await;
        let counter = stores.attempts.find_counter(&key).await.expect("a reading");
        assert_eq!(counter.count, 0);
    }
}
