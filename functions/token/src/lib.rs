//! The back channel: what machines ask. Tokens, discovery and the public keys.

mod discovery;
mod jwks;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use identety_domain::Settings;
use identety_domain::authentication::ClientAuthenticator;
use identety_domain::discovery::path;
use identety_domain::keys::Signer;
use identety_domain::token::TokenServices;
use identety_http::edge::Context;
use identety_http::{ambient, response};
use identety_keys::{KeyVault, OpenedKeys};
use tokio::sync::OnceCell;

/// What the back channel works with.
pub struct BackChannel {
    settings: Settings,
    authenticator: ClientAuthenticator,
    vault: KeyVault,
    jwks: OnceCell<response::PublicDocument>,
}

impl BackChannel {
    /// The back channel of a deployment.
    #[must_use]
    pub fn new(settings: Settings, authenticator: ClientAuthenticator, vault: KeyVault) -> Self {
        Self { settings, authenticator, vault, jwks: OnceCell::new() }
    }

    /// Opens the keys before the first request comes, so that it does not wait for that, nor for the
    /// connection to the store. A failure is left to the first request, which tries again.
    pub async fn warm_up(&self) {
        let opened = match ambient::rng() {
            Ok(mut rng) => self.vault.opened(ambient::now(), &mut rng).await.map(|_| ()),
            Err(error) => return tracing::error!(%error, "the keys could not be opened"),
        };
        if let Err(error) = opened {
            tracing::error!(%error, "the keys could not be opened");
        }
    }

    async fn keys(&self, context: &Context) -> Result<&Arc<OpenedKeys>, Unready> {
        let mut rng = ambient::rng().map_err(|error| Unready(error.to_string()))?;
        let opened = self.vault.opened(context.now, &mut rng).await;
        opened.map_err(|error| Unready(error.to_string()))
    }

    async fn services(&self, context: &Context) -> Result<TokenServices, Unready> {
        let signer: Arc<dyn Signer> = self.keys(context).await?.clone();
        let (settings, authenticator) = (self.settings.clone(), self.authenticator.clone());
        Ok(TokenServices { settings, authenticator, signer })
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
        .route(path::TOKEN, post(token::post).options(token::preflight))
        .with_state(state))
}
