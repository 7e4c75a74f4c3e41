//! What the administration manages, as far as clients and users have it in common.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::future::Future;

use http::StatusCode;
use identety_domain::admin::Administrator;
use identety_domain::store::{Change, From, Order, StoreError};
use identety_http::problem::Problem;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::state::Management;

/// A client, or a user.
pub(crate) trait Resource: Clone + Send + Sync + 'static {
    /// What one is called.
    const NAME: &'static str;

    /// Where they are.
    const PATH: &'static str;

    /// What a list can be sorted by, beside the time of creation.
    type SortKey: Copy + Debug + Eq + Send + Sync + 'static;

    /// Their names.
    const SORT_KEYS: &'static [(&'static str, Self::SortKey)];

    /// The names of the members, by which a list is narrowed.
    const COLUMNS: &'static [&'static str];

    /// Its key.
    fn id(&self) -> Uuid;

    /// Counts its changes.
    fn version(&self) -> u64;

    /// The thing as everybody sees it who may see it.
    fn members(&self) -> Map<String, Value>;

    /// How two of them are sorted.
    fn compare(by: Self::SortKey, a: &Self, b: &Self) -> Ordering;

    /// Whether `administrator` may change it.
    fn check_may_change(&self, administrator: &Administrator) -> Result<(), Problem>;

    /// The one with this id.
    fn find(
        state: &Management,
        id: Uuid,
    ) -> impl Future<Output = Result<Option<Self>, StoreError>> + Send;

    /// Writes `after` if `self` is still what is stored.
    fn update(
        &self,
        after: &Self,
        state: &Management,
    ) -> impl Future<Output = Result<Written, StoreError>> + Send;

    /// Takes it away if it is still what is stored.
    fn delete(
        &self,
        state: &Management,
    ) -> impl Future<Output = Result<Written, StoreError>> + Send;

    /// A piece of the list of all.
    fn list(
        state: &Management,
        order: Order,
        from: From,
        limit: u32,
    ) -> impl Future<Output = Result<Piece<Self>, StoreError>> + Send;

    /// How many there are.
    fn count(state: &Management) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// How a write ended.
pub(crate) enum Written {
    /// It is written.
    Done,
    /// Something else was written in between.
    Conflict,
    /// It cannot be written beside what there is.
    Refused(Problem),
}

impl std::convert::From<Change> for Written {
    fn from(change: Change) -> Self {
        match change {
            Change::Done => Self::Done,
            Change::Conflict => Self::Conflict,
        }
    }
}

/// A piece of a list, and the id after which the next piece begins; `None` at the end.
pub(crate) struct Piece<R> {
    pub(crate) nodes: Vec<R>,
    pub(crate) next: Option<Uuid>,
}

/// The one that a path names.
pub(crate) async fn find<R: Resource>(state: &Management, id: &str) -> Result<R, Problem> {
    let not_found = || {
        let detail = format!("there is no {} with this id", R::NAME);
        Problem::new(StatusCode::NOT_FOUND, detail)
    };
    let id = Uuid::parse_str(id).map_err(|_| not_found())?;
    R::find(state, id).await?.ok_or_else(not_found)
}
