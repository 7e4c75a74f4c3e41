//! The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core 1.0 §3.1.2): an app sends its user,
//! the user signs in and consents, the app gets a code.
//!
//! [`FrontChannel`] has a method for each thing that a browser does. Each of them ends in a [`Step`].

mod claims;
mod flow;
mod logout;
mod parameters;
mod registration;
mod request;
mod response;
mod sign_in;

pub use flow::{Decision, FlowError, FrontChannel, Step, Visitor};
pub use logout::{LogoutError, LogoutParameters, LogoutTarget};
pub use parameters::{Parameter, Parameters};
pub use registration::{Registration, RegistrationError};
pub use request::NoClient;
pub use response::{AuthorizationError, AuthorizationResponse, with_query};
pub use sign_in::{Entered, SignInError};
