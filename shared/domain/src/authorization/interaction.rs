//! The steps between an authorization request and its answer.
//!
//! A request that needs no page is answered at once. Any other waits as a [`Transaction`], and its browser holds the
//! secret that guards it. Each later step opens the [`Interaction`] once and goes on with what was read.

use super::answer::Allowing;
use super::channel::{FlowError, FrontChannel};
use super::consent;
use super::parameters::Parameters;
use super::request;
use super::response::{AuthorizationError, AuthorizationResponse};
use super::target::{NoClient, Target, target};
use crate::models::browser::{PendingRequest, SessionSecret};
use crate::models::client::Client;
use crate::models::consent::Allowed;
use crate::models::session::SignedIn;
use crate::models::transaction::{AuthorizationRequest, MAX_QUERY_KEPT, Transaction};
use crate::stores::{NewAnswer, StoreError};
use crate::values::{
    ErrorCode, Generation, GrantType, RequestContext, Secret, Timestamp, TransactionId, id,
};

/// A request that waits, with what was read of it.
#[derive(Clone, Debug)]
pub struct Interaction {
    /// Its name, and what guards it.
    pub pending: PendingRequest,
    /// The request as it is stored.
    pub transaction: Transaction,
    /// Who asks.
    pub client: Client,
}

/// Where an authorization request leads at first.
#[derive(Clone, Debug)]
pub enum Begun {
    /// Back to the client.
    Answer(Box<AuthorizationResponse>),
    /// To a page, on which the user signs in or consents.
    Waits(Box<Interaction>, Page),
}

/// A page of an interaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Page {
    /// The user signs in.
    SignIn,
    /// The user decides.
    Consent,
}

/// Where an interaction stands.
#[derive(Clone, Debug)]
pub enum Step {
    /// The user has to sign in.
    SignIn,
    /// The user has to decide.
    Consent(Box<SignedIn>),
    /// Back to the client.
    Answer(Box<AuthorizationResponse>),
}

/// What the user decides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// The client gets what it asks for.
    Allow,
    /// The client gets nothing.
    Deny,
}

/// An authorization request after every rule was checked, or its refusal.
enum Understood {
    Request(Box<AuthorizationRequest>, Box<Client>),
    Refused(Box<AuthorizationResponse>),
}

/// What stands between a request and its answer.
enum Need {
    /// The user must show who they are.
    SignIn,
    /// The user must be asked.
    Consent(Allowing),
    /// Nothing.
    Nothing(Allowing),
    /// It cannot be had: another user has signed in than was expected.
    OtherUser,
}

/// What is asked, by whom, and in which interaction, if there is one yet.
#[derive(Clone, Copy)]
struct Asked<'a> {
    request: &'a AuthorizationRequest,
    client: &'a Client,
    transaction: Option<&'a TransactionId>,
}

impl Interaction {
    fn asked(&self) -> Asked<'_> {
        Asked {
            request: &self.transaction.request,
            client: &self.client,
            transaction: Some(&self.transaction.id),
        }
    }
}

impl FrontChannel {
    /// An authorization request, whose parameters came as `query`. A store that fails once it is known where to answer
    /// is an answer too.
    ///
    /// # Errors
    /// When there is no client to answer.
    pub async fn begin(
        &self,
        context: &mut RequestContext,
        parameters: &Parameters,
        query: &str,
        session: Option<&SessionSecret>,
    ) -> Result<Begun, FlowError> {
        let (request, client) = match self.understand(context, parameters).await? {
            Understood::Request(request, client) => (request, client),
            Understood::Refused(refusal) => return Ok(Begun::Answer(refusal)),
        };
        let asked = Asked { request: &request, client: &client, transaction: None };
        let page = match self.first_step(context, asked, session).await {
            Ok(Ok(page)) => page,
            Ok(Err(answer)) => return Ok(Begun::Answer(Box::new(answer))),
            Err(FlowError::Store(error)) => {
                return Ok(Begun::Answer(Box::new(self.refuse_for(&request, &error))));
            }
            Err(error) => return Err(error),
        };
        let to_refuse = request.clone();
        match self.wait(context, *request, *client, query).await {
            Ok(interaction) => Ok(Begun::Waits(Box::new(interaction), page)),
            Err(error) => Ok(Begun::Answer(Box::new(self.refuse_for(&to_refuse, &error)))),
        }
    }

    /// A request that begins anew because the page of the former one was left open: it waits for its user whatever
    /// session the browser has, for the user has just sent a form.
    ///
    /// # Errors
    /// When there is no client to answer, or the store fails.
    pub async fn begin_again(
        &self,
        context: &mut RequestContext,
        parameters: &Parameters,
        query: &str,
    ) -> Result<Begun, FlowError> {
        match self.understand(context, parameters).await? {
            Understood::Refused(refusal) => Ok(Begun::Answer(refusal)),
            Understood::Request(request, _) if request.is_silent => {
                Ok(Begun::Answer(Box::new(self.login_required(&request))))
            }
            Understood::Request(request, client) => {
                let interaction = self.wait(context, *request, *client, query).await?;
                Ok(Begun::Waits(Box::new(interaction), Page::SignIn))
            }
        }
    }

    async fn understand(
        &self,
        context: &RequestContext,
        parameters: &Parameters,
    ) -> Result<Understood, FlowError> {
        let target = target(&*self.clients, parameters).await?;
        Ok(match self.parse(&target, parameters, context.now).await {
            Ok(request) => Understood::Request(Box::new(request), Box::new(target.client)),
            Err(error) => {
                let (to, issuer) = (target.answer_to(parameters), &self.settings.issuer);
                Understood::Refused(Box::new(AuthorizationResponse::error(to, issuer, error)))
            }
        })
    }

    /// What is asked, once every rule has been checked. Nothing is begun by it.
    async fn parse(
        &self,
        target: &Target,
        parameters: &Parameters,
        now: Timestamp,
    ) -> Result<AuthorizationRequest, AuthorizationError> {
        let request = request::parse(&self.settings, target, parameters)?;
        let Some(hint) = request::id_token_hint(parameters) else { return Ok(request) };
        let hint = self.hint(hint, now).await;
        let hint = hint.map_err(|error| AuthorizationError::of_store(&error))?;
        request::expect_user(request, hint)
    }

    /// The page that a request needs, or the answer to it. A request that needs no page gets a random code: no browser
    /// has to be able to get the same one again.
    async fn first_step(
        &self,
        context: &mut RequestContext,
        asked: Asked<'_>,
        session: Option<&SessionSecret>,
    ) -> Result<Result<Page, AuthorizationResponse>, FlowError> {
        let request = asked.request;
        Ok(match self.need(asked, session, context.now).await? {
            Need::SignIn if request.is_silent => Err(self.login_required(request)),
            Need::Consent(_) if request.is_silent => {
                let code = ErrorCode::ConsentRequired;
                Err(self.refuse(request, AuthorizationError::new(code, "the user has to consent")))
            }
            Need::SignIn => Ok(Page::SignIn),
            Need::Consent(_) => Ok(Page::Consent),
            Need::OtherUser => Err(self.other_user(request)),
            Need::Nothing(allowing) => {
                let code = Secret::new(id::random_text::<32>(&mut *context.rng));
                Err(self.grant_at_once(request, &allowing, code, context.now).await?)
            }
        })
    }

    /// Keeps a request for its user.
    async fn wait(
        &self,
        context: &mut RequestContext,
        request: AuthorizationRequest,
        client: Client,
        query: &str,
    ) -> Result<Interaction, StoreError> {
        let pending = PendingRequest::generate(&mut *context.rng);
        let transaction = Transaction {
            id: pending.id.clone(),
            key: pending.secret.key(),
            query: if query.len() <= MAX_QUERY_KEPT { query.to_owned() } else { String::new() },
            request,
            created_at: context.now,
            answer: None,
        };
        self.transactions.create_transaction(&transaction).await?;
        Ok(Interaction { pending, transaction, client })
    }

    /// Opens the request that waits in this browser: one read of the request and one of its client.
    ///
    /// # Errors
    /// When there is none, or its time is over; or when its client is gone or has changed so that the request would be
    /// refused now.
    pub async fn open(
        &self,
        pending: &PendingRequest,
        now: Timestamp,
    ) -> Result<Interaction, FlowError> {
        let found = self.transactions.find_transaction(&pending.id).await?;
        let own = found.filter(|transaction| transaction.key == pending.secret.key());
        let transaction = own.ok_or(FlowError::Over(None))?;
        if !transaction.is_live(now) {
            return Err(FlowError::Over(Some(transaction.query).filter(|query| !query.is_empty())));
        }
        let request = &transaction.request;
        let client = self.clients.find(&request.client_id).await?;
        let same = |client: &Client| client.id == request.client && client.metadata.is_active;
        let client = client.filter(same);
        let client = client.ok_or_else(|| NoClient::unknown(request.client_id.as_str()))?;
        let registered = &client.metadata.redirect_uris;
        if !registered.iter().any(|own| own.matches(&request.redirect_uri, client.kind)) {
            return Err(NoClient::unregistered(&request.redirect_uri, &client).into());
        }
        let is_within = request.scope.first_outside(client.scope()).is_none();
        if !is_within || !client.may_use(GrantType::AuthorizationCode) {
            return Err(FlowError::NotAllowedAnyMore);
        }
        Ok(Interaction { pending: pending.clone(), transaction, client })
    }

    /// The client for which a request waits, or waited until lately, whoever asks: for a page that says what happened.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn client_of(&self, id: &TransactionId) -> Result<Option<Client>, StoreError> {
        match self.transactions.find_transaction(id).await? {
            Some(transaction) => self.clients.find(&transaction.request.client_id).await,
            None => Ok(None),
        }
    }

    /// Goes on with an interaction: after the sign-in, or when the browser comes back to it.
    ///
    /// # Errors
    /// When it cannot go on.
    pub async fn advance(
        &self,
        interaction: &Interaction,
        session: Option<&SessionSecret>,
        now: Timestamp,
    ) -> Result<Step, FlowError> {
        let request = &interaction.transaction.request;
        Ok(match (self.need(interaction.asked(), session, now).await?, session) {
            (Need::SignIn, _) | (Need::Nothing(_), None) => Step::SignIn,
            (Need::Consent(allowing), _) => Step::Consent(allowing.signed_in),
            (Need::OtherUser, _) => Step::Answer(Box::new(self.other_user(request))),
            (Need::Nothing(allowing), Some(session)) => {
                Step::Answer(self.grant(interaction, session, &allowing, now).await?)
            }
        })
    }

    /// The decision of the user whose session the browser has.
    ///
    /// # Errors
    /// When the interaction cannot go on, or has had another answer before.
    pub async fn decide(
        &self,
        context: &mut RequestContext,
        interaction: &Interaction,
        decision: Decision,
        session: &SessionSecret,
    ) -> Result<Step, FlowError> {
        let now = context.now;
        let Interaction { transaction, client, .. } = interaction;
        let request = &transaction.request;
        let signed_in = match self.need(interaction.asked(), Some(session), now).await? {
            Need::SignIn => return Ok(Step::SignIn),
            Need::OtherUser => return Ok(Step::Answer(Box::new(self.other_user(request)))),
            Need::Consent(allowing) | Need::Nothing(allowing) => allowing.signed_in,
        };
        let answer = match decision {
            Decision::Deny => {
                self.record(interaction, NewAnswer::Denied, now).await?;
                let code = ErrorCode::AccessDenied;
                let denied = AuthorizationError::new(code, "the user has denied the request");
                Box::new(self.refuse(request, denied))
            }
            Decision::Allow => {
                // A late decision that changes nothing for the client must change nothing for the user either.
                self.check_unanswered(transaction).await?;
                let AuthorizationRequest { scope, resources, .. } = request;
                // The first consent has the generation of what was allowed without one: only a withdrawal changes it.
                let generation = Generation::default();
                let claims = &request.claims_beyond_scope();
                let allowed = Allowed { scope, resources, claims, generation };
                let user = signed_in.user.id;
                let consent = self.consents.consent(user, client.id, &allowed, now).await?;
                let allowing = Allowing { signed_in, consent };
                self.grant(interaction, session, &allowing, now).await?
            }
        };
        Ok(Step::Answer(answer))
    }

    async fn need(
        &self,
        asked: Asked<'_>,
        session: Option<&SessionSecret>,
        now: Timestamp,
    ) -> Result<Need, FlowError> {
        let Asked { request, client, transaction } = asked;
        let Some(signed_in) = self.sessions.signed_in(session, now).await? else {
            return Ok(Need::SignIn);
        };
        let session = &signed_in.session;
        // By name and not by time: the clocks of two instances may differ.
        let for_this = transaction.is_some_and(|id| session.is_for(id));
        let age = now.seconds().saturating_sub(session.authentication.time.seconds());
        let too_old = request.max_age.is_some_and(|max_age| age > max_age || max_age == 0);
        if !for_this && (request.asks_for_login || too_old) {
            return Ok(Need::SignIn);
        }
        if !request.is_for(signed_in.user.id) {
            return Ok(if for_this { Need::OtherUser } else { Need::SignIn });
        }
        let known = self.consents.consented(signed_in.user.id, client.id).await?;
        let must_ask = consent::must_ask(request, client, known.as_ref());
        let consent = known.unwrap_or_default().generation;
        let allowing = Allowing { signed_in: Box::new(signed_in), consent };
        Ok(if must_ask { Need::Consent(allowing) } else { Need::Nothing(allowing) })
    }
}
