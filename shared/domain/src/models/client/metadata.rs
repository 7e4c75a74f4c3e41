//! What an administrator says of a client, and the rules that make it true.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{IdTokenClaims, IdTokenRule};
use crate::values::issuer::is_loopback;
use crate::values::rules::{self, MAX_TEXT};
use crate::values::text::{is_blank, is_printable};
use crate::values::{
    ClientType, FieldError, GrantType, LONGEST_ACCESS_TOKEN, LONGEST_REFRESH_TOKEN, RedirectUri,
    Scope, ScopeToken, Seconds, SigningAlg, TokenEndpointAuthMethod, UserClaim, quoted,
};

const MAX_NAME: usize = 100;
const MAX_URIS: usize = 50;
const MAX_SCOPES: usize = 100;
const MAX_AUDIENCES: usize = 20;
const MAX_ORIGINS: usize = 20;
const MAX_CONTACTS: usize = 10;

const ACCESS_TOKEN_LIFETIME: RangeInclusive<Seconds> = 5..=LONGEST_ACCESS_TOKEN;
const REFRESH_TOKEN_LIFETIME: RangeInclusive<Seconds> = 5..=LONGEST_REFRESH_TOKEN;
const DEFAULT_ACCESS_TOKEN_LIFETIME: Seconds = 3600;
const DEFAULT_REFRESH_TOKEN_LIFETIME: Seconds = 1_209_600;
const DEFAULT_REFRESH_TOKEN_ABSOLUTE_LIFETIME: Seconds = 7_776_000;

/// The metadata of a client as they come from outside: nothing in here is to be believed.
///
/// A member that is `None` was not given, and gets the default of the client's type.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(
    missing_docs,
    reason = "the members are those of the client model, documented at VerifiedMetadata"
)]
pub struct ClientMetadata {
    pub name: Option<String>,
    pub redirect_uris: Option<Vec<String>>,
    pub post_logout_redirect_uris: Option<Vec<String>>,
    pub scopes: Option<Vec<String>>,
    pub grants: Option<Vec<String>>,
    pub access_token_lifetime: Option<u64>,
    pub refresh_token_lifetime: Option<u64>,
    pub refresh_token_absolute_lifetime: Option<u64>,
    pub skip_consent: Option<bool>,
    pub token_endpoint_auth_method: Option<String>,
    pub require_pkce: Option<bool>,
    pub audiences: Option<Vec<String>>,
    pub access_token_signing_alg: Option<String>,
    pub id_token_signing_alg: Option<String>,
    pub id_token_claims: Option<RuleOrList>,
    pub allowed_cors_origins: Option<Vec<String>>,
    pub is_active: Option<bool>,
    pub client_uri: Option<String>,
    pub logo_uri: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
    pub contacts: Option<Vec<String>>,
    pub metadata: Option<BTreeMap<String, String>>,
}

/// The name of a rule, or what is meant itself.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the type says it")]
pub enum RuleOrList {
    Rule(String),
    List(Vec<String>),
}

/// The lifetimes of a client's tokens, in seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lifetimes {
    /// Of an access token: 5 … 86 400, default 3600.
    pub access_token: Seconds,
    /// Of a refresh token, anew at each use: 5 … 31 536 000, default 1 209 600.
    pub refresh_token: Seconds,
    /// Of all refresh tokens of one grant together: default 7 776 000, never less than the sliding one.
    pub refresh_token_absolute: Seconds,
}

/// The metadata of a client after every rule of the client model has been checked.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedMetadata {
    /// 1–100 printable characters, for people.
    pub name: String,
    /// Where authorization codes may be sent; exact match. Empty for m2m clients.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where a browser may be sent after sign-out; exact match. Empty for m2m clients.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// The allow-list of scopes.
    pub scopes: Scope,
    /// The grants that the client may use.
    pub grants: Vec<GrantType>,
    /// How long its tokens live.
    pub lifetimes: Lifetimes,
    /// True for first-party clients: users are not asked for consent.
    pub skip_consent: bool,
    /// How it authenticates at the token endpoint.
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    /// Whether it must use PKCE (RFC 7636). Always true for public clients.
    pub require_pkce: bool,
    /// The resources that it may ask tokens for (RFC 8707); the first is the default.
    pub audiences: Vec<String>,
    /// What its access tokens are signed with.
    pub access_token_signing_alg: SigningAlg,
    /// What its ID tokens are signed with.
    pub id_token_signing_alg: SigningAlg,
    /// What its ID tokens say of the user without being asked. `None` for m2m clients, which get none, and for
    /// clients of before the member: see [`Client::id_token_claims`](super::Client::id_token_claims).
    #[serde(default)]
    pub id_token_claims: Option<IdTokenClaims>,
    /// The origins whose scripts may read the answers.
    pub allowed_cors_origins: Vec<String>,
    /// False: every flow and refresh is refused at once.
    pub is_active: bool,
    /// Its home page, to which the pages lead back.
    pub client_uri: Option<String>,
    /// Its logo, for the consent page.
    pub logo_uri: Option<String>,
    /// Its privacy policy, for the consent page.
    pub policy_uri: Option<String>,
    /// Its terms of service, for the consent page.
    pub tos_uri: Option<String>,
    /// Whom to ask about it.
    pub contacts: Vec<String>,
    /// Up to 20 pairs that mean something to the administrator alone.
    pub metadata: BTreeMap<String, String>,
}

impl ClientMetadata {
    /// Checks every member for a client of type `kind`.
    ///
    /// # Errors
    /// All broken rules at once, each with the member that breaks it.
    pub fn validate(self, kind: ClientType) -> Result<VerifiedMetadata, Vec<FieldError>> {
        // Destructured whole, so that a member which nobody checks does not compile.
        let Self {
            name,
            redirect_uris,
            post_logout_redirect_uris,
            scopes,
            grants,
            access_token_lifetime,
            refresh_token_lifetime,
            refresh_token_absolute_lifetime,
            skip_consent,
            token_endpoint_auth_method,
            require_pkce,
            audiences,
            access_token_signing_alg,
            id_token_signing_alg,
            id_token_claims,
            allowed_cors_origins,
            is_active,
            client_uri,
            logo_uri,
            policy_uri,
            tos_uri,
            contacts,
            metadata,
        } = self;
        let mut check = Check { kind, errors: Vec::new() };
        let name = check.name(name);
        let redirect_uris = check.redirect_uris("redirectUris", redirect_uris);
        let verified = VerifiedMetadata {
            name,
            post_logout_redirect_uris: check
                .redirect_uris("postLogoutRedirectUris", post_logout_redirect_uris),
            scopes: check.scopes(scopes),
            grants: check.grants(grants),
            lifetimes: check.lifetimes(
                access_token_lifetime,
                refresh_token_lifetime,
                refresh_token_absolute_lifetime,
            ),
            skip_consent: skip_consent.unwrap_or(false),
            token_endpoint_auth_method: check.auth_method(token_endpoint_auth_method),
            require_pkce: check.require_pkce(require_pkce),
            audiences: check.audiences(audiences),
            access_token_signing_alg: check
                .signing_alg("accessTokenSigningAlg", access_token_signing_alg),
            id_token_signing_alg: check.signing_alg("idTokenSigningAlg", id_token_signing_alg),
            id_token_claims: check.id_token_claims(id_token_claims),
            allowed_cors_origins: check.cors_origins(allowed_cors_origins, &redirect_uris),
            redirect_uris,
            is_active: is_active.unwrap_or(true),
            client_uri: check.page("clientUri", client_uri),
            logo_uri: check.page("logoUri", logo_uri),
            policy_uri: check.page("policyUri", policy_uri),
            tos_uri: check.page("tosUri", tos_uri),
            contacts: check.contacts(contacts),
            metadata: check.pairs(metadata),
        };
        if check.errors.is_empty() { Ok(verified) } else { Err(check.errors) }
    }
}

impl From<VerifiedMetadata> for ClientMetadata {
    /// Everything given, for a change to lie on top of.
    fn from(verified: VerifiedMetadata) -> Self {
        let uris = |uris: Vec<RedirectUri>| Some(uris.iter().map(ToString::to_string).collect());
        Self {
            name: Some(verified.name),
            redirect_uris: uris(verified.redirect_uris),
            post_logout_redirect_uris: uris(verified.post_logout_redirect_uris),
            scopes: Some(verified.scopes.iter().map(|token| token.as_str().to_owned()).collect()),
            grants: Some(verified.grants.iter().map(|grant| grant.as_str().to_owned()).collect()),
            access_token_lifetime: Some(verified.lifetimes.access_token.into()),
            refresh_token_lifetime: Some(verified.lifetimes.refresh_token.into()),
            refresh_token_absolute_lifetime: Some(verified.lifetimes.refresh_token_absolute.into()),
            skip_consent: Some(verified.skip_consent),
            token_endpoint_auth_method: Some(
                verified.token_endpoint_auth_method.as_str().to_owned(),
            ),
            require_pkce: Some(verified.require_pkce),
            audiences: Some(verified.audiences),
            access_token_signing_alg: Some(verified.access_token_signing_alg.as_str().to_owned()),
            id_token_signing_alg: Some(verified.id_token_signing_alg.as_str().to_owned()),
            id_token_claims: verified.id_token_claims.map(RuleOrList::from),
            allowed_cors_origins: Some(verified.allowed_cors_origins),
            is_active: Some(verified.is_active),
            client_uri: verified.client_uri,
            logo_uri: verified.logo_uri,
            policy_uri: verified.policy_uri,
            tos_uri: verified.tos_uri,
            contacts: Some(verified.contacts),
            metadata: Some(verified.metadata),
        }
    }
}

impl From<IdTokenClaims> for RuleOrList {
    fn from(claims: IdTokenClaims) -> Self {
        match claims {
            IdTokenClaims::Rule(rule) => Self::Rule(rule.as_str().to_owned()),
            IdTokenClaims::Listed(claims) => {
                Self::List(claims.into_iter().map(|claim| claim.as_str().to_owned()).collect())
            }
        }
    }
}

/// One pass over the metadata: collects what is wrong, and puts a placeholder where it was.
struct Check {
    kind: ClientType,
    errors: Vec<FieldError>,
}

impl Check {
    fn refuse(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, message));
    }

    /// Each of `values` through `parse`; repetitions are kept once.
    fn each<T: PartialEq>(
        &mut self,
        field: &str,
        values: &[String],
        max: usize,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        if values.len() > max {
            self.refuse(field, format!("must have at most {max} entries"));
            return Vec::new();
        }
        let mut parsed = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            match parse(value) {
                Ok(value) if parsed.contains(&value) => {}
                Ok(value) => parsed.push(value),
                Err(message) => self.refuse(format!("{field}[{index}]"), message),
            }
        }
        parsed
    }

    fn name(&mut self, name: Option<String>) -> String {
        let Some(name) = name else {
            self.refuse("name", "is required");
            return String::new();
        };
        if is_blank(&name) || name.chars().count() > MAX_NAME || !is_printable(&name) {
            self.refuse("name", "must be 1 to 100 printable characters");
        }
        name
    }

    fn redirect_uris(&mut self, field: &str, uris: Option<Vec<String>>) -> Vec<RedirectUri> {
        let uris = uris.unwrap_or_default();
        if !uris.is_empty() && !self.kind.acts_for_users() {
            self.refuse(field, "must be empty: an m2m client has no user to send anywhere");
            return Vec::new();
        }
        let kind = self.kind;
        self.each(field, &uris, MAX_URIS, |uri| {
            RedirectUri::parse(uri, kind).map_err(|error| error.to_string())
        })
    }

    fn scopes(&mut self, scopes: Option<Vec<String>>) -> Scope {
        let acts_for_users = self.kind.acts_for_users();
        let tokens = self.each("scopes", &scopes.unwrap_or_default(), MAX_SCOPES, |text| {
            let token = ScopeToken::parse(text).map_err(|error| error.to_string())?;
            if token.is_for_users() && !acts_for_users {
                return Err(
                    "is for clients that act for users, which an m2m client does not".into()
                );
            }
            Ok(token)
        });
        tokens.into_iter().collect()
    }

    fn grants(&mut self, grants: Option<Vec<String>>) -> Vec<GrantType> {
        let kind = self.kind;
        let Some(grants) = grants else { return kind.default_grants().to_vec() };
        self.each("grants", &grants, GrantType::ALL.len(), |text| {
            if matches!(text, "password" | "implicit") {
                return Err(format!("{text} does not exist in OAuth 2.1"));
            }
            GrantType::parse(text).filter(|grant| kind.may_have(*grant)).ok_or_else(|| {
                let possible = GrantType::ALL.into_iter().filter(|grant| kind.may_have(*grant));
                let possible: Vec<_> = possible.map(GrantType::as_str).collect();
                format!("must be one of the grants of {kind} clients: {}", possible.join(", "))
            })
        })
    }

    fn lifetimes(
        &mut self,
        access_token: Option<u64>,
        refresh_token: Option<u64>,
        refresh_token_absolute: Option<u64>,
    ) -> Lifetimes {
        let access_token = self
            .lifetime("accessTokenLifetime", access_token, ACCESS_TOKEN_LIFETIME)
            .unwrap_or(DEFAULT_ACCESS_TOKEN_LIFETIME);
        let refresh_token = self
            .lifetime("refreshTokenLifetime", refresh_token, REFRESH_TOKEN_LIFETIME)
            .unwrap_or(DEFAULT_REFRESH_TOKEN_LIFETIME);
        let absolute = "refreshTokenAbsoluteLifetime";
        let refresh_token_absolute = self
            .lifetime(absolute, refresh_token_absolute, REFRESH_TOKEN_LIFETIME)
            .unwrap_or(DEFAULT_REFRESH_TOKEN_ABSOLUTE_LIFETIME.max(refresh_token));
        if refresh_token_absolute < refresh_token {
            self.refuse(absolute, "must not be less than refreshTokenLifetime");
        }
        Lifetimes { access_token, refresh_token, refresh_token_absolute }
    }

    fn lifetime(
        &mut self,
        field: &str,
        value: Option<u64>,
        range: RangeInclusive<Seconds>,
    ) -> Option<Seconds> {
        let value = value?;
        let seconds = Seconds::try_from(value).ok().filter(|seconds| range.contains(seconds));
        if seconds.is_none() {
            let (least, most) = (range.start(), range.end());
            let mut rule = format!("must be {least} to {most} seconds");
            let as_millis = Seconds::try_from(value / 1000).ok();
            if value % 1000 == 0 && as_millis.is_some_and(|seconds| range.contains(&seconds)) {
                rule.push_str("; this looks like milliseconds: lifetimes are in seconds");
            }
            self.refuse(field, rule);
        }
        seconds
    }

    fn auth_method(&mut self, method: Option<String>) -> TokenEndpointAuthMethod {
        let kind = self.kind;
        let default = kind.default_auth_method();
        let Some(method) = method else { return default };
        let possible = |method: &TokenEndpointAuthMethod| kind.may_authenticate_by(*method);
        TokenEndpointAuthMethod::parse(&method).filter(possible).unwrap_or_else(|| {
            let names = TokenEndpointAuthMethod::ALL.into_iter().filter(possible);
            let names: Vec<_> = names.map(TokenEndpointAuthMethod::as_str).collect();
            let names = names.join(", ");
            self.refuse(
                "tokenEndpointAuthMethod",
                format!("must be one of those of {kind} clients on this server: {names}"),
            );
            default
        })
    }

    fn require_pkce(&mut self, given: Option<bool>) -> bool {
        match (self.kind, given) {
            (ClientType::Public, Some(false)) => {
                self.refuse("requirePkce", "must be true: a public client has nothing but PKCE");
                true
            }
            (ClientType::Public, _) => true,
            (ClientType::M2m, Some(true)) => {
                self.refuse(
                    "requirePkce",
                    "must be false: an m2m client uses no authorization code",
                );
                false
            }
            (_, given) => given.unwrap_or(false),
        }
    }

    fn audiences(&mut self, audiences: Option<Vec<String>>) -> Vec<String> {
        self.each("audiences", &audiences.unwrap_or_default(), MAX_AUDIENCES, |text| {
            // RFC 8707 §2: an absolute URI without a fragment.
            let is_uri = text.bytes().all(|byte| byte.is_ascii_graphic())
                && text.len() <= MAX_TEXT
                && !text.contains('#')
                && Url::parse(text).is_ok();
            is_uri.then(|| text.to_owned()).ok_or_else(|| {
                "must be an absolute URI of at most 512 characters, without a fragment".into()
            })
        })
    }

    fn signing_alg(&mut self, field: &str, alg: Option<String>) -> SigningAlg {
        let Some(alg) = alg else { return SigningAlg::default() };
        SigningAlg::parse(&alg).unwrap_or_else(|| {
            self.refuse(field, "must be RS256 or ES256");
            SigningAlg::default()
        })
    }

    fn id_token_claims(&mut self, claims: Option<RuleOrList>) -> Option<IdTokenClaims> {
        const FIELD: &str = "idTokenClaims";
        match claims {
            Some(_) if !self.kind.acts_for_users() => {
                self.refuse(FIELD, "must be left out: an m2m client gets no ID token");
                None
            }
            None => self.kind.acts_for_users().then(IdTokenClaims::default),
            Some(RuleOrList::Rule(text)) => {
                let rule = IdTokenRule::parse(&text);
                if rule.is_none() {
                    self.refuse(FIELD, "must be scope, none, or a list of claims");
                }
                rule.map(IdTokenClaims::Rule)
            }
            Some(RuleOrList::List(names)) => {
                let claims = self.each(FIELD, &names, UserClaim::ALL.len(), |text| {
                    UserClaim::parse(text).ok_or_else(|| {
                        let known = UserClaim::ALL.map(UserClaim::as_str).join(", ");
                        format!("{} is no claim about a user: {known}", quoted(text))
                    })
                });
                Some(IdTokenClaims::Listed(claims))
            }
        }
    }

    /// A public client that names none has the origins to which its users come back: its scripts run there.
    fn cors_origins(
        &mut self,
        origins: Option<Vec<String>>,
        redirect_uris: &[RedirectUri],
    ) -> Vec<String> {
        let Some(origins) = origins else {
            return if self.kind == ClientType::Public {
                origins_of(redirect_uris)
            } else {
                Vec::new()
            };
        };
        self.each("allowedCorsOrigins", &origins, MAX_ORIGINS, |text| {
            let is_origin = Url::parse(text).is_ok_and(|url| {
                is_https_or_loopback(&url) && url.origin().ascii_serialization() == text
            });
            is_origin.then(|| text.to_owned()).ok_or_else(|| {
                "must be an exact origin such as https://app.example.com: scheme, host and port only"
                    .into()
            })
        })
    }

    fn page(&mut self, field: &str, uri: Option<String>) -> Option<String> {
        let uri = uri?;
        let is_page = uri.len() <= MAX_TEXT
            && uri.bytes().all(|byte| byte.is_ascii_graphic())
            && Url::parse(&uri).is_ok_and(|url| is_https_or_loopback(&url));
        if !is_page {
            self.refuse(field, "must be an https URI of at most 512 characters");
        }
        Some(uri)
    }

    fn contacts(&mut self, contacts: Option<Vec<String>>) -> Vec<String> {
        self.each("contacts", &contacts.unwrap_or_default(), MAX_CONTACTS, |text| {
            let fits = !is_blank(text) && text.len() <= MAX_TEXT && is_printable(text);
            fits.then(|| text.to_owned())
                .ok_or_else(|| "must be 1 to 512 printable characters".into())
        })
    }

    fn pairs(&mut self, pairs: Option<BTreeMap<String, String>>) -> BTreeMap<String, String> {
        let pairs = pairs.unwrap_or_default();
        rules::check_pairs(&pairs, &mut self.errors);
        pairs
    }
}

/// The origins of the URIs that have one, each once.
fn origins_of(uris: &[RedirectUri]) -> Vec<String> {
    let mut origins = Vec::new();
    let urls = uris.iter().filter_map(|uri| Url::parse(uri.as_str()).ok());
    for url in urls.filter(is_https_or_loopback) {
        let origin = url.origin().ascii_serialization();
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    origins.truncate(MAX_ORIGINS);
    origins
}

fn is_https_or_loopback(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => is_loopback(&host),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
