//! [`GrantStore`](identety_domain::store::GrantStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::grant::{Grant, GrantId, Redeemed};
use identety_domain::store::{GrantCreation, Redeem, Rotate};

use super::Stores;
use super::fixtures::{at, id};
use super::grant_fixtures::{
    end, find_grant, full_grant, grant, grant_id, granted, redeem, redeemed, rotate, session_id,
};

pub async fn every_member_of_a_grant_comes_back_as_it_was(stores: &Stores) {
    for grant in [full_grant(1), grant(2)] {
        let grant = granted(stores, grant).await;
        assert_eq!(find_grant(stores, &grant.id).await, Some(grant));
    }
}

pub async fn a_grant_that_is_not_there_is_not_found(stores: &Stores) {
    granted(stores, grant(1)).await;
    assert_eq!(find_grant(stores, &grant_id(2)).await, None);
}

pub async fn a_grant_is_created_only_where_there_is_none(stores: &Stores) {
    let first = granted(stores, full_grant(1)).await;
    let second = Grant { user: id(77), session: session_id(77), ..grant(1) };
    for again in [&second, &first] {
        let created = stores.grants.create_grant(again).await.expect("an answer");
        assert_eq!(created, GrantCreation::Exists(Box::new(first.clone())));
    }
    assert_eq!(find_grant(stores, &first.id).await, Some(first));
}

pub async fn a_redeemed_code_gives_the_first_generation(stores: &Stores) {
    let before = Grant { redeemed: None, ended_at: None, ..full_grant(1) };
    granted(stores, before.clone()).await;
    assert_eq!(redeem(stores, &before.id, 1, at(700)).await, Redeem::Redeemed);
    let first = Redeemed { at: at(700), generation: 1, rotated_at: at(700) };
    let after = Grant { redeemed: Some(first), ..before };
    assert_eq!(find_grant(stores, &after.id).await, Some(after));
}

pub async fn a_code_is_redeemed_once(stores: &Stores) {
    let grant = redeemed(stores, 1).await;
    assert_eq!(redeem(stores, &grant.id, 2, at(900)).await, Redeem::Refused);
    assert_eq!(rotate(stores, &grant.id, 1, at(901)).await, Rotate::Rotated);
    assert_eq!(redeem(stores, &grant.id, 3, at(902)).await, Redeem::Refused);
    let rotated = Redeemed { at: at(500), generation: 2, rotated_at: at(901) };
    let after = Grant { redeemed: Some(rotated), ..grant };
    assert_eq!(find_grant(stores, &after.id).await, Some(after));
}

pub async fn a_redemption_repeated_with_its_id_is_the_same(stores: &Stores) {
    let grant = redeemed(stores, 1).await;
    assert_eq!(redeem(stores, &grant.id, 1, at(500)).await, Redeem::Redeemed);
    assert_eq!(find_grant(stores, &grant.id).await.as_ref(), Some(&grant), "nothing is written");
    end(stores, &grant.id, at(600)).await;
    assert_eq!(redeem(stores, &grant.id, 1, at(500)).await, Redeem::Refused, "it has ended");
}

pub async fn the_code_of_no_grant_is_refused_and_creates_none(stores: &Stores) {
    assert_eq!(redeem(stores, &grant_id(1), 1, at(500)).await, Redeem::Refused);
    assert_eq!(find_grant(stores, &grant_id(1)).await, None);
}

pub async fn the_code_of_a_grant_that_has_ended_is_refused(stores: &Stores) {
    let grant = granted(stores, grant(1)).await;
    end(stores, &grant.id, at(400)).await;
    assert_eq!(redeem(stores, &grant.id, 1, at(500)).await, Redeem::Refused);
    let after = Grant { ended_at: Some(at(400)), ..grant };
    assert_eq!(find_grant(stores, &after.id).await, Some(after));
}

pub async fn a_rotation_moves_the_generation_on_by_one(stores: &Stores) {
    let grant = redeemed(stores, 1).await;
    for (from, time) in [(1, at(700)), (2, at(800)), (3, at(900))] {
        assert_eq!(rotate(stores, &grant.id, from, time).await, Rotate::Rotated);
        let rotated = Redeemed { at: at(500), generation: from + 1, rotated_at: time };
        let after = Grant { redeemed: Some(rotated), ..grant.clone() };
        assert_eq!(find_grant(stores, &grant.id).await, Some(after));
    }
}

pub async fn a_rotation_of_another_generation_shows_the_grant(stores: &Stores) {
    let grant = redeemed(stores, 1).await;
    assert_eq!(rotate(stores, &grant.id, 1, at(700)).await, Rotate::Rotated);
    let live = Redeemed { at: at(500), generation: 2, rotated_at: at(700) };
    let live = Grant { redeemed: Some(live), ..grant };
    for from in [0, 1, 3, u32::MAX] {
        let refused = rotate(stores, &live.id, from, at(900)).await;
        assert_eq!(refused, Rotate::Refused(Some(Box::new(live.clone()))), "{from}");
    }
    assert_eq!(find_grant(stores, &live.id).await, Some(live));
}

pub async fn a_rotation_before_the_code_is_used_is_refused(stores: &Stores) {
    let grant = granted(stores, grant(1)).await;
    for from in [0, 1] {
        let refused = rotate(stores, &grant.id, from, at(900)).await;
        assert_eq!(refused, Rotate::Refused(Some(Box::new(grant.clone()))));
    }
    assert_eq!(find_grant(stores, &grant.id).await, Some(grant));
}

pub async fn a_rotation_of_no_grant_is_refused_and_creates_none(stores: &Stores) {
    for from in [0, 1, u32::MAX] {
        assert_eq!(rotate(stores, &grant_id(1), from, at(500)).await, Rotate::Refused(None));
    }
    assert_eq!(find_grant(stores, &grant_id(1)).await, None);
}

pub async fn a_rotation_after_the_end_of_the_grant_is_refused(stores: &Stores) {
    let grant = redeemed(stores, 1).await;
    end(stores, &grant.id, at(600)).await;
    let ended = Grant { ended_at: Some(at(600)), ..grant };
    let refused = rotate(stores, &ended.id, 1, at(700)).await;
    assert_eq!(refused, Rotate::Refused(Some(Box::new(ended.clone()))));
    assert_eq!(find_grant(stores, &ended.id).await, Some(ended));
}

pub async fn nothing_comes_after_the_last_generation(stores: &Stores) {
    let last = Redeemed { at: at(0), generation: u32::MAX, rotated_at: at(1) };
    let grant = granted(stores, Grant { redeemed: Some(last), ..grant(1) }).await;
    let refused = rotate(stores, &grant.id, u32::MAX, at(700)).await;
    assert_eq!(refused, Rotate::Refused(Some(Box::new(grant.clone()))));
    assert_eq!(find_grant(stores, &grant.id).await, Some(grant));
}

pub async fn a_grant_ends_once_and_keeps_the_rest(stores: &Stores) {
    let before = Grant { ended_at: None, ..full_grant(1) };
    granted(stores, before.clone()).await;
    for time in [at(70_000), at(80_000), at(60_000)] {
        end(stores, &before.id, time).await;
    }
    let after = Grant { ended_at: Some(at(70_000)), ..before };
    assert_eq!(find_grant(stores, &after.id).await, Some(after));
}

pub async fn the_end_of_no_grant_creates_none(stores: &Stores) {
    end(stores, &grant_id(1), at(500)).await;
    assert_eq!(find_grant(stores, &grant_id(1)).await, None);
}

pub async fn what_happens_to_a_grant_leaves_others_alone(stores: &Stores) {
    let other = granted(stores, grant(2)).await;
    let grant = redeemed(stores, 1).await;
    assert_eq!(rotate(stores, &grant.id, 1, at(700)).await, Rotate::Rotated);
    end(stores, &grant.id, at(800)).await;
    assert_eq!(find_grant(stores, &other.id).await, Some(other));
}

pub async fn the_grants_of_a_user_are_listed_piece_by_piece(stores: &Stores) {
    let (user, other) = (id(900), id(901));
    let mut own = Vec::new();
    for number in 1..=5 {
        own.push(granted(stores, Grant { user, ..full_grant(number) }).await);
        granted(stores, Grant { user: other, ..full_grant(100 + number) }).await;
    }
    own.sort_by_key(|grant| grant.id.to_string());
    let list = async |after: Option<&GrantId>, limit| {
        stores.grants.grants_of(user, after, limit).await.expect("a list")
    };
    assert_eq!(list(None, 10).await, own);
    assert_eq!(list(None, 3).await, own[..3]);
    assert_eq!(list(Some(&own[2].id), 3).await, own[3..]);
    assert_eq!(list(Some(&own[4].id), 3).await, []);
}
