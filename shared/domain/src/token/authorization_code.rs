//! The authorization code grant (RFC 6749 §4.1.3): a code becomes the tokens that its user allowed.

use super::allowed::resources_within;
use super::ends::{check_client, forget_at};
use super::error::{InvalidGrant, TokenError};
use super::issue::{Issue, issue};
use super::parameters::TokenParameters;
use super::response::UserTokenResponse;
use super::services::TokenServices;
use crate::models::client::Client;
use crate::models::grant::{Grant, Redemption};
use crate::stores::Redeem;
use crate::values::{CodeChallenge, GrantId, RequestContext, Secret, Theft, id};

/// The parameters of the grant.
struct Parameters {
    /// The code.
    code: Secret,
    /// The redirect URI of the authorization request.
    redirect_uri: Option<String>,
    /// What the code challenge was made of (RFC 7636 §4.5).
    code_verifier: Option<Secret>,
    /// Whom the access token shall be for (RFC 8707 §2).
    resources: Vec<String>,
}

impl Parameters {
    fn read(parameters: &mut TokenParameters) -> Result<Self, TokenError> {
        Ok(Self {
            code: parameters.require("code", "code is missing")?,
            redirect_uri: parameters.take_text("redirect_uri"),
            code_verifier: parameters.take("code_verifier"),
            resources: parameters.take_all("resource"),
        })
    }
}

/// The tokens of a code. They are signed before the code is used, for a signer that fails must not burn it; and
/// everything about the request is checked before a used code is taken for stolen, so that an attacker who finds an
/// old code cannot end what it gave.
pub(super) async fn grant(
    services: &TokenServices,
    context: &mut RequestContext,
    client: &Client,
    parameters: &mut TokenParameters,
) -> Result<UserTokenResponse, TokenError> {
    let Parameters { code, redirect_uri, code_verifier, resources } = Parameters::read(parameters)?;
    let found = services.grants.grants.find_grant(&GrantId::of_code(code.expose())).await?;
    let grant = found.ok_or(InvalidGrant::Unknown)?;
    check_client(client, &grant)?;
    check_redirect_uri(redirect_uri.as_deref(), &grant)?;
    check_code_verifier(code_verifier.as_ref(), grant.code_challenge.as_ref())?;
    // What has ended ends no second time: only the first replay is a theft.
    if grant.ended_at.is_some() {
        return Err(InvalidGrant::Ended.into());
    }
    if grant.redeemed.is_some() {
        return Err(code_reused(services, context, &grant).await);
    }
    if !grant.code_is_live(context.now) {
        return Err(InvalidGrant::Expired.into());
    }
    let user = services.grants.user_behind(&grant).await?;
    let user = user.ok_or(InvalidGrant::Ended)?;

    let what = Issue {
        grant: &grant,
        user: &user,
        scope: &grant.scope_for(client),
        resources: resources_within(&grant, resources)?,
        generation: 1,
        nonce: grant.nonce.as_deref(),
    };
    let response = issue(services, context, client, what)?;
    let now = context.now;
    let redemption = Redemption {
        id: id::uuid_v7(now, &mut *context.rng),
        at: now,
        forget_at: forget_at(now, client),
    };
    match services.grants.grants.redeem_code(&grant.id, &redemption).await? {
        Redeem::Redeemed => Ok(response),
        Redeem::Refused => Err(code_reused(services, context, &grant).await),
    }
}

/// RFC 6749 §4.1.3: the value is the one of the authorization request. It may be left out where PKCE
/// binds the code to its request (OAuth 2.1 §10.2).
fn check_redirect_uri(sent: Option<&str>, grant: &Grant) -> Result<(), InvalidGrant> {
    match (sent, grant.redirect_uri.as_deref()) {
        (Some(sent), Some(own)) if sent == own => Ok(()),
        (None, None) => Ok(()),
        (None, Some(_)) if grant.code_challenge.is_some() => Ok(()),
        (Some(_), _) | (None, Some(_)) => Err(InvalidGrant::RedirectUri),
    }
}

/// RFC 7636 §4.6, and RFC 9700 §4.8.2: a verifier without a challenge is a downgrade.
fn check_code_verifier(
    sent: Option<&Secret>,
    challenge: Option<&CodeChallenge>,
) -> Result<(), InvalidGrant> {
    match (sent, challenge) {
        (None, None) => Ok(()),
        (Some(verifier), Some(challenge)) if challenge.is_met_by(verifier.expose()) => Ok(()),
        (Some(_) | None, Some(_)) | (Some(_), None) => Err(InvalidGrant::CodeVerifier),
    }
}

/// RFC 6749 §4.1.2: a code that comes twice has been stolen by one of the two, so what it gave ends.
async fn code_reused(
    services: &TokenServices,
    context: &mut RequestContext,
    grant: &Grant,
) -> TokenError {
    match services.grants.grants.end_grant(&grant.id, context.now).await {
        Ok(()) => {
            context.outcome.theft = Some(Theft::Code);
            InvalidGrant::CodeReused.into()
        }
        Err(error) => error.into(),
    }
}
