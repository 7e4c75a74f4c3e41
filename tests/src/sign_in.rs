//! What tests of users' grants have in common: an app, its users, and the way from a click to tokens.

use serde_json::{Value, json};

use crate::app::{TestApp, TestClient, TestUser};
use crate::browser::{Browser, Landing, Shown};
use crate::call::{Answer, Call};

/// The redirect URI of the clients here.
pub const CALLBACK: &str = "https://app.example.com/callback";
/// RFC 7636, Appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The challenge of [`VERIFIER`].
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The password of the users here.
pub const PASSWORD: &str = "correct horse battery staple";

/// `/oauth2/authorize` with these parameters.
pub fn authorize_path(parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    format!("/oauth2/authorize?{}", query.finish())
}

/// The parameters of a plain request of `client`, some of them replaced or, when empty, left out.
pub fn request<'a>(client: &'a TestClient, changes: &[(&'a str, &'a str)]) -> String {
    let plain = [
        ("client_id", client.client_id.as_str()),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid profile email"),
        ("state", "the state"),
        ("nonce", "the nonce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let kept = plain.iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    let all: Vec<_> = kept.chain(changes).copied().filter(|(_, value)| !value.is_empty()).collect();
    authorize_path(&all)
}

/// The parameters of a plain request to redeem a code.
fn redemption(code: &str) -> [(&str, &str); 4] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
}

impl TestApp {
    /// Registers a public client, which signs with ES256 and may have everything that users give.
    pub async fn public_client(&self) -> TestClient {
        self.users_client(json!({"type": "public"})).await
    }

    /// Registers a private client of that kind.
    pub async fn private_client(&self) -> TestClient {
        self.users_client(json!({"type": "private"})).await
    }

    /// Registers a client that acts for users, with other members.
    pub async fn users_client(&self, more: Value) -> TestClient {
        let mut members = json!({
            "name": "Photos",
            "redirectUris": [CALLBACK],
            "postLogoutRedirectUris": ["https://app.example.com/bye"],
            "scopes": ["openid", "profile", "email", "address", "phone", "offline_access",
                "photos:read", "photos:write"],
            "accessTokenSigningAlg": "ES256",
            "idTokenSigningAlg": "ES256",
        });
        let all = members.as_object_mut().expect("an object");
        all.extend(more.as_object().expect("an object").clone());
        self.register(members).await
    }

    /// A user with an address of their own.
    pub async fn alice(&self) -> TestUser {
        self.user_with(json!({
            "email": "alice@example.com",
            "emailVerified": true,
            "name": "Alice Adams",
            "password": PASSWORD,
        }))
        .await
    }

    /// A user of whom everything is known.
    pub async fn ada(&self) -> TestUser {
        let members = json!({
            "email": "ada@example.com", "emailVerified": true, "password": PASSWORD,
            "phoneNumber": "+4930123456", "phoneNumberVerified": true,
            "name": "Ada Lovelace", "givenName": "Ada", "familyName": "Lovelace", "middleName": "King",
            "nickname": "Countess", "preferredUsername": "ada", "profile": "https://example.com/ada",
            "picture": "https://example.com/ada.png", "website": "https://ada.example.com/",
            "gender": "female", "birthdate": "1815-12-10", "zoneinfo": "Europe/London",
            "locale": "en-GB",
            "address": {
                "formatted": "12 St James's Square", "streetAddress": "12 St James's Square",
                "locality": "London", "region": "Greater London", "postalCode": "SW1Y 4JH",
                "country": "GB",
            },
        });
        let answer = self.admin("POST", "/admin/users").json(&members).send().await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        TestUser {
            id: answer.text("id"),
            email: "ada@example.com".to_owned(),
            password: PASSWORD.to_owned(),
        }
    }

    /// A browser.
    pub fn browser(&self) -> Browser {
        Browser::new(self.server.clone(), self.issuer)
    }

    /// Goes the way from a request to the client's redirect URI: signs in and consents where asked.
    pub async fn authorize(&self, browser: &mut Browser, path: &str, user: &TestUser) -> Landing {
        let shown = browser.open(path).await;
        self.go_on(browser, shown, user).await
    }

    /// The rest of that way.
    pub async fn go_on(&self, browser: &mut Browser, shown: Shown, user: &TestUser) -> Landing {
        browser.go_on(shown, &user.email, &user.password).await
    }

    /// A code for `client`, by a plain request with these changes.
    pub async fn code(
        &self,
        browser: &mut Browser,
        client: &TestClient,
        user: &TestUser,
        changes: &[(&str, &str)],
    ) -> String {
        let landing = self.authorize(browser, &request(client, changes), user).await;
        let code = landing.get("code");
        assert!(!code.is_empty(), "{}", landing.url);
        code
    }

    /// A call of `client` to the token endpoint, authenticated as its type asks.
    pub fn token_call(&self, client: &TestClient, parameters: &[(&str, &str)]) -> Call {
        self.client_call("/oauth2/token", client, parameters)
    }

    /// A call of `client` to an endpoint for clients.
    pub fn client_call(
        &self,
        path: &str,
        client: &TestClient,
        parameters: &[(&str, &str)],
    ) -> Call {
        let call = self.server.post(path);
        if client.secret.is_empty() {
            let id = [("client_id", client.client_id.as_str())];
            return call.form(&[&id, parameters].concat());
        }
        call.basic(&client.client_id, &client.secret).form(parameters)
    }

    /// A plain call of `client` to redeem a code.
    pub fn redeem_call(&self, client: &TestClient, code: &str) -> Call {
        self.token_call(client, &redemption(code))
    }

    /// Redeems a code, with these changes to a plain request.
    pub async fn redeem(
        &self,
        client: &TestClient,
        code: &str,
        changes: &[(&str, &str)],
    ) -> Answer {
        let plain = redemption(code);
        let kept = plain.iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
        let all: Vec<_> =
            kept.chain(changes).copied().filter(|(_, value)| !value.is_empty()).collect();
        self.token_call(client, &all).send().await
    }

    /// A plain call of `client` to refresh.
    pub fn refresh_call(&self, client: &TestClient, refresh_token: &str) -> Call {
        let plain = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.token_call(client, &plain)
    }

    /// Refreshes, with more parameters.
    pub async fn refresh(
        &self,
        client: &TestClient,
        refresh_token: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let plain = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.token_call(client, &[&plain, more].concat()).send().await
    }

    /// The tokens of a whole flow of its own browser, with these changes to the request.
    pub async fn tokens(
        &self,
        client: &TestClient,
        user: &TestUser,
        changes: &[(&str, &str)],
    ) -> Answer {
        let code = self.code(&mut self.browser(), client, user, changes).await;
        let answer = self.redeem(client, &code, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer
    }

    /// Asks userinfo.
    pub async fn userinfo(&self, access_token: &str) -> Answer {
        self.server.get("/oauth2/userinfo").bearer(access_token).send().await
    }

    /// Asks what a token is worth.
    pub async fn introspect(&self, client: &TestClient, token: &str) -> Answer {
        self.client_call("/oauth2/introspect", client, &[("token", token)]).send().await
    }

    /// Revokes a token.
    pub async fn revoke(&self, client: &TestClient, token: &str) -> Answer {
        self.client_call("/oauth2/revoke", client, &[("token", token)]).send().await
    }

    /// Whether an access token is active, as a resource server hears that may ask about every client's.
    pub async fn is_active(&self, access_token: &str) -> bool {
        let api = self.m2m_client(&["tokens:introspect"]).await;
        let answer = self.introspect(&api, access_token).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        let active = answer.json()["active"].as_bool().expect("RFC 7662 §2.2");
        assert!(active || answer.json() == json!({"active": false}), "{}", answer.json());
        active
    }

    /// Asserts that nothing of what was given for one grant counts any more, wherever it is shown: the
    /// oldest tokens first.
    pub async fn assert_dead(&self, client: &TestClient, given: &[&Answer]) {
        for answer in given {
            let (access, refresh) = (answer.text("access_token"), answer.text("refresh_token"));
            let info = self.userinfo(&access).await;
            assert_eq!(info.outcome(), (401, "invalid_token".to_owned()));
            assert!(!self.is_active(&access).await);
            if !client.secret.is_empty() {
                for token in [&access, &refresh] {
                    let answer = self.introspect(client, token).await;
                    assert_eq!((answer.status, answer.json()), (200, json!({"active": false})));
                }
            }
        }
        // The newest first: the use of an older one would end a grant that is still alive.
        for answer in given.iter().rev() {
            let refused = self.refresh(client, &answer.text("refresh_token"), &[]).await;
            assert_eq!(refused.outcome(), (400, "invalid_grant".to_owned()));
        }
    }

    /// Asserts that the newest tokens of a grant count. The refresh token stays unused.
    pub async fn assert_alive(&self, client: &TestClient, newest: &Answer) {
        let access = newest.text("access_token");
        assert_eq!(self.userinfo(&access).await.status, 200);
        assert!(self.is_active(&access).await);
        if !client.secret.is_empty() {
            for token in ["access_token", "refresh_token"] {
                let answer = self.introspect(client, &newest.text(token)).await;
                assert_eq!(answer.json()["active"], true, "{token}");
            }
        }
    }
}
