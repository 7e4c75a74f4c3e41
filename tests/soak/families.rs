//! Workers that are users: they sign in, and their apps redeem codes, refresh, and revoke. Two workers share
//! each app and its refresh tokens, and neither waits for the other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::header::SET_COOKIE;
use identety_tests::app::TestClient;
use identety_tests::browser::{Form, html};
use identety_tests::call::{Answer, Call};
use identety_tests::sign_in::{CALLBACK, PASSWORD, VERIFIER, request};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use crate::beside::Beside;
use crate::{Known, Shared};

/// How long after its first use a refresh token must still give its successor, whoever has got it or not. The
/// server allows ten seconds.
const GRACE: Duration = Duration::from_secs(5);
/// How many families two workers go on with.
const AT_ONCE: usize = 20;

/// A grant whose first tokens were acknowledged, as the two workers that share it know it together.
#[derive(Clone, Debug)]
struct Family {
    /// The refresh tokens that were given: that of generation 1, of 2, …
    heads: Vec<String>,
    /// When each of them was shown first; of the newest, not yet perhaps.
    shown: Vec<Instant>,
    /// The generations that are being shown and not answered yet.
    asking: Vec<usize>,
    ended: Known,
}

impl Family {
    fn new(head: String, ended: Known) -> Self {
        Self { heads: vec![head], shown: Vec::new(), asking: Vec::new(), ended }
    }

    /// Notes that the newest head is shown: its generation, and it.
    fn show(&mut self) -> (usize, String) {
        let generation = self.heads.len();
        if self.shown.len() < generation {
            self.shown.push(Instant::now());
        }
        self.asking.push(generation);
        (generation, self.heads.last().expect("a head").clone())
    }

    /// Notes that this was answered, however. Whether the server may have taken what is on its way, this
    /// too, for a copy, and ended the family: because its successor was shown meanwhile, or for its age.
    fn answered(&mut self, generation: usize) -> bool {
        let is_of_use =
            |asked: &usize| self.shown.len() > *asked || self.shown[*asked - 1].elapsed() > GRACE;
        let may_have_ended = self.asking.iter().any(is_of_use);
        let place = self.asking.iter().position(|asked| *asked == generation);
        self.asking.swap_remove(place.expect("it was asked"));
        may_have_ended
    }
}

impl Family {
    /// Notes the successor of a generation, which is the same whoever gets it; what is wrong with it, if
    /// anything is.
    fn succeed(&mut self, of: usize, next: &str) -> Option<&'static str> {
        if generation(next) != of + 1 {
            return Some("not the next one");
        }
        if let Some(known) = self.heads.get(of) {
            return (known != next).then_some("two successors");
        }
        self.heads.push(next.to_owned());
        None
    }
}

/// A user, their app, and the ledger of its grants.
struct Account {
    client: TestClient,
    email: String,
    all: Mutex<Vec<Family>>,
    /// How often both workers have shown the same token at the same time.
    together: Mutex<u32>,
}

/// One of two workers of an account: two tabs of an app, which do not ask each other.
pub(crate) struct Families {
    shared: Shared,
    rng: StdRng,
    account: Arc<Account>,
    cookies: BTreeMap<String, String>,
}

/// The generation that a refresh token is of.
fn generation(token: &str) -> usize {
    token.split('.').nth(1).expect("a generation").parse().expect("a number")
}

impl Families {
    /// The two workers of a new account.
    pub(crate) async fn pair(shared: &Shared, number: u64) -> [Self; 2] {
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
        let (all, together) = (Mutex::default(), Mutex::default());
        let account = Arc::new(Account { client, email, all, together });
        [2 * number, 2 * number + 1].map(|seed| Self {
            shared: shared.clone(),
            rng: StdRng::seed_from_u64(seed),
            account: account.clone(),
            cookies: BTreeMap::new(),
        })
    }

    /// How many families there are, and how often one token was shown twice at the same time.
    pub(crate) fn counts(&self) -> (usize, u32) {
        (self.account.all.lock().unwrap().len(), *self.account.together.lock().unwrap())
    }

    pub(crate) async fn work(mut self) -> Self {
        while !self.shared.is_over() {
            let alive = self.known(|family| family.ended == Known::No).len();
            match self.rng.random_range(0..40) {
                _ if self.shared.is_quiet() => self.refresh().await,
                0..=3 if alive < AT_ONCE => self.begin().await,
                4 => self.begin_twice().await,
                5 => self.revoke().await,
                _ => self.refresh().await,
            }
        }
        self
    }

    /// Which families are so, the oldest first.
    fn known(&self, is_meant: impl Fn(&Family) -> bool) -> Vec<usize> {
        let all = self.account.all.lock().unwrap();
        (0..all.len()).filter(|index| is_meant(&all[*index])).collect()
    }

    /// Looks at a family, or notes something.
    fn family<T>(&self, index: usize, what: impl FnOnce(&mut Family) -> T) -> T {
        what(&mut self.account.all.lock().unwrap()[index])
    }

    fn call(&self, path: &str, parameters: &[(&str, &str)]) -> Call {
        let call = self.shared.server.post(path);
        call.basic(&self.account.client.client_id, &self.account.client.secret).form(parameters)
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
        let answer = self.shared.expect("page", &(), call, &[200, 303]).await?;
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
        let path = request(&self.account.client, &[]);
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
                fields.extend([("email", self.account.email.as_str()), ("password", PASSWORD)]);
                self.shared.server.post(own(&form.action)).form(&fields)
            };
            answer = self.browse(call).await?;
        }
        self.shared.report("a sign-in without end".to_owned());
        None
    }

    async fn begin(&mut self) {
        let Some(code) = self.code().await else { return };
        if let Some(answer) = self.shared.expect("redeem", &(), self.redeem(&code), &[200]).await {
            self.keep(&answer, Known::No).await;
        }
    }

    /// Shows a code twice at the same time: at most one wins, and what it wins may be ended.
    async fn begin_twice(&mut self) {
        let Some(code) = self.code().await else { return };
        let (one, other) = tokio::join!(
            self.shared.expect("redeem", &(), self.redeem(&code), &[200, 400]),
            self.shared.expect("redeem", &(), self.redeem(&code), &[200, 400]),
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
        let family = Family::new(answer.text("refresh_token"), ended);
        self.account.all.lock().unwrap().push(family);
    }

    /// Refreshes a family: every other time the newest that is live, so that both workers meet there.
    async fn refresh(&mut self) {
        let live = self.known(|family| family.ended == Known::No);
        let all = self.known(|_| true);
        let index = match (live.last(), self.rng.random_range(0..8)) {
            (Some(newest), 0..=3) => *newest,
            (Some(_), 4..=6) => live[self.rng.random_range(0..live.len())],
            _ if all.is_empty() => return,
            _ => all[self.rng.random_range(0..all.len())],
        };
        self.refresh_one(index).await;
    }

    async fn refresh_one(&mut self, index: usize) {
        let (before, (generation, head)) = self.family(index, |family| {
            if family.asking.contains(&family.heads.len()) {
                *self.account.together.lock().unwrap() += 1;
            }
            (family.clone(), family.show())
        });
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", head.as_str())];
        let call = self.call("/oauth2/token", &parameters);
        let answer = self.shared.expect("refresh", &before, call, &[200, 400]).await;
        let good = answer.as_ref().filter(|answer| answer.status == 200);
        let wrong = self.family(index, |family| {
            let may_have_ended = family.answered(generation);
            match (&answer, good) {
                (_, Some(_)) if before.ended == Known::Yes => Some("it has ended"),
                (_, Some(answer)) => family.succeed(generation, &answer.text("refresh_token")),
                // It was ended before, or has been now, as reuse.
                (Some(_), None) => {
                    let was_live = family.ended == Known::No && !may_have_ended;
                    family.ended = Known::Yes;
                    was_live.then_some("it was live")
                }
                (None, None) => {
                    if may_have_ended {
                        family.ended = family.ended.after(false);
                    }
                    None
                }
            }
        });
        if let Some(wrong) = wrong {
            let told = answer.as_ref().map(Answer::outcome);
            let now = self.family(index, |family| family.clone());
            self.shared
                .report(format!("{wrong}: {told:?} for {generation} of {before:?}, {now:?}"));
        }
        if let Some(answer) = good {
            self.shared.verify(&answer.text("access_token")).await;
        }
    }

    async fn revoke(&mut self) {
        let Some(index) = self.known(|family| family.ended == Known::No).pop() else { return };
        let head = self.family(index, |family| {
            // From now on nobody can tell.
            family.ended = family.ended.after(false);
            family.heads.last().expect("a head").clone()
        });
        let call = self.call("/oauth2/revoke", &[("token", &head)]);
        let answer = self.shared.expect("revoke", &(), call, &[200]).await;
        self.family(index, |family| family.ended = family.ended.after(answer.is_some()));
    }

    /// Holds the server to everything that it has acknowledged: the newest head of each family lives, or it
    /// has ended; the one before it gives the same; and all before those are dead.
    pub(crate) async fn check(&mut self, beside: &Beside) {
        for index in self.known(|_| true) {
            let before = self.family(index, |family| family.clone());
            let grant = beside.grant(&before.heads[0]).await;
            let live = grant.redeemed.expect("it was redeemed").generation as usize;
            let (given, shown) = (before.heads.len(), before.shown.len());
            let is_ended = grant.ended_at.is_some();
            // Only what was shown can have been followed by something.
            if !(given..=shown.max(given - 1) + 1).contains(&live)
                || is_ended != (before.ended == Known::Yes) && before.ended != Known::Perhaps
            {
                self.shared.report(format!("{live}, {is_ended} is stored of {before:?}"));
            }
            self.refresh_one(index).await;
            let (ended, heads) = self.family(index, |it| (it.ended, it.heads.clone()));
            let [oldest, .., former, newest] = heads.as_slice() else { continue };
            if ended != Known::No {
                continue;
            }
            // Two uses of one token within ten seconds: the same successor, and so one live head.
            let again = self.show_old(former, &[200]).await;
            if again.is_none_or(|again| again != *newest) {
                self.shared.report(format!("two heads: {heads:?}"));
            }
            self.show_old(oldest, &[400]).await;
            self.show_old(newest, &[400]).await;
        }
    }

    /// Shows a token that was shown before, and gives its successor.
    async fn show_old(&self, token: &str, expected: &[u16]) -> Option<String> {
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let call = self.call("/oauth2/token", &parameters);
        let answer = self.shared.expect("a used refresh token", &token, call, expected).await;
        answer.map(|answer| answer.text("refresh_token"))
    }
}
