//! Everything at once, while any request to DynamoDB may be throttled, refused, lost before or after it was
//! applied, or never answered. Each worker keeps a ledger of what was acknowledged; afterwards all is well
//! again, and the ledgers are held against the server and its store. Two workers each share the families of
//! their users, and neither waits for the other: so their refreshes race.
//!
//! The clock stands still, so that time-outs cost nothing and a seed tells most of a run again. A failure
//! names its seed.

mod ledger;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use identety_tests::app::{TestApp, TestClient, TestUser, unverified};
use identety_tests::browser::{Browser, html};
use identety_tests::call::Answer;
use identety_tests::faults::{Chaos, Plan};
use identety_tests::sign_in::{CALLBACK, PASSWORD, request};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rstest::rstest;
use serde_json::json;

use self::ledger::{Family, Known, Machine, check_family, check_machine};

const WORKERS: u64 = 6;
const STEPS: u32 = 60;

/// The families that two workers share.
type Families = Arc<Mutex<Vec<Family>>>;

/// One of those who do everything.
struct Worker {
    app: Arc<TestApp>,
    client: TestClient,
    user: TestUser,
    browser: Browser,
    rng: StdRng,
    machines: Vec<Machine>,
    families: Families,
    /// How often it has shown a refresh token while the other one did.
    together: u32,
    /// How many requests were answered with each status.
    answered: BTreeMap<u16, u32>,
}

impl Worker {
    async fn work(mut self) -> Self {
        for _ in 0..STEPS {
            match self.rng.random_range(0..24) {
                0..=2 => self.create_machine().await,
                3..=6 => self.use_machine().await,
                7 => self.disable_machine().await,
                8 | 9 => self.rotate_secret().await,
                10 => self.delete_machine().await,
                11..=14 => self.begin_family().await,
                15..=22 => self.refresh().await,
                _ => self.revoke().await,
            }
        }
        self
    }

    /// Notes an answer, which must be one of `expected`, or that the server is busy.
    #[track_caller]
    fn heard(&mut self, answer: &Answer, expected: &[u16]) -> bool {
        *self.answered.entry(answer.status).or_default() += 1;
        if answer.status == 503 {
            assert_eq!(answer.header("retry-after"), "1");
            assert!(!html(answer).contains("injected"), "{}", html(answer));
            return false;
        }
        assert!(expected.contains(&answer.status), "{} {}", answer.status, html(answer));
        true
    }

    fn machine(&mut self) -> Option<usize> {
        let count = self.machines.len();
        (count > 0).then(|| self.rng.random_range(0..count))
    }

    async fn create_machine(&mut self) {
        let members = json!({"name": "Orders", "type": "m2m", "scopes": ["read"],
            "accessTokenSigningAlg": "ES256"});
        let answer = self.app.admin("POST", "/admin/clients").json(&members).send().await;
        if self.heard(&answer, &[201]) {
            let client = TestClient {
                id: answer.text("id"),
                client_id: answer.text("clientId"),
                secret: answer.text("clientSecret"),
            };
            let (disabled, deleted, secret_ended) = (Known::No, Known::No, Known::No);
            self.machines.push(Machine { client, disabled, deleted, ended: vec![], secret_ended });
        }
    }

    async fn use_machine(&mut self) {
        let Some(index) = self.machine() else { return };
        let machine = self.machines[index].clone();
        let answer = self.app.token(&machine.client, &[]).await;
        if self.heard(&answer, machine.expected()) && answer.status == 200 {
            let (_, claims) = unverified(&answer.text("access_token"));
            assert_eq!(claims["client_id"], machine.client.client_id.as_str());
        }
        if let Some(secret) = machine.ended.last() {
            let client = TestClient { secret: secret.clone(), ..machine.client };
            let answer = self.app.token(&client, &[]).await;
            self.heard(&answer, &[401, 429]);
        }
    }

    async fn disable_machine(&mut self) {
        let Some(index) = self.machine() else { return };
        let path = format!("/admin/clients/{}", self.machines[index].client.id);
        let call = self.app.admin("PATCH", &path).json(&json!({"isActive": false}));
        let answer = call.send().await;
        let expected = self.machines[index].expected_of_administration(&[200]);
        let done = self.heard(&answer, expected) && answer.status == 200;
        let machine = &mut self.machines[index];
        machine.disabled = machine.disabled.after(done);
    }

    async fn rotate_secret(&mut self) {
        let Some(index) = self.machine() else { return };
        let path = format!("/admin/clients/{}/secrets", self.machines[index].client.id);
        let members = json!({"expirePreviousIn": 0});
        let answer = self.app.admin("POST", &path).json(&members).send().await;
        let expected = self.machines[index].expected_of_administration(&[201, 409]);
        let done = self.heard(&answer, expected);
        let machine = &mut self.machines[index];
        match answer.status {
            201 => {
                let old =
                    std::mem::replace(&mut machine.client.secret, answer.text("clientSecret"));
                machine.ended.push(old);
                machine.secret_ended = Known::No;
            }
            // It has more live secrets than one only if a rotation was made that nobody heard of.
            409 => assert_eq!(machine.secret_ended, Known::Perhaps),
            _ if done => {}
            _ => machine.secret_ended = Known::Perhaps,
        }
    }

    async fn delete_machine(&mut self) {
        let Some(index) = self.machine() else { return };
        let path = format!("/admin/clients/{}", self.machines[index].client.id);
        let answer = self.app.admin("DELETE", &path).send().await;
        let expected = self.machines[index].expected_of_administration(&[200]);
        let done = self.heard(&answer, expected);
        let machine = &mut self.machines[index];
        machine.deleted = machine.deleted.after(done);
    }

    /// Goes for a code and shows it, once or twice at the same time.
    async fn begin_family(&mut self) {
        let Some(code) = self.code().await else { return };
        let is_twice = self.rng.random_range(0..4) == 0;
        let ended = is_twice.then_some(Known::Perhaps);
        let index = {
            let mut families = self.families.lock().unwrap();
            families.push(Family { code: code.clone(), ended, ..Family::default() });
            families.len() - 1
        };
        let (one, other) =
            (self.app.redeem_call(&self.client, &code), self.app.redeem_call(&self.client, &code));
        let answers = if is_twice {
            let (one, other) = tokio::join!(one.send(), other.send());
            vec![one, other]
        } else {
            vec![one.send().await]
        };
        for answer in answers {
            let expected: &[u16] = if is_twice { &[200, 400] } else { &[200] };
            let heard = self.heard(&answer, expected);
            self.family(index, |family| {
                if answer.status == 200 {
                    family.redemptions += 1;
                    family.succeed(0, answer.text("refresh_token"));
                } else if !heard {
                    // It may be used, and then whoever shows it again ends the family.
                    family.end(false);
                }
            });
        }
    }

    /// Looks at a family, or notes something.
    fn family<T>(&self, index: usize, what: impl FnOnce(&mut Family) -> T) -> T {
        what(&mut self.families.lock().unwrap()[index])
    }

    /// Which families have a refresh token, the oldest first.
    fn with_heads(&self) -> Vec<usize> {
        let families = self.families.lock().unwrap();
        (0..families.len()).filter(|index| !families[*index].heads.is_empty()).collect()
    }

    /// Goes from a request to its code, as far as the server lets it.
    async fn code(&mut self) -> Option<String> {
        let (browser, client) = (&mut self.browser, &self.client);
        let mut answer = browser.get(&request(client, &[])).await;
        for _ in 0..10 {
            let location = answer.header("location").to_owned();
            if let Some(query) = location.strip_prefix(CALLBACK) {
                let query = query.trim_start_matches('?').as_bytes();
                let parameters: BTreeMap<_, _> =
                    url::form_urlencoded::parse(query).into_owned().collect();
                if let Some(error) = parameters.get("error") {
                    assert_eq!(error, "temporarily_unavailable");
                    *self.answered.entry(503).or_default() += 1;
                }
                return parameters.get("code").cloned();
            }
            answer = match answer.status {
                303 => browser.get(&location).await,
                200 if html(&answer).contains("id=\"allow\"") => {
                    browser.submit_once(&answer, &[("decision", "allow")]).await
                }
                200 => {
                    let fields = [("email", self.user.email.as_str()), ("password", PASSWORD)];
                    browser.submit_once(&answer, &fields).await
                }
                // Attempts that could not be taken back count as failures.
                429 => return None,
                _ => {
                    assert!(!self.heard(&answer, &[]), "{}", html(&answer));
                    return None;
                }
            };
        }
        panic!("no end of it: {} {}", answer.status, html(&answer));
    }

    /// Refreshes a family, once or twice at the same time: most often the newest, so that both workers meet
    /// there.
    async fn refresh(&mut self) {
        let all = self.with_heads();
        let Some(newest) = all.last().copied() else { return };
        let is_newest = self.rng.random_range(0..3) > 0;
        let index = if is_newest { newest } else { all[self.rng.random_range(0..all.len())] };
        let is_twice = self.rng.random_range(0..2) == 0;
        let (before, generation, head) = self.family(index, |family| {
            let before = family.clone();
            let (generation, head) = family.show();
            if is_twice {
                family.show();
            }
            (before, generation, head)
        });
        self.together += u32::from(is_twice || before.asking.contains(&generation));
        let answers = if is_twice {
            let again = || self.app.refresh(&self.client, &head, &[]);
            let (one, other) = tokio::join!(again(), again());
            vec![one, other]
        } else {
            vec![self.app.refresh(&self.client, &head, &[]).await]
        };
        for answer in answers {
            let heard = self.heard(&answer, &[200, 400]);
            self.family(index, |family| {
                let may_have_ended = family.answered(generation);
                if answer.status == 200 {
                    assert_ne!(before.ended, Some(Known::Yes), "it has ended: {family:?}");
                    family.succeed(generation, answer.text("refresh_token"));
                } else if heard {
                    assert!(family.ended.is_some() || may_have_ended, "it was live: {family:?}");
                    family.ended = Some(Known::Yes);
                } else if may_have_ended {
                    family.end(false);
                }
            });
        }
    }

    async fn revoke(&mut self) {
        let Some(index) = self.with_heads().pop() else { return };
        let token = self.family(index, |family| {
            // From now on nobody can tell.
            family.end(false);
            family.heads.last().unwrap().clone()
        });
        let answer = self.app.revoke(&self.client, &token).await;
        let done = self.heard(&answer, &[200]);
        self.family(index, |family| family.end(done));
    }
}

/// Another seed each time.
fn any_seed() -> u64 {
    identety_http::ambient::rng().expect("randomness").random()
}

#[rstest]
#[case(1, 150)]
#[case(2, 250)]
#[case(3, 400)]
#[case(any_seed(), 300)]
#[tokio::test(start_paused = true)]
async fn whatever_fails_nothing_that_was_acknowledged_is_lost_and_nothing_is_given_twice(
    #[case] seed: u64,
    #[case] per_mille: u32,
) {
    println!("the seed is {seed}, with {per_mille} faults in 1000 requests");
    let (app, faults) = TestApp::start_faulty().await;
    let app = Arc::new(app);
    let client = app.private_client().await;
    assert_eq!(app.token(&client, &[]).await.status, 400, "the keys are there");
    let mut workers = Vec::new();
    let mut families = Families::default();
    for number in 0..WORKERS {
        if number.is_multiple_of(2) {
            families = Families::default();
        }
        let user = app.user(&format!("user{number}@example.com"), PASSWORD).await;
        let mut browser = app.browser();
        browser.peer = format!("192.0.2.{number}");
        workers.push(Worker {
            app: app.clone(),
            client: client.clone(),
            user,
            browser,
            rng: StdRng::seed_from_u64(seed.wrapping_add(number)),
            machines: Vec::new(),
            families: families.clone(),
            together: 0,
            answered: BTreeMap::new(),
        });
    }
    faults.plan(Plan::Chaos(Box::new(Chaos::new(seed, per_mille))));
    let at_work: Vec<_> = workers.into_iter().map(|worker| tokio::spawn(worker.work())).collect();
    let mut done = Vec::new();
    for worker in at_work {
        done.push(worker.await.expect("the worker"));
    }
    faults.clear();

    let count = |status: u16| {
        done.iter().map(|worker| worker.answered.get(&status).copied().unwrap_or_default()).sum()
    };
    let (good, busy): (u32, u32) = (count(200), count(503));
    println!("{good} good answers, {busy} times busy");
    assert!(good > 20 && busy > 0, "no chaos, or nothing but chaos: {good}, {busy}");
    let together: u32 = done.iter().map(|worker| worker.together).sum();
    println!("{together} times two showed the same refresh token at the same time");
    assert!(together > 5, "nobody meets: {together}");
    let failed = app.dump();
    for worker in &done {
        for machine in &worker.machines {
            check_machine(&app, machine, &failed).await;
        }
    }
    // Both workers of a pair have the same ones.
    for worker in done.iter().step_by(2) {
        let families = worker.families.lock().unwrap().clone();
        for family in &families {
            check_family(&app, &client, family).await;
        }
    }
}
