//! The stories that the server exists for, told to any server. That of machines: an administrator registers
//! an m2m client, the client fetches a token, the token is verified, the client's secret is rotated, the
//! client goes. That of users is [`sign_in`].

mod sign_in;

use serde_json::json;

pub use sign_in::sign_in;

use crate::app::unverified;
use crate::call::Server;

/// Tells the story to `server`, whose issuer is `issuer` and whose API key is `api_key`.
pub async fn m2m(server: &Server, issuer: &str, api_key: &str) {
    let admin = |method: &str, path: &str| {
        let method = method.parse().expect("a method");
        server.call(method, path).header("x-api-key", api_key)
    };
    let discovery = server.get("/.well-known/openid-configuration").send().await;
    assert_eq!(discovery.status, 200);
    assert_eq!(discovery.text("issuer"), issuer);
    assert_eq!(discovery.text("token_endpoint"), format!("{issuer}/oauth2/token"));

    // An administrator registers a client …
    let members = json!({"name": "Reports", "type": "m2m", "scopes": ["clients:read", "a&b"]});
    let created = admin("POST", "/admin/clients").json(&members).send().await;
    assert_eq!(created.status, 201, "{}", created.json());
    let (id, client_id) = (created.text("id"), created.text("clientId"));
    let secret = created.text("clientSecret");
    assert_eq!(created.header("location"), format!("{issuer}/admin/clients/{id}"));

    // … which fetches a token …
    let fetch = async |secret: &str| {
        let call = server.post("/oauth2/token").basic(&client_id, secret);
        call.form(&[("grant_type", "client_credentials"), ("scope", "clients:read a&b")])
            .send()
            .await
    };
    let answer = fetch(&secret).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.text("scope"), "clients:read a&b");
    let token = answer.text("access_token");

    // … that names a published key and is verified by the server itself.
    let (header, claims) = unverified(&token);
    assert_eq!(claims["iss"], issuer);
    assert_eq!(claims["aud"], format!("{issuer}/admin"));
    let jwks = server.get("/.well-known/jwks.json").send().await;
    let keys = jwks.json()["keys"].as_array().cloned().unwrap_or_default();
    assert!(keys.iter().any(|key| key["kid"] == header["kid"]));
    let list = server.get("/admin/clients?limit=100&columns=clientId").bearer(&token).send().await;
    assert_eq!(list.status, 200, "{}", list.json());
    assert!(
        list.json()["nodes"].as_array().is_some_and(|nodes| {
            nodes.iter().any(|node| node["clientId"] == client_id.as_str())
        })
    );

    // The secret is rotated without a gap.
    let path = format!("/admin/clients/{id}/secrets");
    let rotated = admin("POST", &path).json(&json!({})).send().await;
    assert_eq!(rotated.status, 201, "{}", rotated.json());
    let newer = rotated.text("clientSecret");
    assert_eq!((fetch(&secret).await.status, fetch(&newer).await.status), (200, 200));
    let older = created.json()["secrets"][0]["id"].as_str().unwrap_or_default().to_owned();
    let deleted = admin("DELETE", &format!("{path}/{older}")).send().await;
    assert_eq!(deleted.status, 200, "{}", deleted.json());
    assert_eq!((fetch(&secret).await.status, fetch(&newer).await.status), (401, 200));

    // The client goes, and with it everything.
    let path = format!("/admin/clients/{id}");
    let changed = admin("PATCH", &path).json(&json!({"name": "Old reports"})).send().await;
    assert_eq!(changed.text("name"), "Old reports");
    assert_eq!(admin("DELETE", &path).send().await.status, 200);
    assert_eq!(admin("GET", &path).send().await.status, 404);
    assert_eq!(fetch(&newer).await.status, 401);
    assert_eq!(server.get("/admin/clients").bearer(&token).send().await.status, 401);
}
