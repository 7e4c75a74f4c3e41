//! What a browser does, step by step, until the client has its answer.

use std::sync::Arc;

use super::parameters::Parameters;
use super::request::{self, NoClient};
use super::response::{AuthorizationError, AuthorizationResponse, Return};
use crate::grants::Grants;
use crate::hashers::{HashError, SecretHasher};
use crate::limits::SignInLimits;
use crate::models::browser::{BrowserSecret, SessionSecret};
use crate::models::client::Client;
use crate::models::grant::Grant;
use crate::models::keys::Verifier;
use crate::models::session::SignedIn;
use crate::models::transaction::{AuthorizationRequest, Transaction};
use crate::stores::{ClientStore, ConsentStore, GrantCreation, StoreError, TransactionStore};
use crate::token::{IdTokenHint, TokenReader};
use crate::values::{
    ErrorCode, GrantId, GrantType, RequestContext, Settings, Timestamp, TransactionId,
};

/// What the front channel works with.
#[derive(Clone)]
pub struct FrontChannel {
    /// Who this deployment is.
    pub settings: Settings,
    /// Whether people may register themselves.
    pub registration_is_open: bool,
    /// The registered clients.
    pub clients: Arc<dyn ClientStore>,
    /// Grants, sessions and users.
    pub grants: Grants,
    /// The requests that wait for their user.
    pub transactions: Arc<dyn TransactionStore>,
    /// What users have allowed before.
    pub consents: Arc<dyn ConsentStore>,
    /// Bounds guessing.
    pub limits: SignInLimits,
    /// Compares passwords.
    pub hasher: Arc<SecretHasher>,
    /// Judges ID tokens that come back as hints.
    pub verifier: Arc<dyn Verifier>,
}

/// A browser.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Its own secret; made for it when it comes without.
    pub browser: BrowserSecret,
    /// The secret of its session, if it has one.
    pub session: Option<SessionSecret>,
}

/// Where the browser goes next.
#[derive(Clone, Debug)]
pub enum Step {
    /// To the sign-in page, which goes on by itself where the user has signed in.
    SignIn(TransactionId),
    /// To the consent page.
    Consent(TransactionId),
    /// Back to the client.
    Answer(AuthorizationResponse),
}

/// What the user decides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// The client gets what it asks for.
    Allow,
    /// The client gets nothing.
    Deny,
}

/// Why a step leads nowhere: the user gets a page.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// There is no such transaction, its time is over, or it belongs to another browser.
    #[error("the transaction is unknown, over, or another browser's")]
    NoTransaction,
    /// The transaction has had its answer.
    #[error("the transaction has been answered")]
    Done,
    /// The client may not ask for that any more.
    #[error("the client may no longer have what it has asked for")]
    NotAllowedAnyMore,
    /// The client cannot be answered any more.
    #[error(transparent)]
    NoClient(#[from] NoClient),
    /// A stored hash is damaged.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What stands between a request and its answer.
enum Need {
    /// The user must show who they are.
    SignIn,
    /// The user must be asked.
    Consent(Box<SignedIn>),
    /// Nothing.
    Nothing(Box<SignedIn>),
    /// It cannot be had: somebody else has signed in than was expected.
    OtherUser,
}

impl Visitor {
    /// The same browser, once it has the cookie of `session`.
    pub(super) fn with_session(&self, session: &SessionSecret) -> Self {
        Self { browser: self.browser.clone(), session: Some(session.clone()) }
    }
}

impl FrontChannel {
    /// What a genuine `id_token_hint` says.
    pub(super) fn hint(&self, hint: &str, now: Timestamp) -> Option<IdTokenHint> {
        let reader = TokenReader { issuer: &self.settings.issuer, verifier: &*self.verifier };
        reader.id_token_hint(hint, now)
    }

    /// An authorization request. A store that fails once it is known where to answer is an answer too.
    ///
    /// # Errors
    /// When there is no client to answer.
    pub async fn begin(
        &self,
        context: &mut RequestContext,
        parameters: &Parameters,
        visitor: &Visitor,
    ) -> Result<Step, FlowError> {
        let now = context.now;
        let target = request::target(&*self.clients, parameters).await?;
        let issuer = &self.settings.issuer;
        let hint = |hint: &str| self.hint(hint, now);
        let request = match request::parse(&self.settings, &target, parameters, hint) {
            Ok(request) => request,
            Err(error) => {
                let to = target.answer_to(parameters);
                return Ok(Step::Answer(AuthorizationResponse::error(to, issuer, error)));
            }
        };
        let transaction = Transaction {
            id: TransactionId::generate(&mut *context.rng),
            browser: visitor.browser.key(),
            request,
            created_at: now,
            is_denied: false,
        };
        match self.first_step(&transaction, &target.client, visitor, now).await {
            Err(FlowError::Store(error)) => {
                let error = AuthorizationError::of_store(&error);
                Ok(self.refuse(&transaction.request, error))
            }
            step => step,
        }
    }

    async fn first_step(
        &self,
        transaction: &Transaction,
        client: &Client,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<Step, FlowError> {
        let step = self.next_step(transaction, client, visitor, now).await?;
        let refuse = |code, description| {
            self.refuse(&transaction.request, AuthorizationError::new(code, description))
        };
        let is_silent = transaction.request.is_silent;
        match step {
            Step::SignIn(_) if is_silent => {
                Ok(refuse(ErrorCode::LoginRequired, "the user has to sign in"))
            }
            Step::Consent(_) if is_silent => {
                Ok(refuse(ErrorCode::ConsentRequired, "the user has to consent"))
            }
            // Only what waits is kept.
            Step::SignIn(_) | Step::Consent(_) => {
                self.transactions.create_transaction(transaction).await?;
                Ok(step)
            }
            Step::Answer(_) => Ok(step),
        }
    }

    /// Goes on with a transaction: after the sign-in, or when the browser comes back to it.
    ///
    /// # Errors
    /// When it cannot go on.
    pub async fn resume(
        &self,
        id: &TransactionId,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<Step, FlowError> {
        let (transaction, client) = self.open(id, visitor, now).await?;
        self.next_step(&transaction, &client, visitor, now).await
    }

    /// A transaction of this browser that waits for its answer, and its client.
    ///
    /// # Errors
    /// When there is none, or it has had its answer; or when its client is gone or has changed so that
    /// the request would be refused now.
    pub async fn open(
        &self,
        id: &TransactionId,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<(Transaction, Client), FlowError> {
        let found = self.transactions.find_transaction(id).await?;
        let own = |transaction: &Transaction| {
            transaction.is_live(now) && transaction.browser == visitor.browser.key()
        };
        let transaction = found.filter(own).ok_or(FlowError::NoTransaction)?;
        let request = &transaction.request;
        let client = self.clients.find(&request.client_id).await?;
        let same = |client: &Client| client.id == request.client && client.metadata.is_active;
        let client = client.filter(same).ok_or(NoClient::UnknownClient)?;
        let registered = &client.metadata.redirect_uris;
        if !registered.iter().any(|own| own.matches(&request.redirect_uri)) {
            return Err(NoClient::UnregisteredRedirectUri.into());
        }
        let is_within = request.scope.first_outside(client.scope()).is_none();
        if !is_within || !client.may_use(GrantType::AuthorizationCode) {
            return Err(FlowError::NotAllowedAnyMore);
        }
        Ok((transaction, client))
    }

    /// The user's decision.
    ///
    /// # Errors
    /// When the transaction cannot go on, or has had another answer before.
    pub async fn decide(
        &self,
        id: &TransactionId,
        decision: Decision,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<Step, FlowError> {
        let (transaction, client) = self.open(id, visitor, now).await?;
        let signed_in = match self.need(&transaction, &client, visitor, now).await? {
            Need::SignIn => return Ok(Step::SignIn(transaction.id)),
            Need::OtherUser => return Ok(self.other_user(&transaction.request)),
            Need::Consent(signed_in) | Need::Nothing(signed_in) => signed_in,
        };
        match decision {
            Decision::Deny => {
                self.check_unanswered(&transaction, visitor).await?;
                self.transactions.deny_transaction(&transaction.id).await?;
                let code = ErrorCode::AccessDenied;
                let denied = AuthorizationError::new(code, "the user has denied the request");
                Ok(self.refuse(&transaction.request, denied))
            }
            Decision::Allow if transaction.is_denied => Err(FlowError::Done),
            Decision::Allow => {
                let (user, asked) = (signed_in.user.id, transaction.request.asked());
                self.consents.consent(user, client.id, &asked, now).await?;
                self.grant(&transaction, &signed_in, visitor, now).await
            }
        }
    }

    /// Where a transaction stands.
    async fn next_step(
        &self,
        transaction: &Transaction,
        client: &Client,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<Step, FlowError> {
        match self.need(transaction, client, visitor, now).await? {
            Need::SignIn => Ok(Step::SignIn(transaction.id.clone())),
            Need::Consent(_) => Ok(Step::Consent(transaction.id.clone())),
            Need::OtherUser => Ok(self.other_user(&transaction.request)),
            Need::Nothing(_) if transaction.is_denied => Err(FlowError::Done),
            Need::Nothing(signed_in) => self.grant(transaction, &signed_in, visitor, now).await,
        }
    }

    /// The page where `visitor` goes on, who gets the cookie of the session with the answer.
    pub(super) async fn page_after_sign_in(
        &self,
        transaction: &Transaction,
        client: &Client,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<Step, FlowError> {
        match self.need(transaction, client, visitor, now).await? {
            Need::Consent(_) => Ok(Step::Consent(transaction.id.clone())),
            Need::SignIn | Need::Nothing(_) | Need::OtherUser => {
                Ok(Step::SignIn(transaction.id.clone()))
            }
        }
    }

    async fn need(
        &self,
        transaction: &Transaction,
        client: &Client,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<Need, FlowError> {
        let request = &transaction.request;
        let Some(signed_in) = self.signed_in(visitor.session.as_ref(), now).await? else {
            return Ok(Need::SignIn);
        };
        let session = &signed_in.session;
        // By name and not by time: the clocks of two instances may differ.
        let for_this = session.transaction.as_ref() == Some(&transaction.id);
        let age = now.seconds().saturating_sub(session.auth_time.seconds());
        let too_old = request.max_age.is_some_and(|max_age| age > max_age || max_age == 0);
        if !for_this && (request.asks_for_login || too_old) {
            return Ok(Need::SignIn);
        }
        if !request.is_for(signed_in.user.id) {
            return Ok(if for_this { Need::OtherUser } else { Need::SignIn });
        }
        let signed_in = Box::new(signed_in);
        if self.needs_consent(request, client, &signed_in).await? {
            return Ok(Need::Consent(signed_in));
        }
        Ok(Need::Nothing(signed_in))
    }

    async fn needs_consent(
        &self,
        request: &AuthorizationRequest,
        client: &Client,
        signed_in: &SignedIn,
    ) -> Result<bool, StoreError> {
        if request.asks_for_consent {
            return Ok(true);
        }
        if client.metadata.skip_consent {
            return Ok(false);
        }
        // RFC 8252 §8.6: any app can take over a private-use scheme, so the user is asked each time.
        let is_web = |scheme| request.redirect_uri.starts_with(scheme);
        if !is_web("https:") && !is_web("http:") {
            return Ok(true);
        }
        let consented = self.consents.consented(signed_in.user.id, client.id).await?;
        Ok(consented.is_none_or(|known| !known.covers(&request.asked())))
    }

    /// The code of a transaction. The same browser gets the same one, as long as it is unused.
    async fn grant(
        &self,
        transaction: &Transaction,
        signed_in: &SignedIn,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<Step, FlowError> {
        let request = &transaction.request;
        let code = visitor.browser.code(&transaction.id);
        let outlives_session = request.scope.contains("offline_access");
        let grant = Grant {
            id: GrantId::of_code(code.expose()),
            client: request.client,
            user: signed_in.user.id,
            scope: request.scope.clone(),
            claims: request.claims.clone(),
            resources: request.resources.clone(),
            redirect_uri: request.redirect_uri_was_sent.then(|| request.redirect_uri.clone()),
            code_challenge: request.code_challenge.clone(),
            nonce: request.nonce.clone(),
            auth_time: signed_in.session.auth_time,
            session: (!outlives_session).then(|| signed_in.session.id.clone()),
            issued_at: now,
            redeemed: None,
            ended_at: None,
        };
        match self.grants.grants.create_grant(&grant).await? {
            GrantCreation::Created => {}
            GrantCreation::Exists(stored)
                if stored.code_is_live(now) && stored.user == grant.user => {}
            GrantCreation::Exists(_) => return Err(FlowError::Done),
        }
        let (to, issuer) = (Return::from(request), &self.settings.issuer);
        Ok(Step::Answer(AuthorizationResponse::code(to, issuer, code)))
    }

    /// That no code was given for a transaction.
    pub(super) async fn check_unanswered(
        &self,
        transaction: &Transaction,
        visitor: &Visitor,
    ) -> Result<(), FlowError> {
        let id = GrantId::of_code(visitor.browser.code(&transaction.id).expose());
        match self.grants.grants.find_grant(&id).await? {
            None => Ok(()),
            Some(_) => Err(FlowError::Done),
        }
    }

    /// OpenID Connect Core 1.0 §3.1.2.1: when it is not the user of the hint who signed in.
    fn other_user(&self, request: &AuthorizationRequest) -> Step {
        let code = ErrorCode::LoginRequired;
        self.refuse(request, AuthorizationError::new(code, "another user has signed in"))
    }

    fn refuse(&self, request: &AuthorizationRequest, error: AuthorizationError) -> Step {
        let (to, issuer) = (Return::from(request), &self.settings.issuer);
        Step::Answer(AuthorizationResponse::error(to, issuer, error))
    }
}
