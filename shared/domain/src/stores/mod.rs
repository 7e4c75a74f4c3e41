//! The third layer: what the rules ask of storage. Atomicity is part of the meaning of each verb: an
//! implementation that reads, decides and then writes breaks the contract.
//!
//! "Not found" is an answer, never an error: `Err` means that the store failed.

mod accounts;
mod attempts;
mod clients;
mod error;
mod failures;
mod grants;
mod keys;
mod links;
mod lists;
mod writes;

use std::sync::Arc;

pub use accounts::{ConsentStore, UserList, UserStore, UserWrite};
pub use attempts::{Allowance, AttemptStore, Count, Counter};
pub use clients::{ApiKeyStore, ClientList, ClientStore, Creation};
pub use error::{Cause, StoreError};
pub use failures::FailureStore;
pub use grants::{
    Answering, GrantCreation, GrantStore, NewAnswer, Redeem, Rotate, SessionStore, TransactionStore,
};
pub use keys::{KeyStore, StoredKeys, Verifier};
pub use links::BrowserLinkStore;
pub use lists::{From, Order};
pub use writes::{Change, Rehashed};

/// All stores of a deployment, each as the trait that the rules know.
#[derive(Clone)]
pub struct Stores {
    /// The clients.
    pub clients: Arc<dyn ClientStore>,
    /// The administrators' API key.
    pub api_keys: Arc<dyn ApiKeyStore>,
    /// The users.
    pub users: Arc<dyn UserStore>,
    /// What users have consented to.
    pub consents: Arc<dyn ConsentStore>,
    /// The signing keys.
    pub keys: Arc<dyn KeyStore>,
    /// The counters of failures.
    pub failures: Arc<dyn FailureStore>,
    /// The counters of attempts.
    pub attempts: Arc<dyn AttemptStore>,
    /// The one-time links that make browsers known.
    pub links: Arc<dyn BrowserLinkStore>,
    /// The grants of users.
    pub grants: Arc<dyn GrantStore>,
    /// The sessions of browsers.
    pub sessions: Arc<dyn SessionStore>,
    /// The authorization requests that wait for their user.
    pub transactions: Arc<dyn TransactionStore>,
}
