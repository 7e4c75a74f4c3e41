//! Clients that were read a moment ago, for deployments that would rather save a read of the store than
//! have every change bite at once.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::models::client::Client;
use crate::values::{ClientId, Generations, Seconds, Timestamp};

/// How many clients one generation of the memory holds: a megabyte or two.
const GENERATION: usize = 512;

/// The clients that authenticated a moment ago, each kept for the same short time after it was read.
///
/// By default that time is zero and nothing is kept. Otherwise a client that is disabled or deleted, and
/// a secret that is deleted, go on working in this process for so long: that is what the deployment has
/// chosen. An expiry of a secret is stored with it and is judged at each request all the same.
pub struct RecentClients {
    keep: Duration,
    clients: Mutex<Generations<ClientId, Kept>>,
}

struct Kept {
    client: Client,
    read_at: Timestamp,
}

impl RecentClients {
    /// The seconds that a client may be kept. More would be no cache but a second truth.
    pub const SECONDS: RangeInclusive<Seconds> = 0..=300;

    /// Keeps clients for `seconds` after they were read.
    #[must_use]
    pub fn kept_for(seconds: Seconds) -> Self {
        Self {
            keep: Duration::from_secs(seconds.into()),
            clients: Mutex::new(Generations::of_size(GENERATION)),
        }
    }

    /// The client, if it was read recently enough and `is_proven` says so of it.
    pub(super) fn find(
        &self,
        id: &ClientId,
        now: Timestamp,
        is_proven: impl FnOnce(&Client) -> bool,
    ) -> Option<Client> {
        if self.keep.is_zero() {
            return None;
        }
        let clients = self.lock();
        let kept = clients.get(id).filter(|kept| self.is_fresh(kept, now))?;
        is_proven(&kept.client).then(|| kept.client.clone())
    }

    /// Keeps `client` as it was read at `now`.
    pub(super) fn keep(&self, client: &Client, now: Timestamp) {
        if self.keep.is_zero() {
            return;
        }
        let kept = Kept { client: client.clone(), read_at: now };
        self.lock().insert(client.client_id.clone(), kept);
    }

    /// Forgets the client: the store says something else of it now.
    pub(super) fn forget(&self, id: &ClientId) {
        if !self.keep.is_zero() {
            self.lock().remove(id);
        }
    }

    /// A clock that stepped back makes nothing fresher: what was read later than now is not fresh.
    fn is_fresh(&self, kept: &Kept, now: Timestamp) -> bool {
        now >= kept.read_at && now.since(kept.read_at) < self.keep
    }

    fn lock(&self) -> MutexGuard<'_, Generations<ClientId, Kept>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for RecentClients {
    /// Keeps nothing.
    fn default() -> Self {
        Self::kept_for(0)
    }
}

impl fmt::Debug for RecentClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecentClients({}s)", self.keep.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::models::client::ClientMetadata;
    use crate::values::ClientType;

    fn client(number: usize) -> Client {
        let metadata = ClientMetadata { name: Some("a".to_owned()), ..ClientMetadata::default() };
        let at = Timestamp::from_seconds(0);
        Client {
            id: Uuid::from_u128(1),
            client_id: ClientId::parse(&format!("client-{number}")).unwrap(),
            kind: ClientType::M2m,
            metadata: metadata.validate(ClientType::M2m).unwrap(),
            secrets: Vec::new(),
            created_at: at,
            updated_at: at,
            version: 1,
        }
    }

    fn finds(recent: &RecentClients, client: &Client, second: u64) -> bool {
        recent.find(&client.client_id, Timestamp::from_seconds(second), |_| true).is_some()
    }

    #[test]
    fn a_client_is_kept_for_its_seconds_and_no_longer() {
        let (recent, client) = (RecentClients::kept_for(60), client(1));
        recent.keep(&client, Timestamp::from_seconds(1000));
        assert!(finds(&recent, &client, 1000));
        assert!(finds(&recent, &client, 1059));
        assert!(!finds(&recent, &client, 1060));
    }

    #[test]
    fn a_clock_that_steps_back_finds_nothing() {
        let (recent, client) = (RecentClients::kept_for(60), client(1));
        recent.keep(&client, Timestamp::from_seconds(1000));
        assert!(!finds(&recent, &client, 999));
    }

    #[test]
    fn nothing_is_kept_unless_the_deployment_says_so() {
        let (recent, client) = (RecentClients::default(), client(1));
        recent.keep(&client, Timestamp::from_seconds(1000));
        assert!(!finds(&recent, &client, 1000));
        assert!(recent.lock().count() == 0);
    }

    #[test]
    fn a_client_that_is_not_proven_or_was_forgotten_is_not_found() {
        let (recent, client, now) =
            (RecentClients::kept_for(60), client(1), Timestamp::from_seconds(1));
        recent.keep(&client, now);
        assert!(recent.find(&client.client_id, now, |_| false).is_none());
        recent.forget(&client.client_id);
        assert!(!finds(&recent, &client, 1));
    }

    #[test]
    fn however_many_clients_come_the_memory_stays_bounded() {
        let recent = RecentClients::kept_for(60);
        for number in 0..5 * GENERATION {
            recent.keep(&client(number), Timestamp::from_seconds(1000));
            assert!(recent.lock().count() <= 2 * GENERATION);
        }
        assert!(finds(&recent, &client(5 * GENERATION - 1), 1000));
        assert!(finds(&recent, &client(4 * GENERATION), 1000));
        assert!(!finds(&recent, &client(0), 1000));
    }

    #[test]
    fn what_was_read_last_counts() {
        let (recent, mut client) = (RecentClients::kept_for(60), client(1));
        let now = Timestamp::from_seconds(1000);
        recent.keep(&client, now);
        for number in 2..=GENERATION + 1 {
            recent.keep(&super::tests::client(number), now);
        }
        client.version = 2;
        recent.keep(&client, now);
        let found = recent.find(&client.client_id, now, |_| true).unwrap();
        assert_eq!(found.version, 2);
        recent.forget(&client.client_id);
        assert!(!finds(&recent, &client, 1000));
    }
}
