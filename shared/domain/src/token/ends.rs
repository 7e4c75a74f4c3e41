//! Whom a grant belongs to, and how long it has to be remembered: what codes and refresh tokens have in common.

use super::error::InvalidGrant;
use crate::models::client::Client;
use crate::models::grant::Grant;
use crate::values::Timestamp;

/// RFC 6749 §4.1.3, §6: the code or the refresh token was issued to the authenticated client.
pub(super) fn check_client(client: &Client, grant: &Grant) -> Result<(), InvalidGrant> {
    if grant.client == client.id { Ok(()) } else { Err(InvalidGrant::OtherClient) }
}

/// From when on a grant that was redeemed at `redeemed_at` may be forgotten: when its last refresh token
/// and the last access token of that have ended, and a day later.
pub(super) fn forget_at(redeemed_at: Timestamp, client: &Client) -> Timestamp {
    let lifetimes = &client.metadata.lifetimes;
    let last = redeemed_at.plus(lifetimes.refresh_token_absolute).plus(lifetimes.access_token);
    last.plus(86_400)
}
