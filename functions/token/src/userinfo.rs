//! `GET` and `POST /oauth2/userinfo` (OpenID Connect Core 1.0 §5.3).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use identety_domain::client::Client;
use identety_domain::token::{self, UserInfo, UserInfoRefusal};
use identety_domain::{RequestContext, Secret};
use identety_http::context::HeldContext;
use identety_http::form::Form;
use identety_http::refusal::Refusal;
use identety_http::response;

use crate::cors;
use crate::state::BackChannel;

pub(crate) async fn get_or_post(
    State(state): State<Arc<BackChannel>>,
    mut context: HeldContext,
    request: Request,
) -> Response {
    let context = &mut *context;
    let (response, client) = match userinfo(&state, context, request).await {
        Ok((response, client)) => (response, Some(client)),
        Err((refusal, client)) => (refusal.into_response(context), client),
    };
    cors::share(response, context, client.as_deref())
}

/// The answer or the refusal, and the client if it is known: its scripts may read both.
async fn userinfo(
    state: &BackChannel,
    context: &mut RequestContext,
    request: Request,
) -> Result<(Response, Box<Client>), (Refusal, Option<Box<Client>>)> {
    let unknown = |refusal: Refusal| (refusal, None);
    let token = token(request).await.map_err(unknown)?;
    let services = state.token_services(context).await.map_err(unknown)?;
    match token::userinfo(&services, context, token.expose()).await {
        Ok(UserInfo { client, claims }) => match response::json(StatusCode::OK, &claims) {
            Ok(response) => Ok((response, Box::new(client))),
            Err(error) => Err((error.into(), Some(Box::new(client)))),
        },
        Err(UserInfoRefusal { client, error }) => {
            Err((Refusal::from(error).of_bearer_token(), client))
        }
    }
}

/// The token: in the header or, when posted, in the form (RFC 6750 §2.1, §2.2). One in the query would be
/// in every log on the way, and is not looked at.
async fn token(request: Request) -> Result<Secret, Refusal> {
    let invalid = |rule| Refusal::invalid_request(rule).of_bearer_token();
    let mut values = request.headers().get_all(AUTHORIZATION).iter();
    let (header, again) = (values.next().cloned(), values.next().is_some());
    if again {
        return Err(invalid("only one Authorization header may be sent"));
    }
    let in_form = if *request.method() == Method::POST && has_form(request.headers()) {
        Form::read(request).await?.take("access_token")
    } else {
        None
    };
    match (header, in_form) {
        (Some(_), Some(_)) => Err(invalid("only one access token may be sent")),
        (None, Some(token)) => Ok(Secret::new(token)),
        // RFC 6750 §3.1: a caller that shows no token hears of no error.
        (None, None) => Err(Refusal::bearer_token_missing()),
        (Some(value), None) => {
            let token = value.to_str().ok().and_then(|value| value.split_once(' '));
            let bearer = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            // RFC 6750 §3.1: nor does a caller that tries another scheme.
            let (_, token) = bearer.ok_or_else(Refusal::bearer_token_missing)?;
            Ok(Secret::from(token.trim()))
        }
    }
}

fn has_form(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media_type.is_some_and(|it| {
        let essence = it.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}
