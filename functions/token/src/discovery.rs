//! `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`: one document,
//! from memory.

use std::future::{Ready, ready};

use axum::response::Response;
use http::HeaderMap;
use identety_domain::Settings;
use identety_domain::discovery::ServerMetadata;
use identety_http::response::{self, PublicDocument};

/// The metadata of this deployment.
pub(crate) fn document(settings: &Settings) -> Result<PublicDocument, serde_json::Error> {
    PublicDocument::new(&ServerMetadata::of(&settings.issuer))
}

/// The handler that answers with `document`.
pub(crate) fn get(
    document: PublicDocument,
) -> impl Fn(HeaderMap) -> Ready<Response> + Clone + Send + Sync + 'static {
    move |headers| ready(response::public_document(&document, &headers))
}
