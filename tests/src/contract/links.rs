//! [`BrowserLinkStore`](identety_domain::store::BrowserLinkStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::Timestamp;
use identety_domain::session::{BrowserLink, BrowserLinkKey, DeviceKey};
use identety_domain::store::Change;
use serde::de::DeserializeOwned;

use super::Stores;
use super::fixtures::{at, id};

pub async fn a_link_comes_back_as_it_was_until_it_is_used(stores: &Stores) {
    let (first, second) = (link(1), link(2));
    for link in [&first, &second] {
        stores.links.create_link(link).await.expect("a creation");
        stores.links.create_link(link).await.expect("a repetition");
    }
    assert_eq!(find(stores, &first).await.as_ref(), Some(&first));
    assert_eq!(use_it(stores, &first, "a", at(0)).await, Change::Done);
    let used = BrowserLink { used_by: Some(browser("a")), ..first };
    assert_eq!(find(stores, &used).await.as_ref(), Some(&used));
    assert_eq!(find(stores, &second).await.as_ref(), Some(&second));
    assert_eq!(find(stores, &link(3)).await, None);
}

pub async fn a_link_is_used_once_and_the_same_use_may_be_repeated(stores: &Stores) {
    let link = created(stores, 1).await;
    for (name, change) in
        [("a", Change::Done), ("b", Change::Conflict), ("a", Change::Done), ("c", Change::Conflict)]
    {
        assert_eq!(use_it(stores, &link, name, at(0)).await, change, "{name}");
    }
}

pub async fn a_link_that_is_over_or_not_there_is_not_used(stores: &Stores) {
    let link = created(stores, 1).await;
    assert_eq!(use_it(stores, &link, "a", at(1000)).await, Change::Conflict);
    assert_eq!(use_it(stores, &link, "a", at(1001)).await, Change::Conflict);
    assert_eq!(use_it(stores, &super::links::link(2), "a", at(0)).await, Change::Conflict);
    assert_eq!(find(stores, &super::links::link(2)).await, None, "that makes none");
    assert_eq!(use_it(stores, &link, "a", at(999)).await, Change::Done);
}

/// A link that works for a second.
pub(super) fn link(number: u16) -> BrowserLink {
    let key: BrowserLinkKey = made_of(&format!("link-{number}"));
    BrowserLink { key, user: id(number), expires_at: at(1000), used_by: None }
}

pub(super) fn browser(name: &str) -> DeviceKey {
    made_of(name)
}

fn made_of<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(text.into()).expect("a text")
}

async fn created(stores: &Stores, number: u16) -> BrowserLink {
    stores.links.create_link(&link(number)).await.expect("a creation");
    link(number)
}

async fn find(stores: &Stores, link: &BrowserLink) -> Option<BrowserLink> {
    stores.links.find_link(&link.key).await.expect("a reading")
}

async fn use_it(stores: &Stores, link: &BrowserLink, name: &str, now: Timestamp) -> Change {
    stores.links.use_link(&link.key, &browser(name), now).await.expect("an answer")
}
