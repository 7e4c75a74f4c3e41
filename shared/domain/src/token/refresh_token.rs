//! The refresh token grant (RFC 6749 §6). Refresh tokens converge: of one grant, one generation is live,
//! and a rotation is one conditional write, so that a fork cannot exist.

use super::allowed::{narrowed_scope, resources_within};
use super::ends::{check_client, forget_at};
use super::error::{InvalidGrant, TokenError};
use super::issue::{Issue, issue};
use super::parameters::TokenParameters;
use super::response::UserTokenResponse;
use super::services::TokenServices;
use crate::models::client::Client;
use crate::models::grant::{Grant, REFRESH_GRACE, Redeemed, Rotation};
use crate::stores::Rotate;
use crate::values::{RequestContext, Scope, Secret, Theft, Timestamp};

/// The parameters of the grant.
struct Parameters {
    /// The refresh token.
    refresh_token: Secret,
    /// What the access token shall allow; `None` asks for all that was granted.
    scope: Option<String>,
    /// Whom the access token shall be for (RFC 8707 §2).
    resources: Vec<String>,
}

impl Parameters {
    fn read(parameters: &mut TokenParameters) -> Result<Self, TokenError> {
        Ok(Self {
            refresh_token: parameters.require("refresh_token", "refresh_token is missing")?,
            scope: parameters.take_text("scope"),
            resources: parameters.take_all("resource"),
        })
    }
}

/// What the use of a refresh token means.
#[derive(Debug, Eq, PartialEq)]
enum Use {
    /// It is the live one: its successor becomes live.
    First,
    /// It was live a moment ago and its successor is unused: a lost race, or a client that did not get
    /// the answer. It gets the same successor.
    Again,
    /// It is older than that: somebody has a copy (RFC 9700 §4.14.2).
    Reuse,
}

/// The next tokens of a grant. They are signed before the rotation is written.
pub(super) async fn grant(
    services: &TokenServices,
    context: &mut RequestContext,
    client: &Client,
    parameters: &mut TokenParameters,
) -> Result<UserTokenResponse, TokenError> {
    let Parameters { refresh_token, scope, resources } = Parameters::read(parameters)?;
    let now = context.now;
    let token = services.refresh_key.read(refresh_token.expose()).ok_or(InvalidGrant::Unknown)?;
    let found = services.grants.grants.find_grant(&token.grant).await?;
    let grant = found.ok_or(InvalidGrant::Unknown)?;
    check_client(client, &grant)?;
    let redeemed = grant.redeemed.as_ref().ok_or(InvalidGrant::Unknown)?;
    // Whoever tries again after the end has stolen nothing more.
    if grant.ended_at.is_some() {
        return Err(InvalidGrant::Ended.into());
    }
    let usage = usage(token.generation, redeemed, now)?;
    if usage == Use::Reuse {
        return Err(reused(services, context, &grant).await);
    }
    if now >= Grant::refresh_ends_at(redeemed, &client.metadata.lifetimes) {
        return Err(InvalidGrant::Expired.into());
    }
    let user = services.grants.user_behind(&grant).await?;
    let user = user.ok_or(InvalidGrant::Ended)?;

    let what = Issue {
        grant: &grant,
        user: &user,
        scope: &narrowed(&grant.scope_for(client), scope.as_deref())?,
        resources: resources_within(&grant, resources)?,
        generation: token.generation + 1,
        nonce: None,
    };
    let response = issue(services, context, client, what)?;
    if usage == Use::Again {
        return Ok(response);
    }
    let rotation =
        Rotation { from: token.generation, at: now, forget_at: forget_at(redeemed.at, client) };
    match services.grants.grants.rotate_refresh_token(&grant.id, &rotation).await? {
        Rotate::Rotated => Ok(response),
        Rotate::Refused(stored) => match lost_race(token.generation, stored.as_deref()) {
            Lost::SameToken => Ok(response),
            Lost::GrantEnded => Err(InvalidGrant::Ended.into()),
            Lost::LaterToken => Err(reused(services, context, &grant).await),
        },
    }
}

/// What it means that a refresh token of `generation` is used at `now`.
fn usage(generation: u32, redeemed: &Redeemed, now: Timestamp) -> Result<Use, InvalidGrant> {
    let live = redeemed.generation;
    if generation == live {
        return Ok(Use::First);
    }
    // Only the store could have forgotten a generation: a restored backup.
    let behind = live.checked_sub(generation).ok_or(InvalidGrant::Unknown)?;
    let within_grace = now < redeemed.rotated_at.plus(REFRESH_GRACE);
    Ok(if behind == 1 && within_grace { Use::Again } else { Use::Reuse })
}

/// What came between the read of a grant and its rotation.
enum Lost {
    /// A rotation of the same token: its successor is this one's too.
    SameToken,
    /// The end of the grant.
    GrantEnded,
    /// More than one rotation.
    LaterToken,
}

fn lost_race(generation: u32, stored: Option<&Grant>) -> Lost {
    let Some(stored) = stored.filter(|stored| stored.ended_at.is_none()) else {
        return Lost::GrantEnded;
    };
    match &stored.redeemed {
        Some(redeemed) if redeemed.generation == generation + 1 => Lost::SameToken,
        Some(_) => Lost::LaterToken,
        None => Lost::GrantEnded,
    }
}

/// RFC 6749 §6: no more than was granted. What is left out now may be asked for the next time.
fn narrowed(granted: &Scope, asked: Option<&str>) -> Result<Scope, TokenError> {
    narrowed_scope(granted, asked).map_err(TokenError::InvalidScope)
}

/// RFC 9700 §4.14.2: the use of an old token ends the grant, for one of its two holders is a thief.
async fn reused(
    services: &TokenServices,
    context: &mut RequestContext,
    grant: &Grant,
) -> TokenError {
    match services.grants.grants.end_grant(&grant.id, context.now).await {
        Ok(()) => {
            context.outcome.theft = Some(Theft::RefreshToken);
            InvalidGrant::RefreshTokenReused.into()
        }
        Err(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::models::claims::RequestedClaims;

    #[rstest]
    #[case(3, 0, Ok(Use::First))]
    #[case(3, 1_000_000, Ok(Use::First))]
    #[case(2, 9, Ok(Use::Again))]
    #[case(2, 10, Ok(Use::Reuse))]
    #[case(1, 0, Ok(Use::Reuse))]
    #[case(4, 0, Err(InvalidGrant::Unknown))]
    fn only_the_token_before_the_live_one_gets_its_successor_and_for_ten_seconds(
        #[case] generation: u32,
        #[case] seconds: u32,
        #[case] expected: Result<Use, InvalidGrant>,
    ) {
        let at = Timestamp::from_seconds(1000);
        let redeemed = Redeemed { at, generation: 3, rotated_at: at };
        assert_eq!(usage(generation, &redeemed, at.plus(seconds)), expected);
    }

    fn stored(redeemed: Option<Redeemed>, ended_at: Option<Timestamp>) -> Grant {
        let at = Timestamp::from_seconds(1000);
        Grant {
            id: crate::values::GrantId::of_code("code"),
            client: uuid::Uuid::nil(),
            user: uuid::Uuid::nil(),
            scope: Scope::default(),
            claims: RequestedClaims::default(),
            resources: Vec::new(),
            redirect_uri: None,
            code_challenge: None,
            nonce: None,
            authentication: crate::models::authentication::AuthenticationEvent {
                method: crate::values::AuthenticationMethod::Password,
                time: at,
                acr: "1".to_owned(),
                amr: Vec::new(),
            },
            session: crate::values::SessionId::of("session"),
            ends_with_session: false,
            consent: crate::values::Generation::default(),
            issued_at: at,
            redeemed,
            ended_at,
        }
    }

    #[test]
    fn a_rotation_that_lost_its_race_follows_the_winner_unless_the_winner_is_further_on() {
        let at = Timestamp::from_seconds(1000);
        let of = |generation| Some(Redeemed { at, generation, rotated_at: at });
        let lost = |stored: Option<&Grant>| lost_race(3, stored);
        assert!(matches!(lost(Some(&stored(of(4), None))), Lost::SameToken));
        assert!(matches!(lost(Some(&stored(of(5), None))), Lost::LaterToken));
        assert!(matches!(lost(Some(&stored(of(4), Some(at)))), Lost::GrantEnded));
        assert!(matches!(lost(Some(&stored(None, None))), Lost::GrantEnded));
        assert!(matches!(lost(None), Lost::GrantEnded));
    }
}
