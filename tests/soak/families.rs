//! Workers that are users: they sign in, and their apps redeem codes, refresh, and revoke.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use http::header::SET_COOKIE;
use identety_tests::app::TestClient;
use identety_tests::browser::{Form, html};
use identety_tests::call::{Answer, Call};
use identety_tests::sign_in::{CALLBACK, PASSWORD, VERIFIER, request};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use crate::{Known, Shared};

/// How long after a refresh that nobody heard of the same token must still give its successor. The server
/// allows ten seconds.
const GRACE: Duration = Duration::from_secs(5);
/// How many families a worker goes on with.
const AT_ONCE: usize = 20;

/// A grant whose first tokens were acknowledged.
#[derive(Debug)]
struct Family {
    /// The refresh tokens that were given, the newest last.
    heads: Vec<String>,
    /// Since when there may be a newer one than those.
    ahead_since: Option<Instant>,
    ended: Known,
}

/// One user with a browser and an app, and the ledger.
pub(crate) struct Families {
    shared: Shared,
    rng: StdRng,
    client: TestClient,
    email: String,
    cookies: BTreeMap<String, String>,
    all: Vec<Family>,
}

/// The generation that a refresh token is of.
fn generation(token: &str) -> u32 {
    token.split('.').nth(1).expect("a generation").parse().expect("a number")
}

impl Families {
    pub(crate) async fn new(shared: Shared, number: u32) -> Self {
        let email = format!("user{number}@example.com");
        let create = |kind: &str| {
            let call = shared.server.post(format!("/admin/{kind}"));
            call.header("x-api-key", &shared.api_key)
        };
        let user = json!({"email": email, "password": PASSWORD});
        assert_eq!(create("users").json(&user).send().await.status, 201);
        let members = json!({
            "name": "Soak", "type": "private", "skipConsent": true, "redirectUris": [CALLBACK],
            "scopes": ["openid", "profile", "email"],
            "accessTokenSigningAlg": "ES256", "idTokenSigningAlg": "ES256",
        });
        let answer = create("clients").json(&members).send().await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        let client = TestClient {
            id: answer.text("id"),
            client_id: answer.text("clientId"),
            secret: answer.text("clientSecret"),
        };
        let rng = StdRng::seed_from_u64(number.into());
        Self { shared, rng, client, email, cookies: BTreeMap::new(), all: Vec::new() }
    }

    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    pub(crate) async fn work(mut self) -> Self {
        while !self.shared.is_over() {
            let alive = self.all.iter().filter(|family| family.ended == Known::No).count();
            match self.rng.random_range(0..40) {
                0..=3 if alive < AT_ONCE => self.begin().await,
                4 => self.begin_twice().await,
                5 => self.revoke().await,
                _ => self.refresh().await,
            }
        }
        self
    }

    fn call(&self, path: &str, parameters: &[(&str, &str)]) -> Call {
        let call = self.shared.server.post(path);
        call.basic(&self.client.client_id, &self.client.secret).form(parameters)
    }

    fn redeem(&self, code: &str) -> Call {
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.call("/oauth2/token", &parameters)
    }

    /// A call of the browser.
    async fn browse(&mut self, call: Call) -> Option<Answer> {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, it)| format!("{name}={it}")).collect();
        let call = if pairs.is_empty() { call } else { call.header("cookie", &pairs.join("; ")) };
        let answer = self.shared.expect("a page", call, &[200, 303]).await?;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("a cookie");
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a value");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Some(answer)
    }

    /// A code, by signing in where that is asked.
    async fn code(&mut self) -> Option<String> {
        let path = request(&self.client, &[]);
        let mut answer = self.browse(self.shared.server.get(path)).await?;
        for _ in 0..10 {
            let location = answer.header("location").to_owned();
            if let Some(query) = location.strip_prefix(CALLBACK) {
                let query = query.trim_start_matches('?').as_bytes();
                let mut pairs = url::form_urlencoded::parse(query).into_owned();
                return pairs.find(|(name, _)| name == "code").map(|(_, code)| code);
            }
            let own = |url: &str| url.strip_prefix(&self.shared.issuer).unwrap_or(url).to_owned();
            let call = if answer.status == 303 {
                self.shared.server.get(own(&location))
            } else {
                if !html(&answer).contains("id=\"password\"") {
                    self.shared.report(format!("no sign-in: {}", html(&answer)));
                    return None;
                }
                let form = Form::of(&answer);
                let mut fields: Vec<_> =
                    form.hidden.iter().map(|(name, it)| (name.as_str(), it.as_str())).collect();
                fields.extend([("email", self.email.as_str()), ("password", PASSWORD)]);
                self.shared.server.post(own(&form.action)).form(&fields)
            };
            answer = self.browse(call).await?;
        }
        self.shared.report("a sign-in without end".to_owned());
        None
    }

    async fn begin(&mut self) {
        let Some(code) = self.code().await else { return };
        if let Some(answer) = self.shared.expect("redeem", self.redeem(&code), &[200]).await {
            self.keep(&answer, Known::No).await;
        }
    }

    /// Shows a code twice at the same time: at most one wins, and what it wins may be ended.
    async fn begin_twice(&mut self) {
        let Some(code) = self.code().await else { return };
        let (one, other) = tokio::join!(
            self.shared.expect("redeem", self.redeem(&code), &[200, 400]),
            self.shared.expect("redeem", self.redeem(&code), &[200, 400]),
        );
        let good = |answer: &Answer| answer.status == 200;
        let won: Vec<_> = [one, other].into_iter().flatten().filter(good).collect();
        if won.len() > 1 {
            self.shared.report("a code was redeemed twice".to_owned());
        }
        for answer in won {
            self.keep(&answer, Known::Perhaps).await;
        }
    }

    async fn keep(&mut self, answer: &Answer, ended: Known) {
        self.shared.verify(&answer.text("access_token")).await;
        self.shared.verify(&answer.text("id_token")).await;
        let heads = vec![answer.text("refresh_token")];
        self.all.push(Family { heads, ahead_since: None, ended });
    }

    async fn refresh(&mut self) {
        let count = self.all.len();
        if count == 0 {
            return;
        }
        // Most often one of the latest, for those live.
        let index = count - 1 - self.rng.random_range(0..count.min(2 * AT_ONCE));
        self.refresh_one(index).await;
    }

    async fn refresh_one(&mut self, index: usize) {
        let family = &self.all[index];
        let head = family.heads.last().expect("a head");
        let start = Instant::now();
        let is_late = family.ahead_since.is_some_and(|since| since.elapsed() > GRACE);
        let expected: &[u16] = match family.ended {
            Known::Yes => &[400],
            Known::No if !is_late => &[200],
            Known::No | Known::Perhaps => &[200, 400],
        };
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", head)];
        let call = self.call("/oauth2/token", &parameters);
        let what = format!("refresh of {family:?}");
        let answer = self.shared.expect(&what, call, expected).await;
        let family = &mut self.all[index];
        match answer {
            Some(answer) if answer.status == 200 => {
                let next = answer.text("refresh_token");
                if generation(&next) != generation(family.heads.last().expect("a head")) + 1 {
                    self.shared.report(format!("not the next one: {family:?}"));
                }
                family.heads.push(next);
                family.ahead_since = None;
                self.shared.verify(&answer.text("access_token")).await;
            }
            // It was ended before, or has been now, as reuse.
            Some(_) => family.ended = Known::Yes,
            None => {
                family.ahead_since.get_or_insert(start);
            }
        }
    }

    async fn revoke(&mut self) {
        let Some(index) = self.all.iter().rposition(|family| family.ended == Known::No) else {
            return;
        };
        let head = self.all[index].heads.last().expect("a head");
        let call = self.call("/oauth2/revoke", &[("token", head)]);
        let answer = self.shared.expect("revoke", call, &[200]).await;
        let family = &mut self.all[index];
        family.ended = family.ended.after(answer.is_some());
    }

    /// Holds the server to everything that it has acknowledged: the newest head of each family lives, or it
    /// has ended; and once the newest was used, all before it are dead.
    pub(crate) async fn check(&mut self) {
        for index in 0..self.all.len() {
            self.refresh_one(index).await;
            let family = &self.all[index];
            if family.ended != Known::No || family.heads.len() < 3 {
                continue;
            }
            // The token before the live one may come again for ten seconds, and gives the same one.
            let oldest = family.heads.first().expect("a head");
            let parameters = [("grant_type", "refresh_token"), ("refresh_token", oldest)];
            let call = self.call("/oauth2/token", &parameters);
            self.shared.expect("a used refresh token", call, &[400]).await;
        }
    }
}
