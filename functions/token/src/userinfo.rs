//! `GET` and `POST /oauth2/userinfo` (OpenID Connect Core 1.0 §5.3).

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use identety_domain::Secret;
use identety_domain::token::{self, OAuthErrorCode, PublicError, UserInfoRefusal};
use identety_http::edge::Context;
use identety_http::form::Form;
use identety_http::logging::Outcome;
use identety_http::response;

use crate::token::unready;
use crate::{BackChannel, cors, request};

pub(crate) async fn get_or_post(
    State(state): State<Arc<BackChannel>>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let token = match token(request, &context).await {
        Ok(token) => token,
        Err(mut response) => {
            cors::share(&mut response, &headers, None);
            return *response;
        }
    };
    let services = match state.services(&context).await {
        Ok(services) => services,
        Err(error) => return unready(&error, &context),
    };
    match token::userinfo(&services, token.expose(), context.now).await {
        Ok(info) => {
            let mut response = response::json(StatusCode::OK, &info.claims, &context.id);
            cors::share(&mut response, &headers, Some(&info.client));
            Outcome::success(info.client.client_id.as_str(), None).attach(&mut response);
            response
        }
        Err(UserInfoRefusal { client, error }) => {
            let mut response =
                response::bearer_error(error.public(), &error.to_string(), &context.id);
            cors::share(&mut response, &headers, client.as_deref());
            response
        }
    }
}

/// The token: in the header or, when posted, in the form (RFC 6750 §2.1, §2.2). One in the query would be
/// in every log on the way, and is not looked at.
async fn token(request: Request, context: &Context) -> Result<Secret, Box<Response>> {
    let invalid = |description| {
        let error = PublicError::new(OAuthErrorCode::InvalidRequest, description);
        Box::new(response::bearer_error(error, description, &context.id))
    };
    let mut values = request.headers().get_all(AUTHORIZATION).iter();
    let (header, again) = (values.next().cloned(), values.next().is_some());
    if again {
        return Err(invalid("only one Authorization header may be sent"));
    }
    let in_form = if *request.method() == Method::POST && has_form(request.headers()) {
        let form = Form::read(request).await;
        form.map_err(|error| Box::new(request::form_error(error)))?.take("access_token")
    } else {
        None
    };
    match (header, in_form) {
        (Some(_), Some(_)) => Err(invalid("only one access token may be sent")),
        (None, Some(token)) => Ok(Secret::new(token)),
        // RFC 6750 §3.1: who shows no token hears of no error.
        (None, None) => Err(Box::new(response::bearer_challenge())),
        (Some(value), None) => {
            let token = value.to_str().ok().and_then(|value| value.split_once(' '));
            let bearer = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            // RFC 6750 §3.1: so does who tries another scheme.
            let token = bearer.ok_or_else(|| Box::new(response::bearer_challenge()))?.1;
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
