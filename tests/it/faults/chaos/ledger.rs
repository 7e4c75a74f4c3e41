//! What a worker knows of what it was promised, and how that is held against the server.

use identety_domain::grant::GrantId;
use identety_tests::app::{TestApp, TestClient};

/// What is known of something that was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Known {
    Yes,
    No,
    /// The answer was that the server is busy, so it may have been done.
    Perhaps,
}

impl Known {
    /// What is known after one more request for it that was answered so.
    pub(super) fn after(self, done: bool) -> Self {
        match (self, done) {
            (_, true) | (Self::Yes, _) => Self::Yes,
            _ => Self::Perhaps,
        }
    }
}

/// An m2m client whose creation was acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) client: TestClient,
    pub(super) disabled: Known,
    pub(super) deleted: Known,
    /// Secrets that a rotation has ended.
    pub(super) ended: Vec<String>,
    /// Whether the current secret may have been ended by a rotation that nobody heard of.
    pub(super) secret_ended: Known,
}

/// A grant, from its code on, as the two workers that share it know it together.
#[derive(Clone, Debug, Default)]
pub(super) struct Family {
    pub(super) code: String,
    pub(super) redemptions: u32,
    /// The refresh tokens that were given: that of generation 1, of 2, …
    pub(super) heads: Vec<String>,
    /// How many of them were shown: all, or all but the newest.
    pub(super) shown: usize,
    /// The generations that are being shown and not answered yet.
    pub(super) asking: Vec<usize>,
    /// Whether it was ended, by a revocation or because its code or an old token was shown twice.
    pub(super) ended: Option<Known>,
}

impl Family {
    /// Notes that the newest head is shown: its generation, and it.
    pub(super) fn show(&mut self) -> (usize, String) {
        self.shown = self.heads.len();
        self.asking.push(self.shown);
        (self.shown, self.heads.last().unwrap().clone())
    }

    /// Notes that this was answered, however. Whether the server may have taken what is on its way, this
    /// too, for a copy, and ended the family, because its successor was shown meanwhile.
    pub(super) fn answered(&mut self, generation: usize) -> bool {
        let may_have_ended = self.asking.iter().any(|asked| self.shown > *asked);
        let place = self.asking.iter().position(|asked| *asked == generation);
        self.asking.swap_remove(place.expect("it was asked"));
        may_have_ended
    }

    /// Notes the successor of a generation, which is the same whoever gets it.
    pub(super) fn succeed(&mut self, of: usize, next: String) {
        assert_eq!(generation(&next) as usize, of + 1, "not the next one: {self:?}");
        match self.heads.get(of) {
            Some(known) => assert_eq!(*known, next, "one token has two successors"),
            None => self.heads.push(next),
        }
    }

    /// What is known after one more request to end it.
    pub(super) fn end(&mut self, done: bool) {
        self.ended = Some(self.ended.unwrap_or(Known::No).after(done));
    }
}

impl Machine {
    /// What a token request with its secret may be answered.
    pub(super) fn expected(&self) -> &'static [u16] {
        let all = [self.disabled, self.deleted, self.secret_ended];
        if all.contains(&Known::Yes) {
            &[401, 429]
        } else if all.contains(&Known::Perhaps) {
            &[200, 401, 429]
        } else {
            &[200]
        }
    }

    /// What the administration may say of it: `expected`, unless it is deleted.
    pub(super) fn expected_of_administration(&self, expected: &'static [u16]) -> &'static [u16] {
        match (self.deleted, expected) {
            (Known::No, expected) => expected,
            (Known::Yes, _) => &[404],
            (Known::Perhaps, _) => &[200, 201, 404, 409],
        }
    }
}

/// Checks a client that was acknowledged once.
pub(super) async fn check_machine(app: &TestApp, machine: &Machine, stored: &str) {
    let Machine { client, disabled, deleted, ended, secret_ended: _ } = machine;
    let path = format!("/admin/clients/{}", client.id);
    let shown = app.admin("GET", &path).send().await;
    match deleted {
        Known::No => assert_eq!(shown.status, 200, "an acknowledged client is lost"),
        Known::Yes => assert_eq!(shown.status, 404),
        Known::Perhaps => assert!([200, 404].contains(&shown.status)),
    }
    if shown.status == 200 && *disabled != Known::Perhaps {
        assert_eq!(shown.json()["isActive"], *disabled == Known::No);
    }
    // A client and the pointer to it are there together, or not at all.
    let items = stored.matches(&client.id).count();
    assert_eq!(items == 0, shown.status == 404, "{items} mentions of a client");
    let answer = app.token(client, &[]).await;
    assert!(machine.expected().contains(&answer.status), "{machine:?}: {}", answer.json());
    for secret in ended {
        let client = TestClient { secret: secret.clone(), ..client.clone() };
        assert!([401, 429].contains(&app.token(&client, &[]).await.status), "{machine:?}");
    }
}

/// The generation that a refresh token is of.
fn generation(token: &str) -> u32 {
    token.split('.').nth(1).unwrap().parse().unwrap()
}

/// Checks a family: one redemption, one live head, none after its end.
pub(super) async fn check_family(app: &TestApp, client: &TestClient, family: &Family) {
    let Family { code, redemptions, heads, shown, asking, ended } = family;
    assert!(asking.is_empty() && *redemptions <= 1, "a code was redeemed twice: {family:?}");
    let grant = app.stores.grants.find_grant(&GrantId::of_code(code)).await.unwrap().unwrap();
    match ended {
        Some(Known::Yes) => assert!(grant.ended_at.is_some(), "a revocation is lost"),
        Some(_) => {}
        None => assert_eq!(grant.ended_at, None, "nobody has ended it: {family:?}"),
    }
    let Some(head) = heads.last() else { return };
    // One item, and so one live generation: the newest that was given, or its successor if it was shown.
    let live = grant.redeemed.as_ref().expect("it was redeemed").generation as usize;
    let known = heads.len();
    let unheard = usize::from(*shown == known);
    assert!((known..=known + unheard).contains(&live), "{live} is live: {family:?}");
    let next = app.refresh(client, head, &[]).await;
    if grant.ended_at.is_some() {
        assert_eq!(next.outcome(), (400, "invalid_grant".into()));
        return;
    }
    assert_eq!(next.status, 200, "{}", next.json());
    let next = next.text("refresh_token");
    assert_eq!(generation(&next) as usize, known + 1);
    // The one before the live one gives the live one itself, so that there is no second.
    let again = app.refresh(client, head, &[]).await;
    assert_eq!((again.status, again.text("refresh_token")), (200, next.clone()));
    // Every head before that is used up: to show one is to show a copy, and ends them all.
    if let [oldest, _, ..] = heads.as_slice() {
        for token in [oldest, head, &next] {
            let reused = app.refresh(client, token, &[]).await;
            assert_eq!(reused.outcome(), (400, "invalid_grant".into()));
        }
    }
}
