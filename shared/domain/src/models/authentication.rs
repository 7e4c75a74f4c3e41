//! How a user showed who they are: what every way of authentication has in common.

use serde::{Deserialize, Serialize};

use super::user::User;
use crate::values::{AuthenticationMethod, Timestamp};

/// That a user showed who they are: how and when. A session, a grant and an ID token carry it unchanged.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticationEvent {
    /// The way.
    pub method: AuthenticationMethod,
    /// When (`auth_time`, OpenID Connect Core 1.0 §2).
    pub time: Timestamp,
    /// The authentication context class that was satisfied (`acr`, OpenID Connect Core 1.0 §2).
    pub acr: String,
    /// The methods that were used (`amr`, RFC 8176 §2).
    pub amr: Vec<String>,
}

/// A user who has just shown who they are.
#[derive(Clone, Debug)]
pub struct Authentication {
    /// The user.
    pub user: User,
    /// How and when.
    pub event: AuthenticationEvent,
}
