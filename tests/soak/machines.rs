//! Workers that administer m2m clients and fetch their tokens.

use identety_tests::app::{TestClient, unverified};
use identety_tests::call::Call;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::{Known, Shared};

/// How many clients a worker has that it has not given up.
const AT_ONCE: usize = 12;

/// A client whose creation was acknowledged.
#[derive(Debug)]
struct Machine {
    client: TestClient,
    disabled: Known,
    deleted: Known,
    /// Secrets that an acknowledged rotation has ended.
    ended: Vec<String>,
    /// Whether a rotation that nobody heard of may have ended the current secret.
    secret_ended: Known,
}

/// One worker and its ledger.
pub(crate) struct Machines {
    shared: Shared,
    rng: StdRng,
    all: Vec<Machine>,
}

fn token(shared: &Shared, client_id: &str, secret: &str) -> Call {
    let call = shared.server.post("/oauth2/token").basic(client_id, secret);
    call.form(&[("grant_type", "client_credentials")])
}

fn admin(shared: &Shared, method: &str, path: &str) -> Call {
    let call = shared.server.call(method.parse().expect("a method"), path);
    call.header("x-api-key", &shared.api_key)
}

pub(crate) async fn create(shared: &Shared, alg: &str) -> Option<TestClient> {
    let members = json!({"name": "Soak", "type": "m2m", "scopes": ["read"],
        "accessTokenSigningAlg": alg});
    let call = admin(shared, "POST", "/admin/clients").json(&members);
    let answer = shared.expect("create", &(), call, &[201]).await?;
    Some(TestClient {
        id: answer.text("id"),
        client_id: answer.text("clientId"),
        secret: answer.text("clientSecret"),
    })
}

/// Fetches tokens of one client, as fast as they come. One in ten is verified: verifying takes the test longer
/// than issuing takes the server, and there is to be load.
pub(crate) async fn load(shared: Shared) {
    let client = loop {
        if let Some(client) = create(&shared, "ES256").await {
            break client;
        }
    };
    for number in 0.. {
        if shared.is_over() {
            break;
        }
        let call = token(&shared, &client.client_id, &client.secret);
        let Some(answer) = shared.expect("load", &client, call, &[200]).await else { continue };
        let body = answer.json();
        if u32::is_multiple_of(number, 10) {
            check_token(&shared, &client, &body).await;
        } else {
            let (_, claims) = unverified(body["access_token"].as_str().expect("a token"));
            check_claims(&shared, &client, Some(&claims));
        }
    }
}

/// Checks that a token of the server is this client's.
async fn check_token(shared: &Shared, client: &TestClient, body: &Value) {
    let token = body["access_token"].as_str().expect("a token");
    let claims = shared.verify(token).await;
    check_claims(shared, client, claims.as_ref());
}

/// Checks that the claims of a token are this client's.
pub(crate) fn check_claims(shared: &Shared, client: &TestClient, claims: Option<&Value>) {
    let Some(claims) = claims else { return };
    if claims["client_id"] != client.client_id.as_str() || claims["scope"] != "read" {
        shared.report(format!("a token of somebody else: {claims}"));
    }
}

impl Machine {
    /// What a request with its secret may be answered.
    fn expected(&self) -> &'static [u16] {
        let all = [self.disabled, self.deleted, self.secret_ended];
        if all.contains(&Known::Yes) {
            &[401, 429]
        } else if all.contains(&Known::Perhaps) {
            &[200, 401, 429]
        } else {
            &[200]
        }
    }

    fn is_given_up(&self) -> bool {
        self.expected() != [200]
    }
}

impl Machines {
    pub(crate) fn new(shared: Shared, seed: u64) -> Self {
        Self { shared, rng: StdRng::seed_from_u64(seed), all: Vec::new() }
    }

    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    pub(crate) async fn work(mut self) -> Self {
        while !self.shared.is_over() {
            let alive = self.all.iter().filter(|machine| !machine.is_given_up()).count();
            match self.rng.random_range(0..200) {
                16.. => self.fetch().await,
                12..=15 => self.list().await,
                _ if self.shared.is_quiet() => self.fetch().await,
                0..=5 if alive < AT_ONCE => self.create().await,
                6..=8 => self.rotate().await,
                9 | 10 => self.disable().await,
                11 => self.delete().await,
                _ => self.fetch().await,
            }
        }
        self
    }

    async fn create(&mut self) {
        let alg = if self.rng.random_range(0..4) == 0 { "RS256" } else { "ES256" };
        if let Some(client) = create(&self.shared, alg).await {
            let (disabled, deleted, secret_ended) = (Known::No, Known::No, Known::No);
            self.all.push(Machine { client, disabled, deleted, ended: vec![], secret_ended });
        }
    }

    /// One of the clients, most often one that lives.
    fn any(&mut self) -> Option<usize> {
        let wants_alive = self.rng.random_range(0..8) > 0;
        let meant = |machine: &Machine| !wants_alive || !machine.is_given_up();
        let all: Vec<_> = (0..self.all.len()).filter(|n| meant(&self.all[*n])).collect();
        (!all.is_empty()).then(|| all[self.rng.random_range(0..all.len())])
    }

    async fn fetch(&mut self) {
        let Some(index) = self.any() else { return };
        let Machine { client, ended, .. } = &self.all[index];
        let call = token(&self.shared, &client.client_id, &client.secret);
        let expected = self.all[index].expected();
        let answer = self.shared.expect("fetch", &self.all[index], call, expected).await;
        if let Some(answer) = answer.filter(|answer| answer.status == 200) {
            check_token(&self.shared, client, &answer.json()).await;
        }
        if let Some(secret) = ended.last().filter(|_| self.rng.random_range(0..20) == 0) {
            let call = token(&self.shared, &client.client_id, secret);
            self.shared.expect("an ended secret", client, call, &[401, 429]).await;
        }
    }

    async fn rotate(&mut self) {
        let Some(index) = self.any() else { return };
        let path = format!("/admin/clients/{}/secrets", self.all[index].client.id);
        let call = admin(&self.shared, "POST", &path).json(&json!({"expirePreviousIn": 0}));
        let answer = self
            .shared
            .expect("rotate", &self.all[index], call, self.of_administration(index, 201))
            .await;
        let machine = &mut self.all[index];
        match answer {
            Some(answer) if answer.status == 201 => {
                let new = answer.text("clientSecret");
                machine.ended.push(std::mem::replace(&mut machine.client.secret, new));
                machine.secret_ended = Known::No;
            }
            Some(_) => {}
            None => machine.secret_ended = Known::Perhaps,
        }
    }

    async fn disable(&mut self) {
        let Some(index) = self.any() else { return };
        let path = format!("/admin/clients/{}", self.all[index].client.id);
        let call = admin(&self.shared, "PATCH", &path).json(&json!({"isActive": false}));
        let answer = self
            .shared
            .expect("disable", &self.all[index], call, self.of_administration(index, 200))
            .await;
        let machine = &mut self.all[index];
        machine.disabled =
            machine.disabled.after(answer.is_some_and(|answer| answer.status == 200));
    }

    async fn delete(&mut self) {
        let Some(index) = self.any() else { return };
        let path = format!("/admin/clients/{}", self.all[index].client.id);
        let call = admin(&self.shared, "DELETE", &path);
        let answer = self
            .shared
            .expect("delete", &self.all[index], call, self.of_administration(index, 200))
            .await;
        let machine = &mut self.all[index];
        machine.deleted = machine.deleted.after(answer.is_some());
    }

    async fn list(&mut self) {
        let call = admin(&self.shared, "GET", "/admin/clients?limit=5");
        self.shared.expect("list", &(), call, &[200]).await;
    }

    /// What the administration may say of a client: 404 if it is deleted.
    fn of_administration(&self, index: usize, good: u16) -> &'static [u16] {
        match (self.all[index].deleted, good) {
            (Known::Yes, _) => &[404],
            (Known::No, 201) => &[201],
            (Known::No, _) => &[200],
            (Known::Perhaps, 201) => &[201, 404],
            (Known::Perhaps, _) => &[200, 404],
        }
    }

    /// Holds the server to everything that it has acknowledged.
    pub(crate) async fn check(&mut self) {
        for index in 0..self.all.len() {
            let machine = &self.all[index];
            let path = format!("/admin/clients/{}", machine.client.id);
            let call = admin(&self.shared, "GET", &path);
            let expected = self.of_administration(index, 200);
            let answer =
                self.shared.expect("an acknowledged client", machine, call, expected).await;
            let answer = answer.map(|answer| answer.json()["isActive"].clone());
            let is_active = answer.and_then(|is_active| is_active.as_bool());
            if is_active.is_some_and(|is| match machine.disabled {
                Known::Yes => is,
                Known::No => !is,
                Known::Perhaps => false,
            }) {
                self.shared.report(format!("{machine:?} is active: {is_active:?}"));
            }
            let call = token(&self.shared, &machine.client.client_id, &machine.client.secret);
            self.shared.expect("in the end", machine, call, machine.expected()).await;
            for secret in &machine.ended {
                let call = token(&self.shared, &machine.client.client_id, secret);
                self.shared.expect("an ended secret", machine, call, &[401, 429]).await;
            }
        }
    }
}
