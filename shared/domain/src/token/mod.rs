//! Tokens: the token endpoint (RFC 6749 §3.2) with one file for each grant, and what becomes of the tokens.

mod about_user;
mod access_token;
mod allowed;
mod authorization_code;
mod behalf;
mod client_credentials;
mod endpoint;
mod ends;
mod error;
mod id_token;
mod introspection;
mod issue;
mod parameters;
mod presented;
mod refresh_token;
mod response;
mod revocation;
mod services;
mod userinfo;

pub use endpoint::execute;
pub use error::{InvalidGrant, TokenError};
pub use id_token::ACR;
pub use introspection::{Introspection, IntrospectionError, introspect};
pub use parameters::TokenParameters;
pub use presented::{Hint, IdTokenHint, Presented, ReadError, TokenReader};
pub use response::{AccessTokenResponse, TokenResponse, UserTokenResponse};
pub use revocation::{RevocationError, revoke};
pub use services::TokenServices;
pub use userinfo::{UserInfo, UserInfoError, UserInfoRefusal, userinfo};

pub use crate::models::token::{
    ACCESS_TOKEN_TYP, AccessToken, AccessTokenError, Actor, Audience, Confirmation,
    ConfirmationClaim, Subject, Thumbprint, TokenType,
};

pub(crate) use allowed::{allowed_audiences, check_resources, granted_scope};
