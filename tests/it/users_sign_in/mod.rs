//! Users sign in: from the authorization request to tokens, and back out.

mod authorize;
mod browser_links;
mod claims;
mod consent;
mod hints;
mod international;
mod known_browsers;
mod leaks;
mod limits;
pub(crate) mod logout;
mod pages;
mod prompts;
mod redirect_uris;
mod registration;
mod requests;
mod sessions;
pub(crate) mod steps;
mod story;
mod tabs;
mod transactions;
