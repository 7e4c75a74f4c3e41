//! Administrators: who they are and what they may hand out.

use std::sync::Arc;

use rand_core::CryptoRng;

use crate::hashers::{HashError, SecretHasher, Verification};
use crate::limits::{self, Counted};
use crate::models::client::Client;
use crate::models::token::{AccessTokenError, Subject};
use crate::stores::{ApiKeyStore, ClientStore, FailureStore, StoreError, Verifier};
use crate::token::{ReadError, TokenReader};
use crate::values::{
    API_KEY_SUBJECT, FieldError, HashCost, RequestContext, Scope, Seconds, Secret, Settings,
    Timestamp, id,
};

/// What an administrator showed.
#[derive(Clone, Debug)]
pub enum AdminCredentials {
    /// An access token of this server.
    Bearer(Secret),
    /// The deployment's API key.
    ApiKey(Secret),
}

/// Somebody who may administrate.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// The administrator's scopes.
    authority: Scope,
    /// For the log: a clientId, or `api-key`.
    pub name: String,
}

/// Why somebody is no administrator, or none who may do that.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The token does not count.
    #[error("bearer token refused: {0}")]
    Token(#[from] AccessTokenError),
    /// The client that the token was given to is disabled or gone.
    #[error("the administrator's client is not active")]
    InactiveClient,
    /// Not the API key.
    #[error("wrong API key")]
    WrongApiKey,
    /// Too many wrong API keys from one address.
    #[error("too many failures")]
    TooManyFailures {
        /// Seconds until another attempt makes sense.
        retry_after: Seconds,
    },
    /// RFC 6750 §3.1.
    #[error("insufficient scope: {0} is needed")]
    InsufficientScope(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored hash is damaged.
    #[error(transparent)]
    Hash(#[from] HashError),
}

impl From<ReadError> for AdminError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Token(error) => error.into(),
            ReadError::Store(error) => error.into(),
        }
    }
}

/// Decides who is an administrator.
#[derive(Clone)]
pub struct AdminAuthenticator {
    /// Who this deployment is.
    pub settings: Settings,
    /// The registered clients, among them those of administrators.
    pub clients: Arc<dyn ClientStore>,
    /// The API key.
    pub api_keys: Arc<dyn ApiKeyStore>,
    /// The counters of failures.
    pub failures: Arc<dyn FailureStore>,
    /// Compares API keys.
    pub hasher: Arc<SecretHasher>,
    /// Judges tokens.
    pub verifier: Arc<dyn Verifier>,
}

impl AdminAuthenticator {
    /// The administrator behind `credentials`, who has the scope `needed`. The log is told the name.
    ///
    /// # Errors
    /// When there is none, or not with that scope; or when the store fails.
    pub async fn authenticate(
        &self,
        context: &mut RequestContext,
        credentials: &AdminCredentials,
        needed: &'static str,
    ) -> Result<Administrator, AdminError> {
        let administrator = match credentials {
            AdminCredentials::Bearer(token) => self.by_token(token, context.now).await?,
            AdminCredentials::ApiKey(key) => self.by_api_key(key, context).await?,
        };
        if !administrator.authority.contains(needed) {
            return Err(AdminError::InsufficientScope(needed));
        }
        context.outcome.client = Some(administrator.name.clone());
        Ok(administrator)
    }

    async fn by_token(&self, token: &Secret, now: Timestamp) -> Result<Administrator, AdminError> {
        let issuer = &self.settings.issuer;
        let reader = TokenReader { issuer, verifier: &*self.verifier };
        let audience = issuer.admin_audience();
        let token = reader.bearer_token_for(&audience, token.expose(), now).await?;
        match &token.subject {
            Subject::Client(client_id) if *client_id == token.client_id => {}
            // A user can allow a client much, but not to administrate; nor can the subject of another token.
            Subject::Client(_) | Subject::User { .. } | Subject::Exchanged { .. } => {
                return Err(AccessTokenError::NotOurs.into());
            }
        }
        // A disabled administrator is refused at once, not when its token ends.
        let client = self.clients.find(&token.client_id).await?;
        let client = client.filter(|client| client.metadata.is_active && token.is_of(client));
        let client = client.ok_or(AdminError::InactiveClient)?;
        let authority = token.scope_for(&client);
        Ok(Administrator { authority, name: client.client_id.to_string() })
    }

    async fn by_api_key(
        &self,
        key: &Secret,
        context: &RequestContext,
    ) -> Result<Administrator, AdminError> {
        let matches = if let Some(phc) = self.api_keys.api_key().await? {
            self.hasher.verify(key, &phc, HashCost::Generated)? != Verification::Mismatch
        } else {
            self.hasher.burn(key, HashCost::Generated)?;
            false
        };
        if matches {
            let name = API_KEY_SUBJECT.to_owned();
            return Ok(Administrator { authority: Scope::reserved(), name });
        }
        let (peer, now) = (&context.peer, context.now);
        match limits::count_failure(&*self.failures, API_KEY_SUBJECT, peer, now).await? {
            Counted::WithinLimit => Err(AdminError::WrongApiKey),
            Counted::TooMany { retry_after } => Err(AdminError::TooManyFailures { retry_after }),
        }
    }
}

impl Administrator {
    /// Checks that every reserved scope among `scopes` is one that the administrator has: nobody hands
    /// out what is not theirs.
    ///
    /// # Errors
    /// One for each scope that the administrator does not have.
    pub fn may_grant(&self, scopes: &Scope) -> Result<(), Vec<FieldError>> {
        let errors: Vec<_> = self
            .beyond(scopes)
            .map(|(index, scope)| {
                let message = format!("only an administrator who has {scope} can grant it");
                FieldError::new(format!("scopes[{index}]"), message)
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Whether the administrator may change `client`: one with reserved scopes only if they are the
    /// administrator's too, or its next secret would hand them over.
    #[must_use]
    pub fn may_manage(&self, client: &Client) -> bool {
        self.beyond(client.scope()).next().is_none()
    }

    fn beyond<'a>(&self, scopes: &'a Scope) -> impl Iterator<Item = (usize, &'a str)> {
        scopes
            .iter()
            .enumerate()
            .filter(|(_, token)| token.is_reserved() && !self.authority.contains(token.as_str()))
            .map(|(index, token)| (index, token.as_str()))
    }
}

/// A new API key: `admin_key_` and 256 random bits.
pub fn generate_api_key(rng: &mut dyn CryptoRng) -> Secret {
    Secret::new(format!("admin_key_{}", id::random_text::<32>(rng)))
}
