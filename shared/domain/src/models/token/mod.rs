//! What an access token says.

mod access_token;
mod audience;
mod confirmation;
mod subject;

pub use access_token::{ACCESS_TOKEN_TYP, AccessToken, AccessTokenError};
pub use audience::Audience;
pub use confirmation::{Confirmation, ConfirmationClaim, Thumbprint, TokenType};
pub use subject::{Actor, Subject};
