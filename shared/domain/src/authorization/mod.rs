//! The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core 1.0 §3.1.2): an app sends its user,
//! the user signs in and consents, the app gets a code.
//!
//! A request is parsed, begins, and where it needs a page waits as an [`Interaction`], whose every step is a method of
//! [`FrontChannel`] and ends in a [`Step`].

mod answer;
mod bounds;
mod channel;
mod claims;
mod consent;
mod interaction;
mod logout;
mod parameters;
mod registration;
mod request;
mod response;
mod sign_in;
mod target;

pub use channel::{FlowError, FrontChannel};
pub use interaction::{Begun, Decision, Interaction, Page, Step};
pub use logout::{Logout, LogoutParameters, LogoutTarget};
pub use parameters::{Parameter, Parameters};
pub use registration::{Registration, RegistrationError};
pub use response::{AuthorizationError, AuthorizationResponse, with_query};
pub use sign_in::{SignInError, SignedInBrowser, Visitor};
pub use target::NoClient;
