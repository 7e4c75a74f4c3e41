//! What the endpoints work with, and the one step by which they know their client.

use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::Request;
use http::request::Parts;
use identety_domain::authentication::AuthenticatedClient;
use identety_domain::token::TokenServices;
use identety_domain::{RequestContext, Services};
use identety_http::form::Form;
use identety_http::refusal::Refusal;
use identety_http::response::PublicDocument;
use identety_http::{ambient, credentials};
use identety_keys::{KeyVault, KeysError, OpenedKeys};

/// What the back channel works with.
pub struct BackChannel {
    pub(crate) services: Services,
    vault: KeyVault,
    jwks: RwLock<Option<Published>>,
}

/// The document that was made of a set of keys.
#[derive(Clone)]
struct Published {
    keys: Arc<OpenedKeys>,
    document: Arc<PublicDocument>,
}

/// A request of a client that is known.
pub(crate) struct ClientRequest {
    /// What to serve it with.
    pub(crate) services: TokenServices,
    /// The client.
    pub(crate) client: AuthenticatedClient,
    /// The form, without the credentials.
    pub(crate) form: Form,
}

impl BackChannel {
    /// The back channel of a deployment.
    #[must_use]
    pub fn new(services: Services, vault: KeyVault) -> Self {
        Self { services, vault, jwks: RwLock::default() }
    }

    /// Opens the keys before the first request comes, so that it does not wait for that, nor for the
    /// connection to the store. A failure is left to the first request, which tries again.
    pub async fn warm_up(&self) {
        if let Err(error) = self.open_keys().await {
            tracing::error!(%error, "the keys could not be opened");
        }
    }

    /// Opens the keys, or says why they cannot be.
    ///
    /// # Errors
    /// When the store or the key management service fails, or a key does not open.
    pub async fn open_keys(&self) -> Result<(), KeysError> {
        let mut rng = ambient::rng().map_err(|_| KeysError::NoRandomness)?;
        self.vault.opened(ambient::now(), &mut rng).await.map(|_| ())
    }

    /// The keys. Without them the server can do nothing: 503, and never an unsigned token.
    pub(crate) async fn keys(
        &self,
        context: &mut RequestContext,
    ) -> Result<Arc<OpenedKeys>, Refusal> {
        if let Some(keys) = self.vault.at_hand(context.now) {
            return Ok(keys);
        }
        let opened = self.vault.opened(context.now, &mut *context.rng).await;
        opened.map_err(|error| Refusal::not_ready(error.to_string()))
    }

    /// The document of `keys`: the one that was made before, as long as the keys are the same.
    pub(crate) fn published(
        &self,
        keys: &Arc<OpenedKeys>,
    ) -> Result<Arc<PublicDocument>, serde_json::Error> {
        let known = self.jwks.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| Arc::ptr_eq(&known.keys, keys)) {
            return Ok(known.document);
        }
        let document = Arc::new(PublicDocument::new(keys.jwks())?);
        let published = Published { keys: keys.clone(), document: document.clone() };
        *self.jwks.write().unwrap_or_else(PoisonError::into_inner) = Some(published);
        Ok(document)
    }

    /// What tokens are made and judged with.
    pub(crate) async fn token_services(
        &self,
        context: &mut RequestContext,
    ) -> Result<TokenServices, Refusal> {
        let keys = self.keys(context).await?;
        Ok(TokenServices {
            settings: self.services.settings.clone(),
            authenticator: self.services.client_authenticator(),
            refresh_key: keys.refresh_key().clone(),
            verifier: keys.clone(),
            signer: keys,
            grants: self.services.grants(),
        })
    }

    /// Form → credentials → the client: how every endpoint for clients begins. `look` sees the form before the client
    /// is known, for the log.
    pub(crate) async fn client_request(
        &self,
        context: &mut RequestContext,
        request: Request,
        look: impl FnOnce(&Form, &mut RequestContext) + Send,
    ) -> Result<ClientRequest, Refusal> {
        let (Parts { headers, .. }, body) = request.into_parts();
        let mut form = Form::read_body(&headers, body).await?;
        let credentials = credentials::extract(&headers, &mut form)?;
        look(&form, context);
        let services = self.token_services(context).await?;
        let client = services.authenticator.authenticate(context, &credentials).await?;
        Ok(ClientRequest { services, client, form })
    }
}
