//! The story of a user: an administrator makes an account, its user signs in to a public client and to a
//! private one, both act for the user as far as they were allowed, and it ends in each way that it can.

use serde_json::{Value, json};

use crate::app::{TestClient, TestUser, unverified};
use crate::browser::{Browser, Form, Landing, html};
use crate::call::{Answer, Call, Server};
use crate::sign_in::{CALLBACK, CHALLENGE, VERIFIER, authorize_path};

/// Where the clients here let their users go after the sign-out.
const BYE: &str = "https://app.example.com/bye";
const PASSWORD: &str = "a password of the story";
const WRONG_PASSWORD: &str = "not the password of the story";

/// Tells the story to `server`, whose issuer is `issuer` and whose API key is `api_key`. Gives back what
/// nobody may find in a log: passwords, cookies, codes, tokens, secrets, a verifier, what guards a form.
pub async fn sign_in(server: &Server, issuer: &str, api_key: &str) -> Vec<String> {
    let (server, issuer) = (server.clone(), issuer.to_owned());
    let secrets = [api_key, PASSWORD, WRONG_PASSWORD, VERIFIER].map(str::to_owned).to_vec();
    let mut teller = Teller { server, issuer, api_key: api_key.to_owned(), secrets };
    let user = teller.user().await;
    teller.a_public_client(&user).await;
    teller.a_private_client(&user).await;
    teller.the_end_of_a_user(&user).await;
    teller.secrets
}

struct Teller {
    server: Server,
    issuer: String,
    api_key: String,
    secrets: Vec<String>,
}

impl Teller {
    /// The app sends its user, who mistypes, signs in and consents; the app gets tokens, learns who it is,
    /// refreshes, signs the user in again without a question, and revokes.
    async fn a_public_client(&mut self, user: &TestUser) {
        let client = self.client(&json!({"type": "public"})).await;
        let mut browser = self.browser();
        let plain = request(&client, &[("state", "the state"), ("nonce", "the nonce")]);
        let page = browser.open(&plain).await.page();
        assert_eq!(page.status, 200);
        let style = self.server.get("/style.css").send().await;
        assert!(style.header("content-type").starts_with("text/css"));
        let mistyped = [("email", user.email.as_str()), ("password", WRONG_PASSWORD)];
        let page = browser.submit(&page, &mistyped).await.page();
        assert_eq!(page.status, 400);
        let entered = [("email", user.email.as_str()), ("password", PASSWORD)];
        let page = browser.submit(&page, &entered).await.page();
        assert!(html(&page).contains("id=\"allow\""), "{}", html(&page));
        self.secrets.push(Form::of(&page).get("csrf"));
        let landing = browser.submit(&page, &[("decision", "allow")]).await.client();
        assert!(landing.url.starts_with(&format!("{CALLBACK}?code=")), "{}", landing.url);
        assert_eq!((landing.get("state"), landing.get("iss")), ("the state".into(), self.issuer()));

        let tokens = self.redeem(&client, &landing).await;
        self.check_tokens(&tokens, &client, user);
        let info = self.userinfo(&tokens).await;
        assert_eq!(info.status, 200, "{}", info.json());
        assert_eq!((info.text("sub"), info.text("email")), (user.id.clone(), user.email.clone()));
        let next = self.refresh(&client, &tokens.text("refresh_token")).await;
        assert_eq!(next.status, 200, "{}", next.json());
        assert_ne!(next.text("refresh_token"), tokens.text("refresh_token"));

        // The browser knows its user, and the user has consented: nothing is asked.
        let silent = request(&client, &[("prompt", "none")]);
        let landing = browser.open(&silent).await.client();
        let others = self.redeem(&client, &landing).await;
        let replayed = self.call_to_redeem(&client, &landing).send().await;
        assert_eq!(replayed.outcome(), (400, "invalid_grant".into()));
        assert_eq!(self.userinfo(&others).await.status, 401, "a stolen code gives nothing");
        assert_eq!(self.userinfo(&next).await.status, 200, "other grants go on");

        let revoked = ("token", next.text("refresh_token"));
        let revoke = self.call(&client, "/oauth2/revoke", &[(revoked.0, &revoked.1)]);
        assert_eq!(revoke.send().await.status, 200);
        let refused = self.refresh(&client, &next.text("refresh_token")).await;
        assert_eq!(refused.outcome(), (400, "invalid_grant".into()));
        assert_eq!(self.userinfo(&next).await.status, 401);
        self.keep_cookies(&browser);
    }

    /// A client with a secret and without PKCE. The user denies, then consents; the answer is posted; the
    /// client asks what its tokens are worth, and signs the user out.
    async fn a_private_client(&mut self, user: &TestUser) {
        let client = self.client(&json!({"type": "private"})).await;
        let mut browser = self.browser();
        let without_pkce = [("code_challenge", ""), ("code_challenge_method", "")];
        let path = request(&client, &without_pkce);
        let page = browser.open(&path).await.page();
        let entered = [("email", user.email.as_str()), ("password", PASSWORD)];
        let page = browser.submit(&page, &entered).await.page();
        let denied = browser.submit(&page, &[("decision", "deny")]).await.client();
        assert_eq!(denied.get("error"), "access_denied");

        let posted = [&without_pkce[..], &[("response_mode", "form_post")]].concat();
        let page = browser.open(&request(&client, &posted)).await.page();
        let page = browser.submit(&page, &[("decision", "allow")]).await.page();
        let script = format!("{}/form_post.js", self.issuer);
        assert!(html(&page).contains(&script), "{}", html(&page));
        assert_eq!(browser.get(&script).await.status, 200);
        let form = Form::of(&page);
        assert_eq!((form.action.as_str(), form.get("iss")), (CALLBACK, self.issuer()));
        let landing =
            Landing { url: form.action.clone(), parameters: form.hidden.into_iter().collect() };
        let tokens = self.redeem(&client, &landing).await;
        for token in ["access_token", "refresh_token"] {
            let known = self.introspect(&client, &tokens.text(token)).await;
            assert_eq!(known["active"], true, "{known}");
            assert_eq!((&known["sub"], &known["username"]), (&json!(user.id), &json!(user.email)));
        }

        let (hint, bye) =
            (tokens.text("id_token"), [("state", "bye"), ("post_logout_redirect_uri", BYE)]);
        let parameters = [&[("id_token_hint", hint.as_str())], &bye[..]].concat();
        let logout = authorize_path(&parameters).replace("/oauth2/authorize", "/oauth2/logout");
        let landing = browser.open(&logout).await.client();
        assert_eq!(landing.url, format!("{BYE}?state=bye"));
        assert_eq!(self.introspect(&client, &tokens.text("access_token")).await["active"], false);
        let refused = self.refresh(&client, &tokens.text("refresh_token")).await;
        assert_eq!(refused.outcome(), (400, "invalid_grant".into()));
        let silent = [&without_pkce[..], &[("prompt", "none")]].concat();
        let landing = browser.open(&request(&client, &silent)).await.client();
        assert_eq!(landing.get("error"), "login_required");
        self.keep_cookies(&browser);
    }

    /// A grant that outlives the session ends with its user.
    async fn the_end_of_a_user(&mut self, user: &TestUser) {
        let client = self.client(&json!({"type": "public", "skipConsent": true})).await;
        let mut browser = self.browser();
        let offline = request(&client, &[("scope", "openid offline_access")]);
        let page = browser.open(&offline).await.page();
        let entered = [("email", user.email.as_str()), ("password", PASSWORD)];
        let landing = browser.submit(&page, &entered).await.client();
        let tokens = self.redeem(&client, &landing).await;
        self.keep_cookies(&browser);
        let page = browser.open("/signout").await.page();
        let page = browser.submit(&page, &[]).await.page();
        assert!(html(&page).contains("You are signed out"), "{}", html(&page));
        let next = self.refresh(&client, &tokens.text("refresh_token")).await;
        assert_eq!(next.status, 200, "offline access goes on: {}", next.json());

        let path = format!("/admin/users/{}", user.id);
        let list = self.admin("GET", "/admin/users?limit=100&columns=id,email").send().await;
        let own = json!({"id": user.id, "email": user.email});
        assert!(list.json()["nodes"].as_array().is_some_and(|nodes| nodes.contains(&own)));
        assert_eq!(self.admin("DELETE", &path).send().await.status, 200);
        assert_eq!(self.admin("GET", &path).send().await.status, 404);
        assert_eq!(self.userinfo(&next).await.status, 401);
        let refused = self.refresh(&client, &next.text("refresh_token")).await;
        assert_eq!(refused.outcome(), (400, "invalid_grant".into()));
    }

    fn check_tokens(&self, tokens: &Answer, client: &TestClient, user: &TestUser) {
        assert_eq!(tokens.header("cache-control"), "no-store");
        assert_eq!(tokens.text("scope"), "openid profile email");
        let (header, claims) = unverified(&tokens.text("id_token"));
        assert_eq!(header["alg"], "RS256");
        assert_eq!(claims["iss"], self.issuer.as_str());
        assert_eq!(claims["aud"], client.client_id.as_str());
        assert_eq!(claims["sub"], user.id.as_str());
        assert_eq!(claims["nonce"], "the nonce");
        let (header, claims) = unverified(&tokens.text("access_token"));
        assert_eq!(header["typ"], "at+jwt");
        assert_eq!(
            (&claims["sub"], &claims["client_id"]),
            (&json!(user.id), &json!(client.client_id))
        );
    }

    fn issuer(&self) -> String {
        self.issuer.clone()
    }

    fn browser(&self) -> Browser {
        Browser::new(self.server.clone(), &self.issuer)
    }

    fn admin(&self, method: &str, path: &str) -> Call {
        let method = method.parse().expect("a method");
        self.server.call(method, path).header("x-api-key", &self.api_key)
    }

    async fn user(&self) -> TestUser {
        let members = json!({"email": "Ann@example.com", "name": "Ann", "password": PASSWORD});
        let created = self.admin("POST", "/admin/users").json(&members).send().await;
        assert_eq!(created.status, 201, "{}", created.json());
        assert!(!created.json().to_string().contains(PASSWORD));
        let (id, email) = (created.text("id"), created.text("email"));
        assert_eq!(created.header("location"), format!("{}/admin/users/{id}", self.issuer));
        TestUser { id, email, password: PASSWORD.to_owned() }
    }

    async fn client(&mut self, more: &Value) -> TestClient {
        let mut members = json!({
            "name": "Photos", "redirectUris": [CALLBACK], "postLogoutRedirectUris": [BYE],
            "scopes": ["openid", "profile", "email", "offline_access"],
        });
        let all = members.as_object_mut().expect("an object");
        all.extend(more.as_object().expect("an object").clone());
        let created = self.admin("POST", "/admin/clients").json(&members).send().await;
        assert_eq!(created.status, 201, "{}", created.json());
        let secret = created.text("clientSecret");
        self.secrets.extend((!secret.is_empty()).then(|| secret.clone()));
        TestClient { id: created.text("id"), client_id: created.text("clientId"), secret }
    }

    /// A call of `client`, authenticated as its type asks.
    fn call(&self, client: &TestClient, path: &str, parameters: &[(&str, &str)]) -> Call {
        let call = self.server.post(path);
        if client.secret.is_empty() {
            let id = [("client_id", client.client_id.as_str())];
            return call.form(&[&id, parameters].concat());
        }
        call.basic(&client.client_id, &client.secret).form(parameters)
    }

    fn call_to_redeem(&self, client: &TestClient, landing: &Landing) -> Call {
        let code = landing.get("code");
        assert!(!code.is_empty(), "{}", landing.url);
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let has_challenge = client.secret.is_empty();
        let sent = if has_challenge { &parameters[..] } else { &parameters[..3] };
        self.call(client, "/oauth2/token", sent)
    }

    async fn redeem(&mut self, client: &TestClient, landing: &Landing) -> Answer {
        let tokens = self.call_to_redeem(client, landing).send().await;
        assert_eq!(tokens.status, 200, "{}", tokens.json());
        self.secrets.push(landing.get("code"));
        self.keep_tokens(&tokens);
        tokens
    }

    async fn refresh(&mut self, client: &TestClient, token: &str) -> Answer {
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let tokens = self.call(client, "/oauth2/token", &parameters).send().await;
        self.keep_tokens(&tokens);
        tokens
    }

    async fn userinfo(&self, tokens: &Answer) -> Answer {
        let token = tokens.text("access_token");
        self.server.get("/oauth2/userinfo").bearer(&token).send().await
    }

    async fn introspect(&self, client: &TestClient, token: &str) -> Value {
        let answer = self.call(client, "/oauth2/introspect", &[("token", token)]).send().await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()
    }

    fn keep_tokens(&mut self, tokens: &Answer) {
        let tokens = ["access_token", "refresh_token", "id_token"].map(|name| tokens.text(name));
        self.secrets.extend(tokens.into_iter().filter(|token| !token.is_empty()));
    }

    fn keep_cookies(&mut self, browser: &Browser) {
        assert!(!browser.cookies.is_empty());
        self.secrets.extend(browser.cookies.values().cloned());
    }
}

/// An authorization request of `client`, with these changes; what is empty is left out.
fn request(client: &TestClient, changes: &[(&str, &str)]) -> String {
    let plain = [
        ("client_id", client.client_id.as_str()),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid profile email"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let kept = plain.iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    let all: Vec<_> = kept.chain(changes).copied().filter(|(_, value)| !value.is_empty()).collect();
    authorize_path(&all)
}
