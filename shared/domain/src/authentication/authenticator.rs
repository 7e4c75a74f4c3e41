//! The one step by which every endpoint for clients knows who asks.

use std::sync::Arc;

use super::client_secret::ClientSecret;
use super::credentials::{AuthenticatedClient, Credentials};
use super::error::AuthenticationError;
use super::none;
use super::recent_clients::RecentClients;
use crate::hashers::SecretHasher;
use crate::models::client::Client;
use crate::stores::{ClientStore, FailureStore};
use crate::values::{ClientId, RequestContext};

/// Authenticates clients, limits guessing, and keeps hashes at today's cost.
#[derive(Clone)]
pub struct ClientAuthenticator {
    /// The registered clients.
    pub clients: Arc<dyn ClientStore>,
    /// The counters of failures.
    pub failures: Arc<dyn FailureStore>,
    /// Compares secrets and remembers matches.
    pub hasher: Arc<SecretHasher>,
    /// Where a deployment would rather save the read of a client.
    pub recent: Arc<RecentClients>,
}

impl ClientAuthenticator {
    /// The client that `credentials` prove. The log is told its identifier.
    ///
    /// # Errors
    /// When they prove none; or when the store fails.
    pub async fn authenticate(
        &self,
        context: &mut RequestContext,
        credentials: &Credentials,
    ) -> Result<AuthenticatedClient, AuthenticationError> {
        let client = self.proven(context, credentials).await?;
        context.outcome.client = Some(client.client_id.to_string());
        let method = client.auth_method();
        Ok(AuthenticatedClient { client, method })
    }

    async fn proven(
        &self,
        context: &mut RequestContext,
        credentials: &Credentials,
    ) -> Result<Client, AuthenticationError> {
        let Some(id) = ClientId::parse(credentials.client_id()) else {
            return self.judge(context, credentials, None).await;
        };
        let is_proven = |client: &Client| self.is_remembered(context, credentials, client);
        if let Some(client) = self.recent.find(&id, context.now, is_proven) {
            return Ok(client);
        }
        let client = self.clients.find(&id).await?;
        let judged = self.judge(context, credentials, client).await;
        match &judged {
            Ok(client) => self.recent.keep(client, context.now),
            Err(AuthenticationError::UnknownClient | AuthenticationError::Inactive) => {
                self.recent.forget(&id);
            }
            // A wrong guess says nothing of the client.
            Err(_) => {}
        }
        judged
    }

    /// Whether these credentials are known, without any work, to prove `client`.
    ///
    /// Everything else goes the way of a client that was never seen, and takes its time: a new secret works at once,
    /// and a wrong one does not tell that the client is kept.
    fn is_remembered(
        &self,
        context: &RequestContext,
        credentials: &Credentials,
        client: &Client,
    ) -> bool {
        match credentials {
            Credentials::None { client_id: _ } => none::suffices_for(client),
            Credentials::Secret { client_id: _, secret } => {
                self.client_secret().remembers(client, secret, context)
            }
        }
    }

    /// The client, if the credentials prove it, each by its own method.
    async fn judge(
        &self,
        context: &mut RequestContext,
        credentials: &Credentials,
        client: Option<Client>,
    ) -> Result<Client, AuthenticationError> {
        match credentials {
            Credentials::None { client_id: _ } => none::judge(client),
            Credentials::Secret { client_id, secret } => {
                self.client_secret().judge(context, client, client_id, secret).await
            }
        }
    }

    fn client_secret(&self) -> ClientSecret<'_> {
        ClientSecret { hasher: &self.hasher, clients: &*self.clients, failures: &*self.failures }
    }
}
