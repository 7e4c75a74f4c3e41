//! The pages: plain HTML that works without JavaScript, in the colours that the reader prefers.
//!
//! Each page is a struct of what it shows; [`respond`] makes the answer, with the headers that keep other
//! people's content and frames out of it. A page loads [`style`] and nothing else, but for the logo of the
//! client, and for [`form_post_script`] on the one page that submits itself.
//!
//! The templates escape whatever they are given. `base` is the issuer, under which all paths lie.

mod claim;
mod client;
mod consent;
mod csp;
mod files;
mod form_post;
mod known_browser;
mod notice;
mod register;
mod request;
mod response;
mod scope;
mod sign_in;
mod sign_out;
#[cfg(test)]
mod tests;

pub use claim::claim_in_words;
pub use client::ClientView;
pub use consent::Consent;
pub use csp::FormTarget;
pub use files::{FORM_POST_SCRIPT_PATH, STYLE_PATH, form_post_script, style};
pub use form_post::FormPost;
pub use known_browser::KnownBrowser;
pub use notice::{AppView, Notice};
pub use register::{Register, RegisterErrors};
pub use request::RequestFields;
pub use response::{Page, Unwritable, respond};
pub use scope::ScopeView;
pub use sign_in::SignIn;
pub use sign_out::{SignOut, SignedOut};
