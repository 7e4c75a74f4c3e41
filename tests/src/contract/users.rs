//! [`UserStore`](identety_domain::store::UserStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::hashing::PhcString;
use identety_domain::session::MAX_KNOWN_BROWSERS;
use identety_domain::store::{Change, From, Order, Rehashed, UserWrite};
use identety_domain::user::{EmailAddress, StoredPassword, User};

use super::Stores;
use super::consents::consent;
use super::fixtures::{at, full_user, id, phc, user, user_created, user_found, with_email};
use super::links::browser;

pub async fn a_created_user_is_found_by_its_id_and_by_its_email(stores: &Stores) {
    user_created(stores, user(1)).await;
    for user in [user(2), full_user(3)] {
        let user = user_created(stores, user).await;
        assert_eq!(user_found(stores, &user).await.as_ref(), Some(&user));
        assert_eq!(by_email(stores, user.details.email.as_str()).await.as_ref(), Some(&user));
    }
}

pub async fn an_email_is_found_whatever_its_case(stores: &Stores) {
    let user = user_created(stores, with_email(&user(1), "Ada.Lovelace@Example.COM")).await;
    for email in ["ada.lovelace@example.com", "ADA.LOVELACE@EXAMPLE.COM"] {
        assert_eq!(by_email(stores, email).await.as_ref(), Some(&user));
    }
    assert_eq!(by_email(stores, "adalovelace@example.com").await, None);
}

pub async fn an_email_is_found_in_every_form_in_which_it_can_be_written(stores: &Stores) {
    let user = user_created(stores, with_email(&user(1), "Jörg@Bücher.example")).await;
    for email in ["jo\u{308}rg@bücher.example", "JÖRG@xn--bcher-kva.example"] {
        assert_eq!(by_email(stores, email).await.as_ref(), Some(&user), "{email}");
        let other = with_email(&super::fixtures::user(2), email);
        assert_eq!(stores.users.create(&other).await.expect("an answer"), UserWrite::EmailTaken);
    }
    assert_eq!(by_email(stores, "jorg@bücher.example").await, None);
}

pub async fn an_email_may_have_every_length_that_mail_allows(stores: &Stores) {
    let long = format!("{}@{}.example", "x".repeat(64), "y".repeat(181));
    for (number, email) in (1..).zip([long.as_str(), "ü@bücher.example", "a@b", "#@EMAIL"]) {
        let user = user_created(stores, with_email(&user(number), email)).await;
        assert_eq!(by_email(stores, email).await.as_ref(), Some(&user));
    }
}

pub async fn a_user_that_is_not_there_is_not_found(stores: &Stores) {
    user_created(stores, user(1)).await;
    assert_eq!(user_found(stores, &user(2)).await, None);
    assert_eq!(by_email(stores, user(2).details.email.as_str()).await, None);
}

pub async fn where_the_email_is_taken_no_user_is_created(stores: &Stores) {
    let first = user_created(stores, with_email(&user(1), "ada@example.com")).await;
    let second = with_email(&user(2), "ADA@example.com");
    assert_eq!(stores.users.create(&second).await.expect("an answer"), UserWrite::EmailTaken);
    assert_eq!(by_email(stores, "ada@example.com").await.as_ref(), Some(&first));
    assert_eq!(user_found(stores, &second).await, None);
    assert_eq!(stores.users.count().await.expect("a count"), 1);
}

pub async fn an_update_writes_all_that_a_user_has(stores: &Stores) {
    let other = user_created(stores, user(2)).await;
    let before = user_created(stores, user(1)).await;
    let password = Some(StoredPassword { phc: phc("new"), changed_at: at(7) });
    let after = before.with_details(full_user(3).details, at(100_000));
    let after = user_updated(stores, &before, User { password, ..after }).await;
    assert_eq!(user_found(stores, &before).await.as_ref(), Some(&after));
    assert_eq!(by_email(stores, after.details.email.as_str()).await.as_ref(), Some(&after));
    assert_eq!(by_email(stores, before.details.email.as_str()).await, None);
    let without = User { password: None, ..after.with_details(before.details.clone(), at(0)) };
    let without = user_updated(stores, &after, without).await;
    assert_eq!(user_found(stores, &before).await.as_ref(), Some(&without));
    assert_eq!(user_found(stores, &other).await.as_ref(), Some(&other));
}

pub async fn an_update_frees_the_old_email_and_takes_the_new_one(stores: &Stores) {
    let before = user_created(stores, with_email(&user(1), "old@example.com")).await;
    let after = user_updated(stores, &before, with_email(&before, "new@example.com")).await;
    assert_eq!(by_email(stores, "old@example.com").await, None);
    let next = user_created(stores, with_email(&user(2), "old@example.com")).await;
    let third = with_email(&user(3), "new@example.com");
    assert_eq!(stores.users.create(&third).await.expect("an answer"), UserWrite::EmailTaken);
    assert_eq!(by_email(stores, "old@example.com").await.as_ref(), Some(&next));
    assert_eq!(by_email(stores, "new@example.com").await.as_ref(), Some(&after));
}

pub async fn an_update_may_change_the_case_of_an_email_alone(stores: &Stores) {
    let before = user_created(stores, with_email(&user(1), "ada@example.com")).await;
    let after = user_updated(stores, &before, with_email(&before, "Ada@example.com")).await;
    assert_eq!(by_email(stores, "ada@example.com").await.as_ref(), Some(&after));
}

pub async fn an_update_to_an_email_that_is_taken_changes_nothing(stores: &Stores) {
    let other = user_created(stores, with_email(&user(1), "other@example.com")).await;
    let before = user_created(stores, with_email(&user(2), "ada@example.com")).await;
    let after = with_email(&before, "Other@example.com");
    let written = stores.users.update(&before, &after).await.expect("an answer");
    assert_eq!(written, UserWrite::EmailTaken);
    assert_eq!(by_email(stores, "ada@example.com").await.as_ref(), Some(&before));
    assert_eq!(by_email(stores, "other@example.com").await.as_ref(), Some(&other));
    assert_eq!(user_found(stores, &before).await.as_ref(), Some(&before));
}

pub async fn an_update_of_a_user_from_an_old_version_changes_nothing(stores: &Stores) {
    let first = user_created(stores, with_email(&user(1), "a@example.com")).await;
    let second = user_updated(stores, &first, with_email(&first, "b@example.com")).await;
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        let late = User { updated_at: at(7), ..with_email(&first, email) };
        let written = stores.users.update(&first, &late).await.expect("an answer");
        assert_eq!(written, UserWrite::Conflict, "{email}");
    }
    assert_eq!(by_email(stores, "b@example.com").await.as_ref(), Some(&second));
    for email in ["a@example.com", "c@example.com"] {
        assert_eq!(by_email(stores, email).await, None, "{email}");
    }
}

pub async fn an_update_of_a_user_that_is_gone_creates_nothing(stores: &Stores) {
    let gone = user_created(stores, with_email(&user(1), "a@example.com")).await;
    user_deleted(stores, &gone).await;
    for email in ["a@example.com", "b@example.com"] {
        let written = stores.users.update(&gone, &with_email(&gone, email)).await;
        assert_eq!(written.expect("an answer"), UserWrite::Conflict);
        assert_eq!(by_email(stores, email).await, None);
    }
    assert_eq!(user_found(stores, &gone).await, None);
}

pub async fn a_deletion_takes_the_user_and_its_email_away(stores: &Stores) {
    let gone = user_created(stores, full_user(1)).await;
    let other = user_created(stores, user(2)).await;
    user_deleted(stores, &gone).await;
    assert_eq!(user_found(stores, &gone).await, None);
    assert_eq!(by_email(stores, gone.details.email.as_str()).await, None);
    assert_eq!(user_found(stores, &other).await.as_ref(), Some(&other));
    assert_eq!(stores.users.count().await.expect("a count"), 1);
    // Nothing of it is in the way of another one.
    user_created(stores, gone).await;
}

pub async fn a_deletion_of_a_user_from_an_old_version_changes_nothing(stores: &Stores) {
    let first = user_created(stores, with_email(&user(1), "a@example.com")).await;
    let second = user_updated(stores, &first, with_email(&first, "b@example.com")).await;
    let change = stores.users.delete(&first).await.expect("an answer");
    assert_eq!(change, Change::Conflict);
    assert_eq!(by_email(stores, "b@example.com").await.as_ref(), Some(&second));
}

pub async fn a_deletion_of_a_user_that_is_gone_is_a_conflict(stores: &Stores) {
    let gone = user_created(stores, user(1)).await;
    user_deleted(stores, &gone).await;
    for gone in [gone, user(2)] {
        let change = stores.users.delete(&gone).await.expect("an answer");
        assert_eq!(change, Change::Conflict);
    }
}

pub async fn a_new_hash_of_a_password_replaces_the_old_one_and_changes_no_version(stores: &Stores) {
    let user = user_created(stores, user(1)).await;
    let old = user.password.clone().expect("a password").phc;
    let new = phc("$argon2id$v=19$m=512,t=1,p=1$c2FsdHNhbHQ$new");
    rehashed(stores, user.id, &old, &new).await;
    let password = Some(StoredPassword { phc: new.clone(), ..user.password.clone().expect("one") });
    assert_eq!(stored(stores, user.id).await, Some(User { password, ..user.clone() }));
    // Once more, and it is no longer the old one that is stored.
    rehashed(stores, user.id, &old, &phc("$argon2id$v=19$m=512,t=1,p=1$c2FsdHNhbHQ$newer")).await;
    let password = stored(stores, user.id).await.and_then(|user| user.password);
    assert_eq!(password.map(|password| password.phc), Some(new));
}

pub async fn a_new_hash_of_a_user_that_is_gone_creates_nothing(stores: &Stores) {
    rehashed(stores, id(1), &phc("old"), &phc("new")).await;
    assert_eq!(stored(stores, id(1)).await, None);
}

async fn rehashed(stores: &Stores, user: uuid::Uuid, from: &PhcString, to: &PhcString) {
    stores.users.record_rehash(user, Rehashed { from, to }).await.expect("a write");
}

async fn stored(stores: &Stores, user: uuid::Uuid) -> Option<User> {
    stores.users.find(user).await.expect("a reading")
}

pub async fn a_browser_that_is_remembered_is_known_and_changes_no_version(stores: &Stores) {
    for before in [user(1), full_user(2)] {
        let before = user_created(stores, before).await;
        remembered(stores, &before, "new", 10).await;
        remembered(stores, &before, "new", 20).await;
        let found = stored(stores, before.id).await.expect("the user");
        assert!(found.browsers.knows(&browser("new"), at(20)));
        assert!(!found.browsers.is_to_be_noted(&browser("new"), at(20)));
        assert_eq!(found.browsers.count(), before.browsers.count() + 1);
        assert_eq!(User { browsers: before.browsers.clone(), ..found }, before);
    }
}

pub async fn the_oldest_browsers_are_displaced(stores: &Stores) {
    let id = user_created(stores, user(1)).await.id;
    for number in 1..=25 {
        let before = stored(stores, id).await.expect("the user");
        remembered(stores, &before, &format!("{number:02}"), number).await;
    }
    let after = stored(stores, id).await.expect("the user");
    assert_eq!(after.browsers.count(), MAX_KNOWN_BROWSERS);
    assert!(!after.browsers.knows(&browser("05"), at(25)));
    assert!(after.browsers.knows(&browser("06"), at(25)));
}

pub async fn no_browser_is_remembered_after_another_password_or_the_end_of_the_user(
    stores: &Stores,
) {
    let before = user_created(stores, user(1)).await;
    let another = StoredPassword { phc: phc("new"), changed_at: at(100_000) };
    let after = user_updated(stores, &before, before.with_password(another, at(100_000))).await;
    let refused = stores.users.remember_browser(&before, &browser("a"), at(0)).await;
    assert_eq!(refused.expect("an answer"), Change::Conflict);
    remembered(stores, &after, "b", 1).await;
    let found = stored(stores, before.id).await.expect("the user");
    assert_eq!(found.browsers, [(browser("b"), at(1))].into_iter().collect());
    user_deleted(stores, &found).await;
    for gone in [&after, &found, &full_user(2)] {
        let refused = stores.users.remember_browser(gone, &browser("a"), at(0)).await;
        assert_eq!(refused.expect("an answer"), Change::Conflict);
        assert_eq!(stored(stores, gone.id).await, None, "nothing is made");
    }
}

pub async fn an_update_leaves_the_known_browsers_and_another_password_replaces_them(
    stores: &Stores,
) {
    let before = user_created(stores, user(1)).await;
    // Since the reading, the user has signed in with a browser.
    remembered(stores, &before, "a", 1).await;
    let after = user_updated(stores, &before, with_email(&before, "new@example.com")).await;
    let found = stored(stores, before.id).await.expect("the user");
    assert_eq!(found.browsers, [(browser("a"), at(1))].into_iter().collect());
    remembered(stores, &after, "b", 2).await;
    let another = StoredPassword { phc: phc("new"), changed_at: at(100_000) };
    let kept = [(browser("c"), at(3))].into_iter().collect();
    let set = User { browsers: kept, ..after.with_password(another, at(100_000)) };
    let set = user_updated(stores, &after, set).await;
    assert_eq!(stored(stores, before.id).await, Some(set));
}

pub async fn a_browser_that_is_forgotten_is_known_no_more_and_the_others_are(stores: &Stores) {
    let before = user_created(stores, full_user(1)).await;
    for _ in 0..2 {
        stores.users.forget_browser(before.id, &browser("a")).await.expect("a writing");
        let browsers = [(browser("b"), at(2))].into_iter().collect();
        assert_eq!(stored(stores, before.id).await, Some(User { browsers, ..before.clone() }));
    }
    stores.users.forget_browser(id(7), &browser("a")).await.expect("a writing");
    assert_eq!(stored(stores, id(7)).await, None, "nothing is made");
}

async fn remembered(stores: &Stores, user: &User, name: &str, at_millis: u64) {
    let change = stores.users.remember_browser(user, &browser(name), at(at_millis)).await;
    assert_eq!(change.expect("an answer"), Change::Done);
}

/// The rest of what a list does is said of clients, and is the same code.
pub async fn users_are_listed_and_counted_and_nothing_else_is(stores: &Stores) {
    let users: Vec<User> = (1..=3).map(user).collect();
    for user in [2, 0, 1] {
        user_created(stores, users[user].clone()).await;
    }
    let (someone, scope) = (id(7), identety_domain::Scope::default());
    consent(stores, someone, someone, &scope).await;
    assert_eq!(stores.users.count().await.expect("a count"), 3);
    let list = async |order, from, limit| {
        let list = stores.users.list(order, from, limit).await.expect("a list");
        (list.users, list.next)
    };
    let all = list(Order::OldestFirst, From::Offset(0), 10).await;
    assert_eq!(all, (users.clone(), None));
    let newest = list(Order::NewestFirst, From::Offset(0), 2).await;
    assert_eq!(newest, (vec![users[2].clone(), users[1].clone()], Some(id(2))));
    let rest = list(Order::NewestFirst, From::After(id(2)), 2).await;
    assert_eq!(rest, (vec![users[0].clone()], None));
}

async fn by_email(stores: &Stores, email: &str) -> Option<User> {
    let email = EmailAddress::parse(email).expect("an address");
    stores.users.find_by_email(&email).await.expect("a reading")
}

/// Updates a user, which must succeed, and gives back what it is then.
async fn user_updated(stores: &Stores, before: &User, after: User) -> User {
    let written = stores.users.update(before, &after).await.expect("an update");
    assert_eq!(written, UserWrite::Done);
    after
}

async fn user_deleted(stores: &Stores, user: &User) {
    assert_eq!(stores.users.delete(user).await.expect("a deletion"), Change::Done);
}
