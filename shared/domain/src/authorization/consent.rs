//! Whether the user has to be asked.

use crate::models::client::Client;
use crate::models::consent::Consent;
use crate::models::transaction::AuthorizationRequest;
use crate::values::Destination;

/// What decides whether the user is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Asking {
    /// The user is asked, whatever was allowed before.
    EachTime,
    /// The user is not asked.
    Never,
    /// The user is asked unless all of it was allowed before.
    Once,
}

/// What decides whether the user is asked about `request` of `client`. Without a page, [`Asking::EachTime`] is
/// `consent_required`.
pub(super) fn asking(request: &AuthorizationRequest, client: &Client) -> Asking {
    // RFC 8252 §8.6: another program can listen at the port or claim the scheme, and would get the code unnoticed. That
    // the client is a first party's changes nothing: it is not known to be the client.
    let may_be_claimed = Destination::of(&request.redirect_uri).may_be_claimed(client.kind);
    if request.asks_for_consent || may_be_claimed {
        Asking::EachTime
    } else if client.metadata.skip_consent {
        Asking::Never
    } else {
        Asking::Once
    }
}

/// Whether the user has to be asked, who has allowed the client `known` before.
pub(super) fn must_ask(
    request: &AuthorizationRequest,
    client: &Client,
    known: Option<&Consent>,
) -> bool {
    match asking(request, client) {
        Asking::EachTime => true,
        Asking::Never => false,
        Asking::Once => known.is_none_or(|known| {
            let claims = request.claims_beyond_scope();
            !known.covers(&request.scope, &request.resources, &claims)
        }),
    }
}
