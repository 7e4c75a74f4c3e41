//! The back channel: what machines ask. Tokens and what they are worth, userinfo, discovery and the public
//! keys.

mod cors;
mod discovery;
mod introspect;
mod jwks;
mod request;
mod revoke;
mod token;
mod userinfo;

use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use identety_domain::Settings;
use identety_domain::authentication::{ClientAuthenticator, Credentials};
use identety_domain::client::Client;
use identety_domain::discovery::path;
use identety_domain::grant::Grants;
use identety_domain::token::TokenServices;
use identety_http::edge::Context;
use identety_http::{ambient, response};
use identety_keys::{KeyVault, KeysError, OpenedKeys};

/// What the back channel works with.
pub struct BackChannel {
    settings: Settings,
    authenticator: ClientAuthenticator,
    grants: Grants,
    vault: KeyVault,
    jwks: RwLock<Option<jwks::Published>>,
}

impl BackChannel {
    /// The back channel of a deployment.
    #[must_use]
    pub fn new(
        settings: Settings,
        authenticator: ClientAuthenticator,
        grants: Grants,
        vault: KeyVault,
    ) -> Self {
        Self { settings, authenticator, grants, vault, jwks: RwLock::default() }
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

    async fn keys(&self, context: &Context) -> Result<Arc<OpenedKeys>, Unready> {
        if let Some(keys) = self.vault.at_hand(context.now) {
            return Ok(keys);
        }
        let mut rng = ambient::rng().map_err(|error| Unready(error.to_string()))?;
        let opened = self.vault.opened(context.now, &mut rng).await;
        opened.map_err(|error| Unready(error.to_string()))
    }

    /// The document of `keys`: the one that was made before, as long as the keys are the same.
    fn published(
        &self,
        keys: &Arc<OpenedKeys>,
    ) -> Result<Arc<response::PublicDocument>, serde_json::Error> {
        let known = self.jwks.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| Arc::ptr_eq(&known.keys, keys)) {
            return Ok(known.document);
        }
        let document = Arc::new(response::PublicDocument::new(keys.jwks())?);
        let published = jwks::Published { keys: keys.clone(), document: document.clone() };
        *self.jwks.write().unwrap_or_else(PoisonError::into_inner) = Some(published);
        Ok(document)
    }

    async fn services(&self, context: &Context) -> Result<TokenServices, Unready> {
        let keys = self.keys(context).await?;
        Ok(TokenServices {
            settings: self.settings.clone(),
            authenticator: self.authenticator.clone(),
            refresh_key: keys.refresh_key().clone(),
            verifier: keys.clone(),
            signer: keys,
            grants: self.grants.clone(),
        })
    }

    /// The client that `credentials` prove, and what to serve it with; or the answer to anybody else.
    async fn client(
        &self,
        credentials: &Credentials,
        context: &Context,
    ) -> Result<(TokenServices, Client), Box<Response>> {
        let services = self.services(context).await;
        let services = services.map_err(|unready| Box::new(token::unready(&unready, context)))?;
        let mut rng = ambient::rng()
            .map_err(|error| Box::new(response::server_error(&context.id, &error.to_string())))?;
        let Context { id, now, peer } = context;
        let found = services.authenticator.authenticate(credentials, peer, *now, &mut rng).await;
        match found {
            Ok(client) => Ok((services, client)),
            Err(error) => {
                Err(Box::new(response::oauth_error(error.public(), &error.to_string(), id)))
            }
        }
    }
}

/// Without its keys the server can do nothing: 503, and never an unsigned token.
struct Unready(String);

/// The routes of the back channel.
///
/// # Errors
/// When the discovery document cannot be written.
pub fn router(state: Arc<BackChannel>) -> Result<Router, serde_json::Error> {
    let metadata = discovery::document(&state.settings)?;
    Ok(Router::new()
        .route(path::OPENID_CONFIGURATION, get(discovery::get(metadata.clone())))
        .route(path::AUTHORIZATION_SERVER, get(discovery::get(metadata)))
        .route(path::JWKS, get(jwks::get))
        .route(path::TOKEN, post(token::post).options(cors::preflight_post))
        .route(path::REVOKE, post(revoke::post).options(cors::preflight_post))
        .route(path::INTROSPECT, post(introspect::post))
        .route(
            path::USERINFO,
            get(userinfo::get_or_post)
                .post(userinfo::get_or_post)
                .options(cors::preflight_get_and_post),
        )
        .with_state(state))
}
