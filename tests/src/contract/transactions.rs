//! [`TransactionStore`](identety_domain::store::TransactionStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::session::{Transaction, TransactionId};

use super::Stores;
use super::grant_fixtures::{full_transaction, transaction, transaction_id};

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
    let before = Transaction { is_denied: false, ..full_transaction(1) };
    let (one, other) = (begun(stores, before).await, begun(stores, transaction(2)).await);
    for _ in 0..2 {
        deny(stores, &one.id).await;
        let denied = Transaction { is_denied: true, ..one.clone() };
        assert_eq!(find(stores, &one.id).await, Some(denied));
    }
    assert_eq!(find(stores, &other.id).await, Some(other));
}

pub async fn the_denial_of_no_transaction_creates_none(stores: &Stores) {
    deny(stores, &transaction_id(1)).await;
    assert_eq!(find(stores, &transaction_id(1)).await, None);
}

async fn begun(stores: &Stores, transaction: Transaction) -> Transaction {
    stores.transactions.create_transaction(&transaction).await.expect("a creation");
    transaction
}

async fn find(stores: &Stores, id: &TransactionId) -> Option<Transaction> {
    stores.transactions.find_transaction(id).await.expect("a reading")
}

async fn deny(stores: &Stores, id: &TransactionId) {
    stores.transactions.deny_transaction(id).await.expect("a writing");
}
