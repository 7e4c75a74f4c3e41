//! `GET` and `POST /known-browser`: a one-time link that an administrator has made. Its button makes this browser known to
//! the user's account, so that no stranger's failures keep the user out of it. It signs no user in.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use identety_domain::session::BrowserLinkToken;
use identety_domain::user_authentication::LinkError;
use identety_http::form::Form;

use crate::failure::Failure;
use crate::pages::{KnownBrowser, Notice, respond};
use crate::visit::{Visit, check_no_more};

/// The page, which asks. Nothing changes: a program that looks at links in mails must not use this one up.
pub(crate) async fn get(mut visit: Visit) -> Response {
    let shown = show(&visit).await;
    visit.answer(shown)
}

async fn show(visit: &Visit) -> Result<Response, Failure> {
    let token = token(&mut Form::parse(visit.query.as_bytes())?)?;
    visit.channel().browser_links.check(&token, visit.now()).await?;
    let page = KnownBrowser { base: visit.base(), token: token.expose() };
    Ok(respond(StatusCode::OK, &page)?)
}

/// Own page → form → the link is used up → the browser's cookie.
pub(crate) async fn post(mut visit: Visit, request: Request) -> Response {
    let known = make_known(&mut visit, request).await;
    visit.answer(known)
}

async fn make_known(visit: &mut Visit, request: Request) -> Result<Response, Failure> {
    visit.check_site()?;
    let mut form = Form::read(request).await?;
    let token = token(&mut form)?;
    check_no_more(&form)?;
    let Visit { door, context, cookies, query: _ } = &mut *visit;
    let device = cookies.visitor().device;
    let device = door.channel.browser_links.redeem(context, &token, device).await?;
    cookies.keep_device(&device);
    let page = Notice {
        base: visit.base(),
        title: "This browser is known now",
        text: "From this browser, you can sign in to your account again.",
        what_to_do: "Go back to the app and sign in with your password.",
        app: None,
        request_id: None,
    };
    Ok(respond(StatusCode::OK, &page)?)
}

fn token(form: &mut Form) -> Result<BrowserLinkToken, Failure> {
    let token = form.take("token").and_then(|text| BrowserLinkToken::parse(&text));
    token.ok_or_else(|| LinkError::NotOpen.into())
}
