//! [`SessionStore`](identety_domain::store::SessionStore).

#![expect(missing_docs, reason = "the names of the functions are what they say")]

use identety_domain::Timestamp;
use identety_domain::grant::Grant;
use identety_domain::session::{Session, SessionId, SessionKey};

use super::Stores;
use super::fixtures::{at, id};
use super::grant_fixtures::{full_session, grant, granted, session, session_id, session_key};

pub async fn every_member_of_a_session_comes_back_as_it_was(stores: &Stores) {
    for session in [full_session(1), session(2)] {
        let session = begun(stores, session).await;
        assert_eq!(find(stores, &session.key).await, Some(session));
    }
}

pub async fn a_session_that_is_not_there_is_not_found(stores: &Stores) {
    begun(stores, session(1)).await;
    assert_eq!(find(stores, &session_key(2)).await, None);
}

pub async fn a_session_in_use_notes_when(stores: &Stores) {
    let (one, other) = (begun(stores, full_session(1)).await, begun(stores, session(2)).await);
    for time in [at(1001), at(90_000)] {
        touch(stores, &one.key, time).await;
        let touched = Session { last_seen_at: time, ..one.clone() };
        assert_eq!(find(stores, &one.key).await, Some(touched));
    }
    assert_eq!(find(stores, &other.key).await, Some(other));
}

pub async fn an_earlier_use_of_a_session_does_not_replace_a_later_one(stores: &Stores) {
    let session = begun(stores, session(1)).await;
    touch(stores, &session.key, at(999)).await;
    assert_eq!(find(stores, &session.key).await, Some(session));
}

pub async fn the_use_of_a_session_that_is_not_there_creates_none(stores: &Stores) {
    touch(stores, &session_key(1), at(9999)).await;
    assert_eq!(find(stores, &session_key(1)).await, None);
}

pub async fn a_session_that_ends_notes_when_and_no_other_does(stores: &Stores) {
    let (one, other) = (begun(stores, session(1)).await, begun(stores, session(2)).await);
    // The second of two ends changes nothing.
    for time in [at(5000), at(6000)] {
        end(stores, &one.key, time).await;
        let ended = Session { ended_at: Some(at(5000)), ..one.clone() };
        assert_eq!(find(stores, &one.key).await, Some(ended));
    }
    assert_eq!(find(stores, &other.key).await, Some(other));
}

pub async fn the_end_of_a_session_that_is_not_there_creates_none(stores: &Stores) {
    end(stores, &session_key(1), at(5000)).await;
    assert_eq!(find(stores, &session_key(1)).await, None);
}

pub async fn who_has_signed_out_of_a_session_has_signed_out_of_no_other(stores: &Stores) {
    let session = begun(stores, session(1)).await;
    assert!(!is_signed_out(stores, &session.id).await, "at first nobody has");
    for time in [at(5000), at(4000)] {
        stores.sessions.sign_out(&session.id, time).await.expect("a writing");
        assert!(is_signed_out(stores, &session.id).await);
    }
    assert!(!is_signed_out(stores, &session_id(2)).await);
    assert_eq!(find(stores, &session.key).await, Some(session), "to end it is another verb");
}

pub async fn the_end_of_a_session_alone_is_no_sign_out(stores: &Stores) {
    let session = begun(stores, session(1)).await;
    end(stores, &session.key, at(5000)).await;
    assert!(!is_signed_out(stores, &session.id).await);
}

pub async fn the_sessions_of_a_user_are_listed_piece_by_piece(stores: &Stores) {
    let (user, other) = (id(900), id(901));
    let mut own = Vec::new();
    for number in 1..=5 {
        own.push(begun(stores, Session { user, ..session(number) }).await);
        begun(stores, Session { user: other, ..session(100 + number) }).await;
        granted(stores, Grant { user, ..grant(number) }).await;
    }
    own.sort_by_key(|session| session.key.to_string());
    let list = async |after: Option<&SessionKey>, limit| {
        stores.sessions.sessions_of(user, after, limit).await.expect("a list")
    };
    assert_eq!(list(None, 10).await, own);
    assert_eq!(list(None, 2).await, own[..2]);
    assert_eq!(list(Some(&own[1].key), 2).await, own[2..4]);
    assert_eq!(list(Some(&own[4].key), 2).await, []);
    assert_eq!(stores.sessions.sessions_of(id(902), None, 2).await.expect("a list"), []);
}

async fn begun(stores: &Stores, session: Session) -> Session {
    stores.sessions.create_session(&session).await.expect("a creation");
    session
}

async fn find(stores: &Stores, key: &SessionKey) -> Option<Session> {
    stores.sessions.find_session(key).await.expect("a reading")
}

async fn touch(stores: &Stores, key: &SessionKey, at: Timestamp) {
    stores.sessions.touch_session(key, at).await.expect("a writing");
}

async fn end(stores: &Stores, key: &SessionKey, at: Timestamp) {
    stores.sessions.end_session(key, at).await.expect("a writing");
}

async fn is_signed_out(stores: &Stores, id: &SessionId) -> bool {
    stores.sessions.is_signed_out(id).await.expect("a reading")
}
