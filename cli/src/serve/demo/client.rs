//! The demo app as a client.

use identety_domain::client::{
    Client, ClientId, ClientMetadata, ClientType, Import, NewClient, RedirectUri, VerifiedMetadata,
    register,
};
use identety_domain::hashing::SecretMaker;
use identety_domain::store::{Cause, Change, Creation, StoreError, Stores};
use identety_domain::{FieldError, Issuer, Timestamp};

use super::PATH;
use crate::serve::ServeError;

/// What the app's script names itself.
const CLIENT_ID: &str = "demo";

/// Registers the demo app, or gives it the address where it is now. Whatever else somebody made of it stays.
pub(crate) async fn ensure_client(
    issuer: &Issuer,
    stores: &Stores,
    maker: &mut SecretMaker<'_>,
) -> Result<(), ServeError> {
    let metadata =
        metadata(issuer).validate(ClientType::Public).map_err(|errors| defect(&errors))?;
    let client_id = ClientId::parse(CLIENT_ID).ok_or_else(|| defect(&[]))?;
    if let Some(client) = stores.clients.find(&client_id).await? {
        return moved(&client, metadata, stores, maker.now).await;
    }
    let import = Import { client_id: Some(client_id), client_secret: None };
    let NewClient { client, secret: _ } = register(ClientType::Public, metadata, import, maker)?;
    match stores.clients.create(&client).await? {
        Creation::Created => Ok(()),
        Creation::ClientIdTaken => Err(defect(&[]).into()),
    }
}

/// The server may listen on another port than before.
async fn moved(
    client: &Client,
    current: VerifiedMetadata,
    stores: &Stores,
    now: Timestamp,
) -> Result<(), ServeError> {
    let known = &client.metadata.redirect_uris;
    let is_there = current.redirect_uris.iter().all(|address| known.contains(address));
    // Somebody may have registered an app of that name before there was a demo app.
    let ours = |address: &RedirectUri| address.as_str().trim_end_matches('/').ends_with(PATH);
    if is_there || client.kind != ClientType::Public || !known.iter().all(ours) {
        return Ok(());
    }
    let metadata = VerifiedMetadata {
        redirect_uris: current.redirect_uris,
        post_logout_redirect_uris: current.post_logout_redirect_uris,
        ..client.metadata.clone()
    };
    match stores.clients.update(client, &client.with_metadata(metadata, now)).await? {
        Change::Done => Ok(()),
        Change::Conflict => Err(defect(&[]).into()),
    }
}

fn metadata(issuer: &Issuer) -> ClientMetadata {
    let home = format!("{issuer}{PATH}");
    let addresses = vec![home.clone(), format!("{home}/")];
    let scopes = ["openid", "profile", "email", "offline_access"];
    ClientMetadata {
        name: Some("Demo app".to_owned()),
        redirect_uris: Some(addresses.clone()),
        post_logout_redirect_uris: Some(addresses),
        scopes: Some(scopes.map(str::to_owned).to_vec()),
        ..ClientMetadata::default()
    }
}

/// The metadata are our own; only a defect could make them wrong.
fn defect(errors: &[FieldError]) -> StoreError {
    StoreError::Other(Cause::from(format!("the demo app could not be registered: {errors:?}")))
}
