//! The one place where stores and rules are joined: for the functions, for the program, and for tests.

use std::sync::Arc;

use crate::admin::AdminAuthenticator;
use crate::authentication::{ClientAuthenticator, RecentClients};
use crate::authorization::FrontChannel;
use crate::grants::Grants;
use crate::hashers::{SecretHasher, SecretMaker};
use crate::limits::SignInLimits;
use crate::sessions::Sessions;
use crate::stores::{Stores, Verifier};
use crate::user_authentication::{BrowserLinks, PasswordAuthenticator};
use crate::values::{RequestContext, Seconds, Settings};

/// What a deployment may choose.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choices {
    /// Whether people may make accounts for themselves.
    pub registration_is_open: bool,
    /// How long the back channel may keep a client that it has read: [`RecentClients::SECONDS`].
    pub client_cache: Seconds,
}

/// The stores of a deployment, joined with its rules. A process has one.
#[derive(Clone)]
pub struct Services {
    /// Who this deployment is.
    pub settings: Settings,
    /// What it chose.
    pub choices: Choices,
    /// Its stores.
    pub stores: Stores,
    /// Hashes and compares secrets.
    pub hasher: Arc<SecretHasher>,
    recent: Arc<RecentClients>,
}

impl Services {
    /// Joins them.
    #[must_use]
    pub fn new(
        settings: Settings,
        stores: Stores,
        hasher: Arc<SecretHasher>,
        choices: Choices,
    ) -> Self {
        let recent = Arc::new(RecentClients::kept_for(choices.client_cache));
        Self { settings, choices, stores, hasher, recent }
    }

    /// Authenticates clients.
    #[must_use]
    pub fn client_authenticator(&self) -> ClientAuthenticator {
        ClientAuthenticator {
            clients: self.stores.clients.clone(),
            failures: self.stores.failures.clone(),
            hasher: self.hasher.clone(),
            recent: self.recent.clone(),
        }
    }

    /// Decides who is an administrator; `verifier` judges the bearer tokens.
    #[must_use]
    pub fn admin_authenticator(&self, verifier: Arc<dyn Verifier>) -> AdminAuthenticator {
        AdminAuthenticator {
            settings: self.settings.clone(),
            clients: self.stores.clients.clone(),
            api_keys: self.stores.api_keys.clone(),
            failures: self.stores.failures.clone(),
            hasher: self.hasher.clone(),
            verifier,
        }
    }

    /// The rules of the front channel; `verifier` judges the ID tokens that come back as hints.
    #[must_use]
    pub fn front_channel(&self, verifier: Arc<dyn Verifier>) -> FrontChannel {
        FrontChannel {
            settings: self.settings.clone(),
            registration_is_open: self.choices.registration_is_open,
            clients: self.stores.clients.clone(),
            sessions: self.sessions(),
            grants: self.stores.grants.clone(),
            transactions: self.stores.transactions.clone(),
            consents: self.stores.consents.clone(),
            authenticator: PasswordAuthenticator {
                users: self.stores.users.clone(),
                limits: self.sign_in_limits(),
                hasher: self.hasher.clone(),
            },
            limits: self.sign_in_limits(),
            browser_links: self.browser_links(),
            hasher: self.hasher.clone(),
            verifier,
        }
    }

    /// The sessions of browsers.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions { sessions: self.stores.sessions.clone(), users: self.stores.users.clone() }
    }

    /// Limits on guessing passwords.
    #[must_use]
    pub fn sign_in_limits(&self) -> SignInLimits {
        SignInLimits { attempts: self.stores.attempts.clone() }
    }

    /// One-time links that make browsers known.
    #[must_use]
    pub fn browser_links(&self) -> BrowserLinks {
        BrowserLinks { users: self.stores.users.clone(), links: self.stores.links.clone() }
    }

    /// What users have allowed, and whether it still stands.
    #[must_use]
    pub fn grants(&self) -> Grants {
        Grants {
            grants: self.stores.grants.clone(),
            sessions: self.stores.sessions.clone(),
            users: self.stores.users.clone(),
            consents: self.stores.consents.clone(),
        }
    }

    /// What new secrets are made with in a request.
    pub fn secret_maker<'a>(&'a self, context: &'a mut RequestContext) -> SecretMaker<'a> {
        SecretMaker { hasher: &self.hasher, now: context.now, rng: &mut *context.rng }
    }
}
