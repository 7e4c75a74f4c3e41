//! From parameters to a request: first who asks and where to answer, then everything else.

use super::parameters::{Parameters, Unusable};
use super::response::{AuthorizationError, Return};
use crate::models::client::Client;
use crate::models::transaction::AuthorizationRequest;
use crate::stores::{ClientStore, StoreError};
use crate::token::{self, IdTokenHint};
use crate::values::{ClientId, CodeChallenge, ErrorCode, GrantType, ResponseMode, Scope, Settings};

/// The longest `state` that is given back, in bytes.
const MAX_STATE: usize = 4096;
/// The longest `nonce`, in bytes.
const MAX_NONCE: usize = 1024;

/// Why a request has no client to answer. Nothing is redirected anywhere: the user gets a page.
#[derive(Debug, thiserror::Error)]
pub enum NoClient {
    /// There is no `client_id`, or more than one.
    #[error("client_id is missing, repeated or malformed")]
    ClientId,
    /// No client has it, or it is disabled.
    #[error("the client is unknown or not active")]
    UnknownClient,
    /// It acts for no user.
    #[error("the client acts for no user")]
    ActsForNoUser,
    /// There is no `redirect_uri`, or more than one.
    #[error("redirect_uri is missing, repeated or malformed")]
    RedirectUri,
    /// It is not registered for this client.
    #[error("redirect_uri is not registered for the client")]
    UnregisteredRedirectUri,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who asks, and where to answer.
pub(super) struct Target {
    pub(super) client: Client,
    pub(super) redirect_uri: String,
    pub(super) redirect_uri_was_sent: bool,
}

/// The client and its redirect URI (RFC 6749 §4.1.2.1: before these are known to be right, nothing may
/// be redirected).
pub(super) async fn target(
    clients: &dyn ClientStore,
    parameters: &Parameters,
) -> Result<Target, NoClient> {
    let client_id = parameters.one("client_id").ok().flatten().ok_or(NoClient::ClientId)?;
    let client_id = ClientId::parse(client_id).ok_or(NoClient::UnknownClient)?;
    let client = clients.find(&client_id).await?;
    let client = client.filter(|client| client.metadata.is_active);
    let client = client.ok_or(NoClient::UnknownClient)?;
    if !client.kind.acts_for_users() {
        return Err(NoClient::ActsForNoUser);
    }
    let sent = parameters.one("redirect_uri").map_err(|Unusable| NoClient::RedirectUri)?;
    let registered = &client.metadata.redirect_uris;
    let redirect_uri = match (sent, registered.as_slice()) {
        (Some(sent), _) if registered.iter().any(|own| own.matches(sent)) => sent.to_owned(),
        (Some(_), _) => return Err(NoClient::UnregisteredRedirectUri),
        // RFC 6749 §3.1.2.3: it may be left out where there is only one.
        (None, [only]) => only.as_str().to_owned(),
        (None, _) => return Err(NoClient::RedirectUri),
    };
    let redirect_uri_was_sent = sent.is_some();
    Ok(Target { client, redirect_uri, redirect_uri_was_sent })
}

impl Target {
    /// Where an error goes before the request is understood.
    pub(super) fn answer_to(&self, parameters: &Parameters) -> Return {
        let state = parameters.one("state").ok().flatten().filter(|it| it.len() <= MAX_STATE);
        Return {
            client_id: self.client.client_id.clone(),
            redirect_uri: self.redirect_uri.clone(),
            mode: response_mode(parameters).unwrap_or_default(),
            state: state.map(str::to_owned),
            is_silent: is_silent(parameters),
        }
    }
}

fn refuse(code: ErrorCode, description: &'static str) -> AuthorizationError {
    AuthorizationError::new(code, description)
}

fn invalid(description: &'static str) -> AuthorizationError {
    refuse(ErrorCode::InvalidRequest, description)
}

/// The request, after every rule has been checked. `read_hint` judges an `id_token_hint`.
pub(super) fn parse(
    settings: &Settings,
    target: &Target,
    parameters: &Parameters,
    read_hint: impl Fn(&str) -> Option<IdTokenHint>,
) -> Result<AuthorizationRequest, AuthorizationError> {
    use ErrorCode as Code;
    if !parameters.are_usable() {
        return Err(invalid("a parameter is repeated or malformed"));
    }
    // From here on, every parameter can be read.
    let one = |name| parameters.one(name).ok().flatten();
    if one("request").is_some() {
        return Err(refuse(Code::RequestNotSupported, "request objects are not supported"));
    }
    if one("request_uri").is_some() {
        return Err(refuse(Code::RequestUriNotSupported, "request_uri is not supported"));
    }
    let response_mode = response_mode(parameters)?;
    check_response_type(one("response_type"))?;
    let client = &target.client;
    if !client.may_use(GrantType::AuthorizationCode) {
        let description = "the client is not allowed to use the authorization code grant";
        return Err(refuse(Code::UnauthorizedClient, description));
    }
    let prompt = Prompt::parse(one("prompt"))?;
    let request = AuthorizationRequest {
        client: client.id,
        client_id: client.client_id.clone(),
        redirect_uri: target.redirect_uri.clone(),
        redirect_uri_was_sent: target.redirect_uri_was_sent,
        response_mode,
        scope: scope(client, one("scope"))?,
        resources: resources(settings, client, parameters.all("resource"))?,
        state: bounded(one("state"), MAX_STATE, "state is longer than 4096 bytes")?,
        nonce: bounded(one("nonce"), MAX_NONCE, "nonce is longer than 1024 bytes")?,
        code_challenge: code_challenge(
            client,
            one("code_challenge"),
            one("code_challenge_method"),
        )?,
        is_silent: prompt.none,
        asks_for_login: prompt.login,
        asks_for_consent: prompt.consent,
        max_age: max_age(one("max_age"))?,
        login_hint: one("login_hint").map(str::to_owned),
        expected_user: None,
    };
    match one("id_token_hint") {
        None => Ok(request),
        Some(hint) => expect_user(request, read_hint(hint)),
    }
}

/// Whether the client asked that no page be shown, whatever else is wrong with the request.
fn is_silent(parameters: &Parameters) -> bool {
    let prompt = parameters.one("prompt").ok().flatten();
    prompt.is_some_and(|prompt| prompt.trim_matches(' ') == "none")
}

/// The modes that suit a code. `fragment` would show it to scripts of the page.
fn response_mode(parameters: &Parameters) -> Result<ResponseMode, AuthorizationError> {
    let unknown = || invalid("response_mode must be query or form_post");
    match parameters.one("response_mode").map_err(|Unusable| unknown())? {
        None => Ok(ResponseMode::default()),
        Some(text) => ResponseMode::parse(text).ok_or_else(unknown),
    }
}

/// Of all response types, OAuth 2.1 has left `code`.
fn check_response_type(response_type: Option<&str>) -> Result<(), AuthorizationError> {
    match response_type {
        Some("code") => Ok(()),
        Some(_) => Err(refuse(ErrorCode::UnsupportedResponseType, "response_type must be code")),
        None => Err(invalid("response_type is missing")),
    }
}

fn scope(client: &Client, asked: Option<&str>) -> Result<Scope, AuthorizationError> {
    let refused = |description| refuse(ErrorCode::InvalidScope, description);
    // What administrators hold for themselves, no user can give.
    let allowed: Scope =
        client.scope().iter().filter(|token| !token.is_reserved()).cloned().collect();
    let Some(asked) = asked else { return Ok(allowed) };
    let asked = Scope::parse(asked).map_err(|_| refused("the scope parameter is malformed"))?;
    match asked.first_outside(&allowed) {
        None => Ok(asked),
        Some(_) => Err(refused("a requested scope is not allowed for this client")),
    }
}

fn resources(
    settings: &Settings,
    client: &Client,
    asked: Vec<String>,
) -> Result<Vec<String>, AuthorizationError> {
    let allowed = token::allowed_audiences(settings, client);
    if asked.iter().all(|resource| allowed.contains(resource)) {
        return Ok(asked);
    }
    let description = "a requested resource is not allowed for this client";
    Err(refuse(ErrorCode::InvalidTarget, description))
}

fn bounded(
    text: Option<&str>,
    max: usize,
    description: &'static str,
) -> Result<Option<String>, AuthorizationError> {
    match text {
        Some(text) if text.len() > max => Err(invalid(description)),
        text => Ok(text.map(str::to_owned)),
    }
}

/// RFC 7636 §4.3. Without a method it would be `plain`, which protects from nothing.
fn code_challenge(
    client: &Client,
    challenge: Option<&str>,
    method: Option<&str>,
) -> Result<Option<CodeChallenge>, AuthorizationError> {
    match (challenge, method) {
        (None, None) if client.metadata.require_pkce => {
            Err(invalid("code_challenge is missing: this client must use PKCE"))
        }
        (None, None) => Ok(None),
        (None, Some(_)) => Err(invalid("code_challenge is missing")),
        (Some(challenge), Some("S256")) => {
            let challenge = CodeChallenge::parse(challenge);
            let malformed = || invalid("code_challenge must be the base64url of a SHA-256");
            Ok(Some(challenge.ok_or_else(malformed)?))
        }
        (Some(_), _) => Err(invalid("code_challenge_method must be S256")),
    }
}

#[derive(Default)]
struct Prompt {
    none: bool,
    login: bool,
    consent: bool,
}

impl Prompt {
    /// OpenID Connect Core 1.0 §3.1.2.1. To select an account is to sign in with it.
    fn parse(text: Option<&str>) -> Result<Self, AuthorizationError> {
        let mut prompt = Self::default();
        for word in text.into_iter().flat_map(|text| text.split(' ')) {
            match word {
                "none" => prompt.none = true,
                "login" | "select_account" => prompt.login = true,
                "consent" => prompt.consent = true,
                _ => {
                    let rule = "prompt must be none, or of login, consent and select_account";
                    return Err(invalid(rule));
                }
            }
        }
        if prompt.none && (prompt.login || prompt.consent) {
            return Err(invalid("prompt none does not go with others"));
        }
        Ok(prompt)
    }
}

fn max_age(text: Option<&str>) -> Result<Option<u64>, AuthorizationError> {
    let Some(text) = text else { return Ok(None) };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse::<u32>().ok().filter(|_| digits);
    seconds.map(|seconds| Some(seconds.into())).ok_or_else(|| invalid("max_age must be seconds"))
}

/// A hint is believed only when this server signed it for this client, and not for longer than it lives.
fn expect_user(
    request: AuthorizationRequest,
    hint: Option<IdTokenHint>,
) -> Result<AuthorizationRequest, AuthorizationError> {
    let own = hint.filter(|hint| hint.client_id == request.client_id);
    let hint = own.ok_or_else(|| invalid("id_token_hint is not an ID token of this client"))?;
    if hint.is_expired {
        let code = ErrorCode::LoginRequired;
        return Err(refuse(code, "id_token_hint has expired"));
    }
    Ok(AuthorizationRequest { expected_user: Some(hint.user), ..request })
}
