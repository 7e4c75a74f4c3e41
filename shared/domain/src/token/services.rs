//! What the endpoints of tokens work with.

use std::sync::Arc;

use super::presented::{Presented, TokenReader};
use crate::authentication::ClientAuthenticator;
use crate::grants::Grants;
use crate::models::grant::RefreshKey;
use crate::models::keys::Signer;
use crate::stores::{StoreError, Verifier};
use crate::values::{Settings, Timestamp};

/// What the endpoints of tokens work with.
#[derive(Clone)]
pub struct TokenServices {
    /// Who this deployment is.
    pub settings: Settings,
    /// Authenticates clients.
    pub authenticator: ClientAuthenticator,
    /// Signs tokens.
    pub signer: Arc<dyn Signer>,
    /// Judges tokens that come back.
    pub verifier: Arc<dyn Verifier>,
    /// Makes and reads refresh tokens.
    pub refresh_key: RefreshKey,
    /// What users have allowed.
    pub grants: Grants,
}

impl TokenServices {
    /// Reads the tokens that callers present.
    #[must_use]
    pub fn reader(&self) -> TokenReader<'_> {
        TokenReader { issuer: &self.settings.issuer, verifier: &*self.verifier }
    }

    /// The token that a caller presents. `None` where this server did not make it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn presented(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Presented>, StoreError> {
        Presented::read(self.reader(), &self.refresh_key, token, now).await
    }
}
