//! What a client is told of a user, at userinfo and in ID tokens.

use serde_json::Value;

use crate::models::claims::RequestedClaim;
use crate::models::client::Client;
use crate::models::user::User;
use crate::values::UserClaim;

/// What `client` is told of `user`, with the names of the claims: those that are `given` as they are, and those that
/// were `requested` one by one, unless no scope that the client may have by now gives them.
pub(super) fn about_user(
    user: &User,
    client: &Client,
    given: impl Fn(UserClaim) -> bool,
    requested: &[RequestedClaim],
) -> impl Iterator<Item = (&'static str, Value)> {
    let value_of = move |claim: UserClaim| {
        if given(claim) {
            return user.claim(claim);
        }
        let asked = requested.iter().find(|asked| asked.name == claim);
        asked.filter(|_| claim.is_given_by(client.scope()))?.value_of(user)
    };
    UserClaim::ALL.into_iter().filter_map(move |claim| Some((claim.as_str(), value_of(claim)?)))
}
