//! [`ClientStore`](identety_domain::store::ClientStore): lists and counts.

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use std::collections::HashSet;

use identety_domain::client::Client;
use identety_domain::store::{ClientList, From, Order};
use uuid::Uuid;

use super::Stores;
use super::fixtures::{created, deleted, full_client, id, m2m_client, phc};

const START: From = From::Offset(0);

pub async fn a_list_begins_with_the_newest_client(stores: &Stores) {
    let clients = some_clients(stores, 3).await;
    let list = list(stores, Order::default(), START, 10).await;
    let newest_first: Vec<_> = clients.into_iter().rev().collect();
    assert_eq!(list.clients, newest_first);
    assert_eq!(list.next, None);
}

pub async fn a_list_may_begin_with_the_oldest_client(stores: &Stores) {
    let clients = some_clients(stores, 3).await;
    let list = list(stores, Order::OldestFirst, START, 10).await;
    assert_eq!(list.clients, clients);
    assert_eq!(list.next, None);
}

pub async fn a_list_goes_on_behind_a_client(stores: &Stores) {
    some_clients(stores, 5).await;
    let oldest_first = list(stores, Order::OldestFirst, From::After(id(2)), 10).await;
    assert_eq!(ids(&oldest_first), [id(3), id(4), id(5)]);
    let newest_first = list(stores, Order::NewestFirst, From::After(id(4)), 2).await;
    assert_eq!(ids(&newest_first), [id(3), id(2)]);
    assert_eq!(newest_first.next, Some(id(2)));
}

pub async fn a_list_goes_on_behind_a_client_that_is_gone(stores: &Stores) {
    some_clients(stores, 4).await;
    deleted(stores, &m2m_client(2)).await;
    let oldest_first = list(stores, Order::OldestFirst, From::After(id(2)), 10).await;
    assert_eq!(ids(&oldest_first), [id(3), id(4)]);
    let newest_first = list(stores, Order::NewestFirst, From::After(id(2)), 10).await;
    assert_eq!(ids(&newest_first), [id(1)]);
}

pub async fn a_list_goes_on_behind_a_number_of_clients(stores: &Stores) {
    some_clients(stores, 5).await;
    let oldest_first = list(stores, Order::OldestFirst, From::Offset(1), 2).await;
    assert_eq!(ids(&oldest_first), [id(2), id(3)]);
    assert_eq!(oldest_first.next, Some(id(3)));
    let newest_first = list(stores, Order::NewestFirst, From::Offset(3), 10).await;
    assert_eq!(ids(&newest_first), [id(2), id(1)]);
    assert_eq!(newest_first.next, None);
}

pub async fn behind_its_end_a_list_is_empty(stores: &Stores) {
    some_clients(stores, 3).await;
    let behind = [
        (Order::OldestFirst, From::Offset(3)),
        (Order::NewestFirst, From::Offset(3)),
        (Order::NewestFirst, From::Offset(4)),
        (Order::NewestFirst, From::Offset(u32::MAX)),
        (Order::OldestFirst, From::After(id(3))),
        (Order::NewestFirst, From::After(id(1))),
        (Order::OldestFirst, From::After(Uuid::max())),
        (Order::NewestFirst, From::After(Uuid::nil())),
    ];
    for (order, from) in behind {
        let list = list(stores, order, from, 10).await;
        assert_eq!(list.clients, [], "{order:?} {from:?}");
        assert_eq!(list.next, None, "{order:?} {from:?}");
    }
}

pub async fn a_list_says_exactly_whether_there_is_more(stores: &Stores) {
    some_clients(stores, 4).await;
    for order in [Order::OldestFirst, Order::NewestFirst] {
        for (from, limit, more) in [
            (START, 3, true),
            (START, 4, false),
            (START, 5, false),
            (From::Offset(2), 1, true),
            (From::Offset(2), 2, false),
            (From::After(id(2)), 1, order == Order::OldestFirst),
            (From::After(id(3)), 1, order == Order::NewestFirst),
        ] {
            let found = list(stores, order, from, limit).await;
            let last = ids(&found).last().copied();
            assert_eq!(found.next, last.filter(|_| more), "{order:?} {from:?} {limit}");
        }
    }
}

pub async fn a_list_of_at_most_no_clients_is_empty(stores: &Stores) {
    some_clients(stores, 2).await;
    let list = list(stores, Order::default(), START, 0).await;
    assert_eq!(list.clients, []);
    assert_eq!(list.next, None);
}

pub async fn a_store_without_clients_has_an_empty_list(stores: &Stores) {
    for from in [START, From::Offset(1), From::After(id(1))] {
        let list = list(stores, Order::default(), from, 10).await;
        assert_eq!(list.clients, []);
        assert_eq!(list.next, None);
    }
    assert_eq!(stores.clients.count().await.expect("a count"), 0);
}

pub async fn more_than_a_hundred_clients_are_listed_without_loss_or_repetition(stores: &Stores) {
    // Big enough that the index and the batches come in more than one piece.
    let clients = some_clients(stores, 205).await;
    assert_eq!(stores.clients.count().await.expect("a count"), 205);
    for (order, limit) in
        [(Order::OldestFirst, 1000), (Order::NewestFirst, 100), (Order::OldestFirst, 41)]
    {
        let mut listed = Vec::new();
        let mut from = START;
        loop {
            let list = list(stores, order, from, limit).await;
            listed.extend(list.clients);
            match list.next {
                Some(next) => from = From::After(next),
                None => break,
            }
        }
        let different: HashSet<_> = listed.iter().map(|client| client.id).collect();
        assert_eq!(different.len(), listed.len(), "{order:?} {limit}");
        if order == Order::NewestFirst {
            listed.reverse();
        }
        assert!(listed == clients, "{order:?} {limit}");
    }
    let list = list(stores, Order::OldestFirst, From::Offset(204), 10).await;
    assert_eq!(ids(&list), [id(205)]);
}

pub async fn what_is_no_client_is_neither_listed_nor_counted(stores: &Stores) {
    stores.api_keys.set_api_key(&phc("key")).await.expect("an API key");
    let client = created(stores, full_client(7)).await;
    let list = list(stores, Order::default(), START, 10).await;
    assert_eq!(list.clients, [client]);
    assert_eq!(stores.clients.count().await.expect("a count"), 1);
}

/// Clients 1 to `number`, in this order; made in another.
async fn some_clients(stores: &Stores, number: u16) -> Vec<Client> {
    let (odd, even): (Vec<_>, Vec<_>) = (1..=number).partition(|number| number % 2 == 1);
    for number in even.into_iter().chain(odd) {
        created(stores, m2m_client(number)).await;
    }
    (1..=number).map(m2m_client).collect()
}

async fn list(stores: &Stores, order: Order, from: From, limit: u32) -> ClientList {
    stores.clients.list(order, from, limit).await.expect("a list")
}

fn ids(list: &ClientList) -> Vec<Uuid> {
    list.clients.iter().map(|client| client.id).collect()
}
