//! The first administrator of a deployment, here or in AWS: an m2m client that may do everything.

use identety_domain::client::{ClientMetadata, ClientType, Import, NewClient, register};
use identety_domain::hashing::SecretMaker;
use identety_domain::store::{Cause, ClientStore, Creation, StoreError};
use identety_domain::{FieldError, Scope, Secret};

/// What the administrator's client shows: its secret exists nowhere else.
pub(crate) struct Administrator {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
}

/// Why there is no administrator.
#[derive(Debug, thiserror::Error)]
pub enum AdministratorError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret cannot be hashed.
    #[error(transparent)]
    Hash(#[from] identety_domain::hashing::HashError),
}

/// Registers a client with all scopes that open the administration.
pub(crate) async fn register_administrator(
    clients: &dyn ClientStore,
    maker: &mut SecretMaker<'_>,
) -> Result<Administrator, AdministratorError> {
    let scopes = Scope::reserved().iter().map(|token| token.as_str().to_owned()).collect();
    let metadata = ClientMetadata {
        name: Some("Administrator".to_owned()),
        scopes: Some(scopes),
        ..ClientMetadata::default()
    };
    let metadata = metadata.validate(ClientType::M2m).map_err(|errors| defect(&errors))?;
    let NewClient { client, secret } =
        register(ClientType::M2m, metadata, Import::default(), maker)?;
    match clients.create(&client).await? {
        Creation::Created => {}
        Creation::ClientIdTaken => return Err(defect(&[]).into()),
    }
    let client_secret = secret.ok_or_else(|| defect(&[]))?;
    Ok(Administrator { client_id: client.client_id.to_string(), client_secret })
}

/// The metadata of the administrator are our own; only a defect could make them wrong.
fn defect(errors: &[FieldError]) -> StoreError {
    StoreError::Other(Cause::from(format!("the administrator could not be made: {errors:?}")))
}
