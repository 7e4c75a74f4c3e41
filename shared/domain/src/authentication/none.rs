//! The method `none` (RFC 7591 §2): a public client shows its identifier, and proves nothing.

use super::error::AuthenticationError;
use crate::models::client::Client;
use crate::values::TokenEndpointAuthMethod as Method;

/// Whether `client` may come with its identifier alone.
pub(super) const fn suffices_for(client: &Client) -> bool {
    match client.metadata.token_endpoint_auth_method {
        Method::None => true,
        Method::ClientSecretBasic | Method::ClientSecretPost => false,
    }
}

/// The client that showed only its identifier.
pub(super) fn judge(client: Option<Client>) -> Result<Client, AuthenticationError> {
    let client = client.ok_or(AuthenticationError::UnknownClient)?;
    if !suffices_for(&client) {
        return Err(AuthenticationError::OtherMethod(client.auth_method()));
    }
    if !client.metadata.is_active {
        return Err(AuthenticationError::Inactive);
    }
    Ok(client)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::models::client::{ClientMetadata, VerifiedMetadata};
    use crate::values::{ClientId, ClientType, Timestamp};

    fn client(kind: ClientType, is_active: bool) -> Client {
        let metadata = ClientMetadata { name: Some("a".to_owned()), ..ClientMetadata::default() };
        let metadata = metadata.validate(kind).unwrap();
        let at = Timestamp::from_seconds(0);
        Client {
            id: Uuid::nil(),
            client_id: ClientId::parse("a").unwrap(),
            kind,
            metadata: VerifiedMetadata { is_active, ..metadata },
            secrets: Vec::new(),
            created_at: at,
            updated_at: at,
            version: 1,
        }
    }

    #[test]
    fn an_identifier_alone_suffices_for_an_active_public_client_and_no_other() {
        assert!(judge(Some(client(ClientType::Public, true))).is_ok());
        assert!(matches!(
            judge(Some(client(ClientType::Public, false))),
            Err(AuthenticationError::Inactive)
        ));
        for kind in [ClientType::Private, ClientType::M2m] {
            let judged = judge(Some(client(kind, true)));
            assert!(matches!(judged, Err(AuthenticationError::OtherMethod(_))));
        }
        assert!(matches!(judge(None), Err(AuthenticationError::UnknownClient)));
    }
}
