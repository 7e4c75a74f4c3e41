//! The rules and models of the authorization server.
//!
//! Everything here is pure or reaches the world through a trait: no AWS, no HTTP, no clock and no
//! randomness of its own. What a request brings, its time and its random source travel as one
//! [`RequestContext`]; the stores are small traits in the words of the domain ([`store`]); signing is a
//! trait ([`keys::Signer`]).
//!
//! Inside, there are layers, and each knows only those below it: `values`, then `models`, then `stores`
//! (the traits), then the use cases, which are all other modules. `make check` refuses an import upward
//! and a circle. From outside, the crate is arranged by subject: [`client`], [`grant`], [`keys`],
//! [`session`], [`user`] join what the layers hold of each.
//!
//! Where to start reading: [`token::execute`] for a token request, [`authentication`] for who asks,
//! [`client::register`] for the birth of a client, [`client::ClientMetadata::validate`] for every rule of
//! the client model.

pub mod admin;
pub mod authentication;
pub mod authorization;
mod clients;
pub mod discovery;
mod grants;
mod hashers;
pub mod limits;
mod models;
mod services;
mod sessions;
mod stores;
pub mod token;
pub mod user_authentication;
mod users;
mod values;

pub use services::{Choices, Services};
pub use values::scope;
pub use values::{
    Endpoint, ErrorCode, FieldError, Issuer, NotGranted, Outcome, PeerAddress, PublicError, Reason,
    RequestContext, RequestHeaders, RequestId, Scope, ScopeToken, Seconds, Secret, Settings, Theft,
    Timestamp, digest, id, issuer, json,
};

/// Clients: public, private and m2m (RFC 6749 §2).
pub mod client {
    pub use crate::clients::{
        DeleteSecretError, Import, NewClient, RotateSecretError, RotatedSecret, delete_secret,
        register, rotate_secret,
    };
    pub use crate::models::client::{
        Client, ClientMetadata, IdTokenClaims, IdTokenRule, Lifetimes, MAX_LIVE_SECRETS,
        RuleOrList, StoredSecret, VerifiedMetadata,
    };
    pub use crate::values::{
        ClientId, ClientType, Destination, GrantType, LONGEST_ACCESS_TOKEN, LONGEST_REFRESH_TOKEN,
        MAX_CLIENT_ID, RedirectUri, RedirectUriError, SigningAlg, TokenEndpointAuthMethod,
    };
}

/// What users have allowed clients.
pub mod grant {
    pub use crate::grants::Grants;
    pub use crate::models::claims::{RequestedClaim, RequestedClaims};
    pub use crate::models::consent::{Allowed, Consent};
    pub use crate::models::grant::{
        CODE_LIFETIME, Grant, REFRESH_GRACE, Redeemed, Redemption, RefreshKey, RefreshToken,
        Rotation,
    };
    pub use crate::values::{CodeChallenge, Generation, GrantId};
}

/// Secrets at rest.
pub mod hashing {
    pub use crate::hashers::{HashError, SecretHasher, SecretMaker, Verification};
    pub use crate::values::{HashCost, PhcString};
}

/// Signing keys, and who signs and verifies with them.
pub mod keys {
    pub use crate::models::keys::*;
    pub use crate::stores::Verifier;
}

/// Browsers, the sessions in them, and the authorization requests that wait for their users.
pub mod session {
    pub use crate::models::browser::{
        CsrfToken, PendingRequest, RequestKey, RequestSecret, SessionKey, SessionSecret,
    };
    pub use crate::models::device::{
        BROWSER_KNOWN, BROWSER_LINK_LIFETIME, BrowserLink, BrowserLinkKey, BrowserLinkToken,
        DeviceKey, DeviceSecret, DeviceSecrets, KnownBrowsers, MAX_DEVICE_SECRETS,
        MAX_KNOWN_BROWSERS,
    };
    pub use crate::models::session::{
        SESSION_ABSOLUTE, SESSION_IDLE, SESSION_KEPT, SESSION_TOUCHED_EVERY, Session, SignedIn,
    };
    pub use crate::models::transaction::{
        Answer, AuthorizationRequest, MAX_QUERY_KEPT, TRANSACTION_LIFETIME, Transaction,
    };
    pub use crate::sessions::Sessions;
    pub use crate::values::{ResponseMode, SessionId, TransactionId};
}

/// The traits of the stores.
pub mod store {
    pub use crate::stores::*;
}

/// Users: the people who sign in.
pub mod user {
    pub use crate::models::authentication::{Authentication, AuthenticationEvent};
    pub use crate::models::user::*;
    pub use crate::users::{register, set_password};
    pub use crate::values::{AuthenticationMethod, UserClaim};
}
