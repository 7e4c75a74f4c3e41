//! The three routers in one: what a deployment joins in its functions, joined in one process.

use std::sync::Arc;

use authorize::FrontDoor;
use axum::Router;
use client_admin::Management;
use identety_domain::admin::AdminAuthenticator;
use identety_domain::authentication::{ClientAuthenticator, RecentClients};
use identety_domain::authorization::FrontChannel;
use identety_domain::grant::Grants;
use identety_domain::hashing::SecretHasher;
use identety_domain::limits::SignInLimits;
use identety_domain::store::{
    ApiKeyStore, AttemptStore, ClientStore, ConsentStore, FailureStore, GrantStore, KeyStore,
    SessionStore, TransactionStore, UserStore,
};
use identety_domain::{Seconds, Settings};
use identety_dynamodb::sdk::Client as DynamoDb;
use identety_dynamodb::{AccountTable, ClientTable, GrantTable, KeyTable, Tables};
use identety_http::edge::{self, Clock};
use identety_keys::{KeyVault, PublishedKeys, Sealing};
use token::BackChannel;

/// The stores, each as the trait that the rules know.
#[derive(Clone)]
pub struct Stores {
    /// The clients.
    pub clients: Arc<dyn ClientStore>,
    /// The administrators' API key.
    pub api_keys: Arc<dyn ApiKeyStore>,
    /// The users.
    pub users: Arc<dyn UserStore>,
    /// What they have consented to.
    pub consents: Arc<dyn ConsentStore>,
    /// The signing keys.
    pub keys: Arc<dyn KeyStore>,
    /// The counters of failures.
    pub failures: Arc<dyn FailureStore>,
    /// The counters of attempts.
    pub attempts: Arc<dyn AttemptStore>,
    /// The grants of users.
    pub grants: Arc<dyn GrantStore>,
    /// The sessions of browsers.
    pub sessions: Arc<dyn SessionStore>,
    /// The authorization requests that wait for their user.
    pub transactions: Arc<dyn TransactionStore>,
}

impl Stores {
    /// The stores on DynamoDB.
    #[must_use]
    pub fn on(dynamodb: &DynamoDb, tables: &Tables) -> Self {
        let clients = Arc::new(ClientTable::new(dynamodb.clone(), &tables.clients));
        let grants = Arc::new(GrantTable::new(dynamodb.clone(), &tables.grants));
        let accounts = Arc::new(AccountTable::new(dynamodb.clone(), &tables.accounts));
        Self {
            clients: clients.clone(),
            api_keys: clients,
            users: accounts.clone(),
            consents: accounts,
            keys: Arc::new(KeyTable::new(dynamodb.clone(), &tables.keys)),
            failures: grants.clone(),
            attempts: grants.clone(),
            grants: grants.clone(),
            sessions: grants.clone(),
            transactions: grants,
        }
    }
}

impl Stores {
    /// Those that grants of users depend on.
    fn grants(&self) -> Grants {
        Grants {
            grants: self.grants.clone(),
            sessions: self.sessions.clone(),
            users: self.users.clone(),
        }
    }
}

/// What a deployment may choose.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choices {
    /// Whether people may make accounts for themselves.
    pub registration_is_open: bool,
    /// How long the back channel may keep a client that it has read: [`RecentClients::SECONDS`].
    pub client_cache: Seconds,
}

/// A whole server, but for its front door.
pub struct App {
    routes: Router,
    clock: Clock,
    /// The back channel, whose keys may be opened before the first request.
    pub back_channel: Arc<BackChannel>,
}

impl App {
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

/// Joins stores and rules.
///
/// # Errors
/// When the discovery document cannot be written.
pub fn assemble(
    settings: &Settings,
    stores: &Stores,
    sealing: Sealing,
    hasher: &Arc<SecretHasher>,
    choices: Choices,
    clock: Clock,
) -> Result<App, serde_json::Error> {
    let back_channel = Arc::new(BackChannel::new(
        settings.clone(),
        ClientAuthenticator {
            clients: stores.clients.clone(),
            failures: stores.failures.clone(),
            hasher: hasher.clone(),
            recent: Arc::new(RecentClients::kept_for(choices.client_cache)),
        },
        stores.grants(),
        KeyVault::new(stores.keys.clone(), sealing),
    ));
    let published = Arc::new(PublishedKeys::new(stores.keys.clone()));
    let channel = FrontChannel {
        settings: settings.clone(),
        registration_is_open: choices.registration_is_open,
        clients: stores.clients.clone(),
        grants: stores.grants(),
        transactions: stores.transactions.clone(),
        consents: stores.consents.clone(),
        limits: SignInLimits { attempts: stores.attempts.clone() },
        hasher: hasher.clone(),
        verifier: published.clone(),
    };
    let front_door = FrontDoor { channel, keys: published.clone() };
    let management = Management {
        settings: settings.clone(),
        authenticator: AdminAuthenticator {
            settings: settings.clone(),
            clients: stores.clients.clone(),
            api_keys: stores.api_keys.clone(),
            failures: stores.failures.clone(),
            hasher: hasher.clone(),
            verifier: published.clone(),
        },
        clients: stores.clients.clone(),
        users: stores.users.clone(),
        consents: stores.consents.clone(),
        hasher: hasher.clone(),
        keys: published,
    };
    let routes = token::router(back_channel.clone())?
        .merge(authorize::router(Arc::new(front_door)))
        .merge(client_admin::router(Arc::new(management)));
    Ok(App { routes, clock, back_channel })
}
