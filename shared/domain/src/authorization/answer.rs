//! The answer to an authorization request, and how it is recorded.

use super::channel::{FlowError, FrontChannel};
use super::interaction::Interaction;
use super::response::{AuthorizationError, AuthorizationResponse, Return};
use crate::models::browser::SessionSecret;
use crate::models::grant::Grant;
use crate::models::session::SignedIn;
use crate::models::transaction::{Answer, AuthorizationRequest, Transaction};
use crate::stores::{Answering, GrantCreation, NewAnswer, StoreError};
use crate::values::{ErrorCode, Generation, GrantId, Secret, Timestamp};

/// How often the answer to a request is recorded anew when other answers to it come at the same moment.
const ROUNDS: usize = 4;

/// Who allows a request, and under which generation of the consent.
#[derive(Clone, Debug)]
pub(super) struct Allowing {
    /// The session and its user.
    pub(super) signed_in: Box<SignedIn>,
    /// The generation.
    pub(super) consent: Generation,
}

impl FrontChannel {
    /// The code of a request that waits. The same session gets the same one, as long as it is unused; another session
    /// gets another one, which replaces an unused one.
    pub(super) async fn grant(
        &self,
        interaction: &Interaction,
        session: &SessionSecret,
        allowing: &Allowing,
        now: Timestamp,
    ) -> Result<Box<AuthorizationResponse>, FlowError> {
        let request = &interaction.transaction.request;
        let code = interaction.pending.code(session);
        let grant = new_grant(request, allowing, &code, now);
        self.record(interaction, NewAnswer::Grant(&grant), now).await?;
        Ok(Box::new(self.code(request, code)))
    }

    /// The code of a request that needs no page.
    pub(super) async fn grant_at_once(
        &self,
        request: &AuthorizationRequest,
        allowing: &Allowing,
        code: Secret,
        now: Timestamp,
    ) -> Result<AuthorizationResponse, FlowError> {
        let grant = new_grant(request, allowing, &code, now);
        match self.grants.create_grant(&grant).await? {
            GrantCreation::Created => Ok(self.code(request, code)),
            // The code is random, so an earlier attempt of this very write has made it, and its answer was lost.
            GrantCreation::Exists(stored) if *stored == grant => Ok(self.code(request, code)),
            GrantCreation::Exists(_) => Err(FlowError::Done),
        }
    }

    /// Records the answer to a request. Where that is its answer already, nothing is written.
    pub(super) async fn record(
        &self,
        interaction: &Interaction,
        answer: NewAnswer<'_>,
        now: Timestamp,
    ) -> Result<(), FlowError> {
        let mut transaction = interaction.transaction.clone();
        for _ in 0..ROUNDS {
            if self.is_answered_so(&transaction, answer, now).await? {
                return Ok(());
            }
            match self.transactions.answer_transaction(&transaction, answer, now).await? {
                Answering::Recorded => return Ok(()),
                Answering::Final => return Err(FlowError::Done),
                Answering::Overtaken => {
                    let found = self.transactions.find_transaction(&transaction.id).await?;
                    transaction = found.ok_or(FlowError::Over(None))?;
                }
            }
        }
        Err(StoreError::Unavailable("a request is answered again and again".into()).into())
    }

    /// Whether `answer` is the answer of `transaction` already. An error where it can be none any more.
    async fn is_answered_so(
        &self,
        transaction: &Transaction,
        answer: NewAnswer<'_>,
        now: Timestamp,
    ) -> Result<bool, FlowError> {
        match (&transaction.answer, answer) {
            (Some(Answer::Denied), NewAnswer::Denied) => Ok(true),
            (Some(Answer::Denied), NewAnswer::Grant(_)) => Err(FlowError::Done),
            (Some(Answer::Granted(own)), NewAnswer::Grant(grant)) if *own == grant.id => {
                let stored = self.grants.find_grant(own).await?;
                let is_usable =
                    |stored: &Grant| stored.code_is_live(now) && stored.user == grant.user;
                if stored.as_ref().is_some_and(is_usable) { Ok(true) } else { Err(FlowError::Done) }
            }
            (Some(Answer::Granted(_)) | None, NewAnswer::Denied | NewAnswer::Grant(_)) => Ok(false),
        }
    }

    /// That a request can still get an answer: it was not denied, and no code of it was used.
    pub(super) async fn check_unanswered(
        &self,
        transaction: &Transaction,
    ) -> Result<(), FlowError> {
        match &transaction.answer {
            None => Ok(()),
            Some(Answer::Denied) => Err(FlowError::Done),
            Some(Answer::Granted(grant)) => {
                let stored = self.grants.find_grant(grant).await?;
                match stored.is_some_and(|stored| stored.redeemed.is_none()) {
                    true => Ok(()),
                    false => Err(FlowError::Done),
                }
            }
        }
    }

    /// OpenID Connect Core 1.0 §3.1.2.1: when it is not the user of the hint who signed in.
    pub(super) fn other_user(&self, request: &AuthorizationRequest) -> AuthorizationResponse {
        let code = ErrorCode::LoginRequired;
        self.refuse(request, AuthorizationError::new(code, "another user has signed in"))
    }

    /// OpenID Connect Core 1.0 §3.1.2.6: no page may be shown, and there is no session.
    pub(super) fn login_required(&self, request: &AuthorizationRequest) -> AuthorizationResponse {
        let code = ErrorCode::LoginRequired;
        self.refuse(request, AuthorizationError::new(code, "the user has to sign in"))
    }

    /// The answer when the store fails.
    pub(super) fn refuse_for(
        &self,
        request: &AuthorizationRequest,
        error: &StoreError,
    ) -> AuthorizationResponse {
        self.refuse(request, AuthorizationError::of_store(error))
    }

    pub(super) fn refuse(
        &self,
        request: &AuthorizationRequest,
        error: AuthorizationError,
    ) -> AuthorizationResponse {
        AuthorizationResponse::error(Return::from(request), &self.settings.issuer, error)
    }

    fn code(&self, request: &AuthorizationRequest, code: Secret) -> AuthorizationResponse {
        AuthorizationResponse::code(Return::from(request), &self.settings.issuer, code)
    }
}

/// What the user of a session allows by `code`.
fn new_grant(
    request: &AuthorizationRequest,
    allowing: &Allowing,
    code: &Secret,
    now: Timestamp,
) -> Grant {
    let Allowing { signed_in, consent } = allowing;
    Grant {
        id: GrantId::of_code(code.expose()),
        client: request.client,
        user: signed_in.user.id,
        scope: request.scope.clone(),
        claims: request.claims.clone(),
        resources: request.resources.clone(),
        redirect_uri: request.redirect_uri_was_sent.then(|| request.redirect_uri.clone()),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        authentication: signed_in.session.authentication.clone(),
        session: signed_in.session.id.clone(),
        ends_with_session: !request.scope.contains("offline_access"),
        consent: *consent,
        issued_at: now,
        redeemed: None,
        ended_at: None,
    }
}
