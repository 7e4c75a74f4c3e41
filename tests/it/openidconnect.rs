//! Users' sign-in with the crate `openidconnect`, all of its checks on, against the real program.

use std::io;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use identety_tests::browser::Browser;
use identety_tests::serve::Serve;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreProviderMetadata, CoreTokenResponse,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl,
    Scope, TokenResponse as _,
};
use serde_json::{Value, json};

const REDIRECT: &str = "https://notes.example.com/cb";

/// What the crate sends its requests with.
async fn send(request: HttpRequest) -> Result<HttpResponse, io::Error> {
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(parts, Full::<Bytes>::from(body));
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.map_err(io::Error::other)?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes().to_vec();
    Ok(Response::from_parts(parts, body))
}

/// Registers through the administration API; gives the answer.
async fn admin(serve: &Serve, path: &str, body: &Value) -> Value {
    let key = serve.admin()["apiKey"].as_str().unwrap().to_owned();
    let answer = serve.server().post(path).header("x-api-key", &key).json(body).send().await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()
}

fn is_of_ann(claims: &CoreIdTokenClaims, ann: &Value) {
    assert_eq!(Some(claims.subject().as_str()), ann["id"].as_str());
    assert!(claims.auth_time().is_some());
    assert_eq!(claims.email().map(|email| email.as_str()), Some("ann@example.com"));
    assert_eq!(claims.email_verified(), Some(false));
    assert_eq!(claims.name().and_then(|name| name.get(None)).unwrap().as_str(), "Ann");
}

#[tokio::test]
async fn both_client_types_sign_users_in() {
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start(data.path()).await;
    let ann = json!({"email": "ann@example.com", "password": "correct horse", "name": "Ann"});
    let ann = admin(&serve, "/admin/users", &ann).await;
    let issuer = IssuerUrl::new(serve.url.clone()).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &send).await.unwrap();

    for kind in ["public", "private"] {
        let scopes = ["openid", "profile", "email", "offline_access"];
        let members =
            json!({"name": "Notes", "type": kind, "redirectUris": [REDIRECT], "scopes": scopes});
        let registered = admin(&serve, "/admin/clients", &members).await;
        let id = ClientId::new(registered["clientId"].as_str().unwrap().to_owned());
        let secret = registered["clientSecret"].as_str().map(str::to_owned).map(ClientSecret::new);
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, secret)
            .set_redirect_uri(RedirectUrl::new(REDIRECT.to_owned()).unwrap());

        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (url, state, nonce) = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(["profile", "email", "offline_access"].map(str::to_owned).map(Scope::new))
            .set_pkce_challenge(challenge)
            .url();
        let mut browser = Browser::new(serve.server(), &serve.url);
        let shown = browser.open(url.as_str()).await;
        let answer = browser.go_on(shown, "ann@example.com", "correct horse").await;
        assert!(answer.url.starts_with(REDIRECT), "{}", answer.url);
        assert_eq!(answer.get("state"), *state.secret());
        assert_eq!(answer.get("iss"), serve.url);

        let code = AuthorizationCode::new(answer.get("code"));
        let tokens: CoreTokenResponse = client
            .exchange_code(code)
            .unwrap()
            .set_pkce_verifier(verifier)
            .request_async(&send)
            .await
            .unwrap();
        let judge = client.id_token_verifier();
        let id_token = tokens.id_token().unwrap();
        is_of_ann(id_token.claims(&judge, &nonce).unwrap(), &ann);
        let hash = AccessTokenHash::from_token(
            tokens.access_token(),
            id_token.signing_alg().unwrap(),
            id_token.signing_key(&judge).unwrap(),
        );
        let claims = id_token.claims(&judge, &nonce).unwrap();
        assert_eq!(claims.access_token_hash(), Some(&hash.unwrap()));
        assert!(id_token.claims(&judge, &Nonce::new("other".to_owned())).is_err());

        let refreshed: CoreTokenResponse = client
            .exchange_refresh_token(tokens.refresh_token().unwrap())
            .unwrap()
            .request_async(&send)
            .await
            .unwrap();
        assert_ne!(refreshed.access_token().secret(), tokens.access_token().secret());
        let subject = Some(claims.subject().clone());
        let info: CoreUserInfoClaims = client
            .user_info(refreshed.access_token().clone(), subject)
            .unwrap()
            .request_async(&send)
            .await
            .unwrap();
        assert_eq!(info.email().map(|email| email.as_str()), Some("ann@example.com"));
        assert_eq!(info.name().and_then(|name| name.get(None)).unwrap().as_str(), "Ann");
    }
}
