//! `GET` and `POST /known-browser`: a one-time link that an administrator has made. Its button makes this browser known to
//! the user's account, so that no stranger's failures keep the user out of it. It signs no user in.

use axum::extract::Request;
use axum::response::Response;
use http::header::ORIGIN;
use http::{HeaderMap, StatusCode};
use identety_domain::session::BrowserLinkToken;
use identety_domain::user_authentication::LinkError;
use identety_http::form::Form;
use url::Url;

use crate::device_cookie;
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
    Ok(respond(StatusCode::OK, &page, &[])?)
}

/// Own page → form → the link is used up → the browser's cookie.
pub(crate) async fn post(mut visit: Visit, request: Request) -> Response {
    let known = make_known(&mut visit, request).await;
    visit.answer(known)
}

async fn make_known(visit: &mut Visit, request: Request) -> Result<Response, Failure> {
    if !is_from_own_page(request.headers(), visit.base()) {
        return Err(Failure::forged());
    }
    let mut form = Form::read(request).await?;
    let token = token(&mut form)?;
    check_no_more(&form)?;
    let Visit { door, context, device, .. } = &mut *visit;
    let device = door.channel.browser_links.redeem(context, &token, device).await?;
    let page = Notice {
        base: visit.base(),
        title: "This browser is known now",
        text: "From this browser, you can sign in to your account again.",
        what_to_do: "Go back to the app and sign in with your password.",
        request_id: None,
    };
    let mut response = respond(StatusCode::OK, &page, &[])?;
    device_cookie::write(&mut response, &device, visit.is_secure());
    Ok(response)
}

fn token(form: &mut Form) -> Result<BrowserLinkToken, Failure> {
    let token = form.take("token").and_then(|text| BrowserLinkToken::parse(&text));
    token.ok_or_else(|| LinkError::NotOpen.into())
}

/// Whether a form comes from a page of this server. Browsers say where from (Fetch §3.1, Fetch Metadata §2.1); what says
/// nothing is no browser that another site could lead here.
fn is_from_own_page(headers: &HeaderMap, base: &str) -> bool {
    let own = Url::parse(base).map(|url| url.origin().ascii_serialization());
    let says = |name: &str, expected: &[u8]| {
        headers.get_all(name).iter().all(|value| value.as_bytes() == expected)
    };
    own.is_ok_and(|own| says(ORIGIN.as_str(), own.as_bytes()))
        && says("sec-fetch-site", b"same-origin")
}
