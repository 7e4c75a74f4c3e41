//! Items of two layouts in the table of grants.

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::grant::{Grant, Redeemed};
use identety_domain::session::{Answer, BrowserLink, Session, Transaction};
use identety_domain::store::{
    Answering, Change, Count, Counter, GrantCreation, NewAnswer, Redeem, Rotate,
};

use super::attempts::below;
use super::corrupt::number;
use super::fixtures::at;
use super::grant_fixtures::{
    end, find_grant, full_grant, full_session, full_transaction, granted, redeem, rotate,
    session_id, transaction_id,
};
use super::layouts::NextItem;
use super::links::{browser, link};
use super::{Raw, Stores};

/// The item with that key, as the next release has made it.
async fn next<'a>(raw: &'a Raw, pk: &str, maps: &[&[&str]]) -> NextItem<'a> {
    NextItem::make(raw, &raw.tables.grants, &[("pk", pk)], maps).await
}

/// Makes items of each kind in this table, which together have every member, and gives their keys.
pub(super) async fn make_one_of_each(stores: &Stores) -> Vec<(&'static str, Vec<String>)> {
    let new = granted(stores, Grant { redeemed: None, ended_at: None, ..full_grant(1) }).await;
    assert_eq!(redeem(stores, &new.id, 1, at(500)).await, Redeem::Redeemed);
    end(stores, &new.id, at(600)).await;
    let session = full_session(1);
    stores.sessions.create_session(&session).await.expect("a creation");
    stores.sessions.sign_out(&session.id, at(0)).await.expect("a writing");
    let transaction = full_transaction(1);
    stores.transactions.create_transaction(&transaction).await.expect("a creation");
    let denied =
        Transaction { id: transaction_id(2), answer: Some(Answer::Denied), ..transaction.clone() };
    stores.transactions.create_transaction(&denied).await.expect("a creation");
    let (failures, attempts) = ("FAILURES#1", "ATTEMPTS#1");
    assert_eq!(stores.failures.count_failure(failures, at(0)).await.expect("a count"), 1);
    let counted = stores.attempts.count_attempt(attempts, &below(1), at(0)).await;
    assert_eq!(counted.expect("a count"), Count::Counted);
    stores.attempts.reset_attempts(attempts, 1, at(0)).await.expect("a writing");
    let link = link(1);
    stores.links.create_link(&link).await.expect("a creation");
    let used = stores.links.use_link(&link.key, &browser("a"), at(0)).await.expect("an answer");
    assert_eq!(used, Change::Done);
    let keys = [
        ("GRANT", format!("GRANT#{}", new.id)),
        ("SESSION", format!("SESSION#{}", session.key)),
        ("SIGNEDOUT", format!("SIGNEDOUT#{}", session.id)),
        ("TRANSACTION", format!("TRANSACTION#{}", transaction.id)),
        ("TRANSACTION", format!("TRANSACTION#{}", denied.id)),
        ("FAILURES", failures.to_owned()),
        ("ATTEMPTS", attempts.to_owned()),
        ("LINK", format!("LINK#{}", link.key)),
    ];
    keys.map(|(kind, pk)| (kind, vec![pk])).into()
}

pub async fn a_grant_of_the_next_layout_keeps_what_this_release_does_not_know(
    stores: &Stores,
    raw: &Raw,
) {
    let grant = Grant { redeemed: None, ended_at: None, ..full_grant(1) };
    let grant = granted(stores, grant).await;
    let item = next(raw, &format!("GRANT#{}", grant.id), &[]).await;
    assert_eq!(find_grant(stores, &grant.id).await.as_ref(), Some(&grant));
    let again = stores.grants.create_grant(&grant).await.expect("an answer");
    assert_eq!(again, GrantCreation::Exists(Box::new(grant.clone())));
    assert_eq!(redeem(stores, &grant.id, 1, at(500)).await, Redeem::Redeemed);
    assert_eq!(redeem(stores, &grant.id, 2, at(501)).await, Redeem::Refused);
    assert_eq!(rotate(stores, &grant.id, 1, at(600)).await, Rotate::Rotated);
    end(stores, &grant.id, at(700)).await;
    item.check_kept().await;
    let redeemed = Some(Redeemed { at: at(500), generation: 2, rotated_at: at(600) });
    let ended = Grant { redeemed, ended_at: Some(at(700)), ..grant };
    assert_eq!(find_grant(stores, &ended.id).await, Some(ended));
}

pub async fn a_session_of_the_next_layout_keeps_what_this_release_does_not_know(
    stores: &Stores,
    raw: &Raw,
) {
    let session = Session { ended_at: None, ..full_session(1) };
    let sessions = &stores.sessions;
    sessions.create_session(&session).await.expect("a creation");
    let item = next(raw, &format!("SESSION#{}", session.key), &[]).await;
    sessions.create_session(&session).await.expect("a repetition");
    sessions.touch_session(&session.key, at(5000)).await.expect("a writing");
    sessions.end_session(&session.key, at(6000)).await.expect("a writing");
    item.check_kept().await;
    let found = sessions.find_session(&session.key).await.expect("a reading");
    let ended = Session { last_seen_at: at(5000), ended_at: Some(at(6000)), ..session };
    assert_eq!(found, Some(ended));
}

pub async fn a_sign_out_of_the_next_layout_keeps_what_this_release_does_not_know(
    stores: &Stores,
    raw: &Raw,
) {
    let id = session_id(1);
    stores.sessions.sign_out(&id, at(5000)).await.expect("a writing");
    let item = next(raw, &format!("SIGNEDOUT#{id}"), &[]).await;
    stores.sessions.sign_out(&id, at(6000)).await.expect("a writing");
    assert!(stores.sessions.is_signed_out(&id).await.expect("a reading"));
    item.check_kept().await;
}

pub async fn a_transaction_of_the_next_layout_keeps_what_this_release_does_not_know(
    stores: &Stores,
    raw: &Raw,
) {
    let transaction = Transaction { answer: None, ..full_transaction(1) };
    let transactions = &stores.transactions;
    transactions.create_transaction(&transaction).await.expect("a creation");
    let item = next(raw, &format!("TRANSACTION#{}", transaction.id), &[&["request"]]).await;
    transactions.create_transaction(&transaction).await.expect("a repetition");
    let grant = Grant { redeemed: None, ended_at: None, ..full_grant(1) };
    let new = NewAnswer::Grant(&grant);
    let answered = transactions.answer_transaction(&transaction, new, at(500)).await;
    assert_eq!(answered.expect("an answer"), Answering::Recorded);
    let granted = Transaction { answer: Some(Answer::Granted(grant.id)), ..transaction };
    let denied = transactions.answer_transaction(&granted, NewAnswer::Denied, at(600)).await;
    assert_eq!(denied.expect("an answer"), Answering::Recorded);
    item.check_kept().await;
    let found = transactions.find_transaction(&granted.id).await.expect("a reading");
    assert_eq!(found, Some(Transaction { answer: Some(Answer::Denied), ..granted }));
}

pub async fn counters_of_the_next_layout_keep_what_this_release_does_not_know(
    stores: &Stores,
    raw: &Raw,
) {
    let (failures, attempts) = ("FAILURES#1", "ATTEMPTS#1");
    assert_eq!(stores.failures.count_failure(failures, at(0)).await.expect("a count"), 1);
    let item = next(raw, failures, &[]).await;
    assert_eq!(stores.failures.count_failure(failures, at(0)).await.expect("a count"), 2);
    item.check_kept().await;

    let count = async || {
        let counted = stores.attempts.count_attempt(attempts, &below(2), at(0)).await;
        counted.expect("a count")
    };
    assert_eq!(count().await, Count::Counted);
    let item = next(raw, attempts, &[]).await;
    assert_eq!(count().await, Count::Counted);
    let full = Counter { count: 2, last_at: Some(at(0)), resets: 0 };
    assert_eq!(count().await, Count::Refused(full));
    stores.attempts.uncount_attempt(attempts).await.expect("a writing");
    assert_eq!(item.check_kept().await["n"], number("1"));
    stores.attempts.clear_attempts(attempts).await.expect("a writing");
    assert_eq!(item.check_kept().await["n"], number("0"));
    stores.attempts.reset_attempts(attempts, 1, at(9)).await.expect("a writing");
    assert_eq!(item.check_kept().await["resets"], number("1"));
}

pub async fn a_link_of_the_next_layout_keeps_what_this_release_does_not_know(
    stores: &Stores,
    raw: &Raw,
) {
    let link = link(1);
    stores.links.create_link(&link).await.expect("a creation");
    let item = next(raw, &format!("LINK#{}", link.key), &[]).await;
    stores.links.create_link(&link).await.expect("a repetition");
    let used = stores.links.use_link(&link.key, &browser("a"), at(0)).await.expect("an answer");
    assert_eq!(used, Change::Done);
    item.check_kept().await;
    let found = stores.links.find_link(&link.key).await.expect("a reading");
    assert_eq!(found, Some(BrowserLink { used_by: Some(browser("a")), ..link }));
}
