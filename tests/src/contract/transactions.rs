//! [`TransactionStore`](identety_domain::store::TransactionStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::grant::Grant;
use identety_domain::session::{Answer, Transaction, TransactionId};
use identety_domain::store::{Answering, NewAnswer, Redeem};

use super::Stores;
use super::fixtures::at;
use super::grant_fixtures::{
    find_grant, full_grant, full_transaction, grant, redeem, transaction, transaction_id,
};

pub async fn every_member_of_a_transaction_comes_back_as_it_was(stores: &Stores) {
    for transaction in [full_transaction(1), transaction(2)] {
        let transaction = begun(stores, transaction).await;
        assert_eq!(find(stores, &transaction.id).await, Some(transaction));
    }
}

pub async fn a_transaction_that_is_not_there_is_not_found(stores: &Stores) {
    begun(stores, transaction(1)).await;
    assert_eq!(find(stores, &transaction_id(2)).await, None);
}

pub async fn a_transaction_is_denied_and_no_other(stores: &Stores) {
    let (one, other) = (begun(stores, transaction(1)).await, begun(stores, transaction(2)).await);
    assert_eq!(answer(stores, &one, NewAnswer::Denied).await, Answering::Recorded);
    let denied = Transaction { answer: Some(Answer::Denied), ..one.clone() };
    assert_eq!(find(stores, &one.id).await, Some(denied));
    assert_eq!(find(stores, &other.id).await, Some(other));
    // A denial is final, whatever the caller has read.
    assert_eq!(answer(stores, &one, NewAnswer::Grant(&grant(1))).await, Answering::Overtaken);
    assert_eq!(find_grant(stores, &grant(1).id).await, None);
}

pub async fn the_answer_to_no_transaction_creates_none(stores: &Stores) {
    let missing = transaction(1);
    for new in [NewAnswer::Denied, NewAnswer::Grant(&grant(1))] {
        assert_eq!(answer(stores, &missing, new).await, Answering::Overtaken);
    }
    assert_eq!(find(stores, &missing.id).await, None);
    assert_eq!(find_grant(stores, &grant(1).id).await, None);
}

pub async fn a_transaction_records_which_grant_answers_it(stores: &Stores) {
    let asked = begun(stores, transaction(1)).await;
    let (first, second) = (full_unused(1), full_unused(2));
    assert_eq!(answer(stores, &asked, NewAnswer::Grant(&first)).await, Answering::Recorded);
    let answered = Transaction { answer: Some(Answer::Granted(first.id.clone())), ..asked.clone() };
    assert_eq!(find(stores, &asked.id).await.as_ref(), Some(&answered));
    assert_eq!(find_grant(stores, &first.id).await.as_ref(), Some(&first));
    // The next answer needs the one that was read, and puts an end to it.
    assert_eq!(answer(stores, &asked, NewAnswer::Grant(&second)).await, Answering::Overtaken);
    assert_eq!(find_grant(stores, &second.id).await, None);
    assert_eq!(answer(stores, &answered, NewAnswer::Grant(&second)).await, Answering::Recorded);
    let ended = Grant { ended_at: Some(at(9000)), ..first };
    assert_eq!(find_grant(stores, &ended.id).await, Some(ended));
    assert_eq!(find_grant(stores, &second.id).await, Some(second));
}

pub async fn a_used_code_is_the_last_answer_to_its_transaction(stores: &Stores) {
    let asked = begun(stores, transaction(1)).await;
    let first = full_unused(1);
    assert_eq!(answer(stores, &asked, NewAnswer::Grant(&first)).await, Answering::Recorded);
    assert_eq!(redeem(stores, &first.id, 1, at(500)).await, Redeem::Redeemed);
    let answered = find(stores, &asked.id).await.expect("the transaction");
    let before = find_grant(stores, &first.id).await;
    for new in [NewAnswer::Denied, NewAnswer::Grant(&full_unused(2))] {
        assert_eq!(answer(stores, &answered, new).await, Answering::Final);
    }
    assert_eq!(find(stores, &asked.id).await, Some(answered));
    assert_eq!(find_grant(stores, &first.id).await, before);
    assert_eq!(find_grant(stores, &full_unused(2).id).await, None);
}

pub async fn a_denial_ends_an_unused_code(stores: &Stores) {
    let asked = begun(stores, transaction(1)).await;
    let first = full_unused(1);
    assert_eq!(answer(stores, &asked, NewAnswer::Grant(&first)).await, Answering::Recorded);
    let answered = find(stores, &asked.id).await.expect("the transaction");
    assert_eq!(answer(stores, &answered, NewAnswer::Denied).await, Answering::Recorded);
    assert_eq!(redeem(stores, &first.id, 1, at(500)).await, Redeem::Refused);
    let denied = Transaction { answer: Some(Answer::Denied), ..answered };
    assert_eq!(find(stores, &asked.id).await, Some(denied));
}

/// A grant whose code is unused.
fn full_unused(number: u16) -> Grant {
    Grant { redeemed: None, ended_at: None, ..full_grant(number) }
}

async fn answer(stores: &Stores, transaction: &Transaction, answer: NewAnswer<'_>) -> Answering {
    let answered = stores.transactions.answer_transaction(transaction, answer, at(9000)).await;
    answered.expect("an answer")
}

async fn begun(stores: &Stores, transaction: Transaction) -> Transaction {
    stores.transactions.create_transaction(&transaction).await.expect("a creation");
    transaction
}

async fn find(stores: &Stores, id: &TransactionId) -> Option<Transaction> {
    stores.transactions.find_transaction(id).await.expect("a reading")
}
