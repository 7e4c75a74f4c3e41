//! From parameters to a request. It reads nothing but the parameters and the client, so a request may be parsed in one
//! place and begun in another.

use std::borrow::Cow;

use super::bounds;
use super::claims;
use super::parameters::Parameters;
use super::response::AuthorizationError;
use super::target::{Target, response_mode};
use crate::models::client::Client;
use crate::models::transaction::AuthorizationRequest;
use crate::token::{self, Hint};
use crate::values::{CodeChallenge, ErrorCode, GrantType, Scope, Settings, quoted};

fn refuse(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> AuthorizationError {
    AuthorizationError::new(code, description)
}

fn invalid(description: impl Into<Cow<'static, str>>) -> AuthorizationError {
    refuse(ErrorCode::InvalidRequest, description)
}

/// The request, after every rule has been checked but for `id_token_hint`: to judge that one is not for a parser.
pub(super) fn parse(
    settings: &Settings,
    target: &Target,
    parameters: &Parameters,
) -> Result<AuthorizationRequest, AuthorizationError> {
    use ErrorCode as Code;
    if let Some(fault) = parameters.fault() {
        return Err(invalid(fault));
    }
    // From here on, every parameter can be read.
    let one = |name| parameters.one(name).ok().flatten();
    if one("request").is_some() {
        return Err(refuse(Code::RequestNotSupported, "request objects are not supported"));
    }
    if one("request_uri").is_some() {
        return Err(refuse(Code::RequestUriNotSupported, "request_uri is not supported"));
    }
    bounds::check(parameters)?;
    let response_mode = response_mode(parameters)?;
    check_response_type(one("response_type"))?;
    let client = &target.client;
    if !client.may_use(GrantType::AuthorizationCode) {
        let description = "the client is not allowed to use the authorization code grant";
        return Err(refuse(Code::UnauthorizedClient, description));
    }
    let prompt = Prompt::parse(one("prompt"))?;
    let claims = claims::read(client, one("claims"))?;
    Ok(AuthorizationRequest {
        client: client.id,
        client_id: client.client_id.clone(),
        redirect_uri: target.redirect_uri.clone(),
        redirect_uri_was_sent: target.redirect_uri_was_sent,
        response_mode,
        scope: scope(client, one("scope"))?,
        resources: resources(settings, client, parameters.all("resource"))?,
        state: one("state").map(str::to_owned),
        nonce: one("nonce").map(str::to_owned),
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
        claims: claims.requested,
        subjects: claims.subjects,
    })
}

/// The ID token that names the user who is expected.
pub(super) fn id_token_hint(parameters: &Parameters) -> Option<&str> {
    parameters.one("id_token_hint").ok().flatten()
}

/// Of all response types, OAuth 2.1 has left `code`.
fn check_response_type(response_type: Option<&str>) -> Result<(), AuthorizationError> {
    match response_type {
        Some("code") => Ok(()),
        Some(other) => {
            let description = format!("response_type must be code, not {}", quoted(other));
            Err(refuse(ErrorCode::UnsupportedResponseType, description))
        }
        None => Err(invalid("response_type is missing")),
    }
}

fn scope(client: &Client, asked: Option<&str>) -> Result<Scope, AuthorizationError> {
    // What administrators hold for themselves, no user can give.
    let allowed: Scope =
        client.scope().iter().filter(|token| !token.is_reserved()).cloned().collect();
    let granted = token::granted_scope(&allowed, asked);
    granted.map_err(|description| refuse(ErrorCode::InvalidScope, description))
}

fn resources(
    settings: &Settings,
    client: &Client,
    asked: Vec<String>,
) -> Result<Vec<String>, AuthorizationError> {
    let allowed = token::allowed_audiences(settings, client);
    token::check_resources(&allowed, &asked)
        .map_err(|description| refuse(ErrorCode::InvalidTarget, description))?;
    let mut resources = Vec::new();
    for resource in asked {
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    }
    Ok(resources)
}

/// RFC 7636 §4.3. Without a method it would be `plain`, which protects from nothing.
fn code_challenge(
    client: &Client,
    challenge: Option<&str>,
    method: Option<&str>,
) -> Result<Option<CodeChallenge>, AuthorizationError> {
    match (challenge, method) {
        (None, None) if client.metadata.require_pkce => Err(invalid(format!(
            "code_challenge is missing: this client must use PKCE; {CHALLENGE}"
        ))),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(invalid(format!("code_challenge is missing; {CHALLENGE}"))),
        (Some(challenge), Some("S256")) => {
            let malformed = || invalid(format!("{CHALLENGE}, and {} is not", quoted(challenge)));
            CodeChallenge::parse(challenge).map(Some).ok_or_else(malformed)
        }
        (Some(_), Some(other)) => {
            Err(invalid(format!("code_challenge_method must be S256, not {}", quoted(other))))
        }
        (Some(_), None) => {
            Err(invalid("code_challenge_method is missing, which means plain: it must be S256"))
        }
    }
}

const CHALLENGE: &str = "code_challenge must be the base64url of a SHA-256 without padding (RFC 7636 section 4.2): \
    43 characters of A-Z, a-z, 0-9, - and _";

#[derive(Default)]
struct Prompt {
    none: bool,
    login: bool,
    consent: bool,
}

impl Prompt {
    /// OpenID Connect Core 1.0 §3.1.2.1. To select an account is to sign in with it. Clients join lists that have
    /// holes, so a run of spaces counts as one, and those at the ends do not count.
    fn parse(text: Option<&str>) -> Result<Self, AuthorizationError> {
        let mut prompt = Self::default();
        let words = text.into_iter().flat_map(|text| text.split(' '));
        for word in words.filter(|word| !word.is_empty()) {
            match word {
                "none" => prompt.none = true,
                "login" | "select_account" => prompt.login = true,
                "consent" => prompt.consent = true,
                other => {
                    let rule = "prompt must be none, or of login, consent and select_account";
                    return Err(invalid(format!("{rule}, not {}", quoted(other))));
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
    let refused = || invalid(format!("max_age must be a number of seconds, not {}", quoted(text)));
    seconds.map(|seconds| Some(seconds.into())).ok_or_else(refused)
}

/// A hint is believed only when this server signed it for this client. It may have expired: what it names is
/// still the user who was signed in (OpenID Connect Core 1.0 §3.1.2.1).
pub(super) fn expect_user(
    request: AuthorizationRequest,
    hint: Hint,
) -> Result<AuthorizationRequest, AuthorizationError> {
    match hint {
        Hint::Genuine(hint) if hint.client_id == request.client_id => {
            Ok(AuthorizationRequest { expected_user: Some(hint.user), ..request })
        }
        // Perhaps it was genuine, before its key was rotated out. Without a page that is not to be found out.
        Hint::UnknownKey(client_id) if client_id == request.client_id => {
            if request.is_silent {
                let description = "the key that signed id_token_hint is not published any more";
                return Err(refuse(ErrorCode::LoginRequired, description));
            }
            Ok(request)
        }
        Hint::Genuine(_) | Hint::UnknownKey(_) | Hint::NotOurs => {
            Err(invalid("id_token_hint is not an ID token of this client"))
        }
    }
}
