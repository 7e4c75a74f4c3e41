//! The three routers in one: what a deployment joins in its functions, joined in one process.

use std::sync::Arc;

use authorize::FrontDoor;
use axum::Router;
use client_admin::Management;
use identety_domain::Services;
use identety_http::edge::{self, Clock};
use identety_keys::{KeyVault, PublishedKeys, Sealing};
use token::BackChannel;

/// A whole server, but for its front door.
pub struct App {
    routes: Router,
    clock: Clock,
    /// The back channel, whose keys may be opened before the first request.
    pub back_channel: Arc<BackChannel>,
}

impl App {
    /// Joins the routers on these services.
    ///
    /// # Errors
    /// When the discovery document cannot be written.
    pub fn new(
        services: &Services,
        sealing: Sealing,
        clock: Clock,
    ) -> Result<Self, serde_json::Error> {
        let vault = KeyVault::new(services.stores.keys.clone(), sealing);
        let back_channel = Arc::new(BackChannel::new(services.clone(), vault));
        let published = Arc::new(PublishedKeys::new(services.stores.keys.clone()));
        let front_door = FrontDoor::new(services, published.clone());
        let management = Management::new(services.clone(), published);
        let routes = token::router(back_channel.clone())?
            .merge(authorize::router(Arc::new(front_door)))
            .merge(client_admin::router(Arc::new(management)));
        Ok(Self { routes, clock, back_channel })
    }

    /// Adds what only this program serves.
    #[must_use]
    pub fn with(self, more: Router) -> Self {
        Self { routes: self.routes.merge(more), ..self }
    }

    /// What answers every request.
    pub fn into_router(self) -> Router {
        edge::finish(self.routes, self.clock)
    }
}
