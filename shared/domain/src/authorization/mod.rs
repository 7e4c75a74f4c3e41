//! The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core 1.0 §3.1.2): an app sends its user,
//! the user signs in and consents, the app gets a code.

mod cookies;
mod session;
mod transaction;

pub use cookies::{BrowserKey, BrowserSecret, CsrfToken, SessionKey, SessionSecret};
pub use session::{SESSION_ABSOLUTE, SESSION_IDLE, SESSION_TOUCHED_EVERY, Session, SessionId};
pub use transaction::{
    AuthorizationRequest, ResponseMode, TRANSACTION_LIFETIME, Transaction, TransactionId,
};
