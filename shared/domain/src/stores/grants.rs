//! What does not last: authorization requests in hand, sessions, and grants.
//! Every item is forgotten some time after it has become meaningless; until then, whether it has
//! expired is judged by the times in it, never by its presence.

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;
use crate::models::browser::SessionKey;
use crate::models::grant::{Grant, Redemption, Rotation};
use crate::models::session::Session;
use crate::models::transaction::Transaction;
use crate::values::{GrantId, SessionId, Timestamp, TransactionId};

/// How the creation of a grant ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub enum GrantCreation {
    /// It is there now.
    Created,
    /// It was there before: as it is stored. Nothing was written.
    Exists(Box<Grant>),
}

/// How the redemption of a code ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub enum Redeem {
    /// The code was unused, and is used now.
    Redeemed,
    /// It was used before, or its grant has ended, or there is none.
    Refused,
}

/// How a rotation ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub enum Rotate {
    /// The generation is one on.
    Rotated,
    /// Another generation is live, or the grant has ended: as it is stored, if it is. Nothing was
    /// written.
    Refused(Option<Box<Grant>>),
}

/// Grants of users: a code, and the family of tokens that it gives.
#[async_trait]
pub trait GrantStore: Send + Sync {
    /// Writes a new grant, if there is none with its id.
    async fn create_grant(&self, grant: &Grant) -> Result<GrantCreation, StoreError>;

    /// The grant with this id: one strongly consistent read.
    async fn find_grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreError>;

    /// Marks the code of a grant as used, in one conditional write: of any number of redemptions
    /// exactly one is [`Redeem::Redeemed`], and none after the grant has ended. A redemption repeated
    /// with the same [`Redemption::id`], because its answer was lost, is the same redemption.
    async fn redeem_code(
        &self,
        id: &GrantId,
        redemption: &Redemption,
    ) -> Result<Redeem, StoreError>;

    /// Moves the live generation from `rotation.from` to the next, in one conditional write: of any
    /// number of rotations of one generation exactly one is [`Rotate::Rotated`], and none after the
    /// grant has ended.
    async fn rotate_refresh_token(
        &self,
        id: &GrantId,
        rotation: &Rotation,
    ) -> Result<Rotate, StoreError>;

    /// Ends a grant and every token of it; one that has ended or is not there stays as it is.
    async fn end_grant(&self, id: &GrantId, at: Timestamp) -> Result<(), StoreError>;

    /// At most `limit` grants of `user`, in the order of their ids, behind the one with the id `after`: for lists. One
    /// that was made just now may be missing, and grants that have ended are among them.
    async fn grants_of(
        &self,
        user: Uuid,
        after: Option<&GrantId>,
        limit: u32,
    ) -> Result<Vec<Grant>, StoreError>;
}

/// Sessions of browsers in which a user has signed in.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Writes a new session.
    async fn create_session(&self, session: &Session) -> Result<(), StoreError>;

    /// The session with this key: one strongly consistent read.
    async fn find_session(&self, key: &SessionKey) -> Result<Option<Session>, StoreError>;

    /// Notes that a session is in use, if it is still there.
    async fn touch_session(&self, key: &SessionKey, at: Timestamp) -> Result<(), StoreError>;

    /// Notes that a session has ended, if it is still there; one that has ended stays as it is. Its cookie
    /// signs nobody in any more, but still tells under which id to go on.
    async fn end_session(&self, key: &SessionKey, at: Timestamp) -> Result<(), StoreError>;

    /// Puts on record that the user has signed out of the session with this id, which ends every grant
    /// that goes with it.
    async fn sign_out(&self, id: &SessionId, at: Timestamp) -> Result<(), StoreError>;

    /// Whether [`SessionStore::sign_out`] was called for this id: one strongly consistent read.
    async fn is_signed_out(&self, id: &SessionId) -> Result<bool, StoreError>;

    /// At most `limit` sessions of `user`, in the order of their keys, behind the one with the key `after`: for lists. One
    /// that was made just now may be missing, and sessions that have ended are among them.
    async fn sessions_of(
        &self,
        user: Uuid,
        after: Option<&SessionKey>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError>;
}

/// What a transaction is to be answered with.
#[derive(Clone, Copy, Debug)]
pub enum NewAnswer<'a> {
    /// The user has denied it.
    Denied,
    /// A new grant.
    Grant(&'a Grant),
}

/// How the answer to a transaction was recorded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Answering {
    /// It is the answer now. The code of an earlier one, unused until then, has ended.
    Recorded,
    /// The transaction has got another answer since it was read, or is gone; nothing was written.
    Overtaken,
    /// The code of the earlier answer is used already; nothing was written.
    Final,
}

/// Authorization requests that wait for their user.
#[async_trait]
pub trait TransactionStore: Send + Sync {
    /// Writes a new transaction.
    async fn create_transaction(&self, transaction: &Transaction) -> Result<(), StoreError>;

    /// The transaction with this id: one strongly consistent read.
    async fn find_transaction(&self, id: &TransactionId)
    -> Result<Option<Transaction>, StoreError>;

    /// Answers `transaction` with `answer`, all or nothing: the transaction records the answer, a new grant is made,
    /// and the grant that was the answer before ends if its code is unused. So of any number of codes that one request
    /// gets, at most one can be redeemed. Only if the transaction still has the answer with which it was read.
    async fn answer_transaction(
        &self,
        transaction: &Transaction,
        answer: NewAnswer<'_>,
        at: Timestamp,
    ) -> Result<Answering, StoreError>;
}
