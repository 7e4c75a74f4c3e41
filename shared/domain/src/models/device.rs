//! Browsers that users have signed in with before. A stranger's failures never keep such a browser out.

use std::collections::BTreeMap;
use std::fmt;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{MacKey, Seconds, Secret, Timestamp, digest, id};

/// How long a browser stays known after its last use: 180 days.
pub const BROWSER_KNOWN: Seconds = 180 * DAY;
/// The most browsers that an account knows.
pub const MAX_KNOWN_BROWSERS: usize = 20;
/// The most accounts that know one browser, such as those of a family.
pub const MAX_DEVICE_SECRETS: usize = 5;
/// How long a one-time link to a known browser works: ten minutes.
pub const BROWSER_LINK_LIFETIME: Seconds = 600;

const DAY: Seconds = 86_400;

/// 256 bits as a cookie or a link has them.
const LENGTH: usize = 43;

/// What one account knows a browser by: 256 bits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeviceSecret(Secret);

/// What a browser shows to be known: a secret for each account that knows it, the one used last before the others.
///
/// Each account gives a browser a secret of its own. A secret that a stranger has planted in the browser is never
/// adopted, so the stranger's browser does not become known with it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeviceSecrets(Vec<DeviceSecret>);

/// The hash of a [`DeviceSecret`], as an account has it. No two accounts have the same.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceKey(String);

/// The browsers that an account knows, and when each was used last.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KnownBrowsers(BTreeMap<DeviceKey, Timestamp>);

impl DeviceSecret {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(Secret::new(id::random_text::<32>(rng)))
    }

    /// What the account of `user` knows of it.
    #[must_use]
    pub fn key(&self, user: Uuid) -> DeviceKey {
        let key = MacKey::new(self.0.expose().as_bytes());
        DeviceKey(key.text("known browser", user.as_bytes()))
    }
}

impl DeviceSecrets {
    /// Takes a cookie's value. What this server did not make is left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let secrets = text.split('.').filter(|text| id::is_url_safe(text, LENGTH));
        Self(secrets.take(MAX_DEVICE_SECRETS).map(|text| DeviceSecret(text.into())).collect())
    }

    /// The cookie's value.
    #[must_use]
    pub fn text(&self) -> Secret {
        let texts: Vec<_> = self.0.iter().map(|secret| secret.0.expose()).collect();
        Secret::new(texts.join("."))
    }

    /// These secrets with `secret` before all others.
    #[must_use]
    pub fn with(&self, secret: &DeviceSecret) -> Self {
        let others = self.0.iter().filter(|other| *other != secret);
        Self([secret].into_iter().chain(others).take(MAX_DEVICE_SECRETS).cloned().collect())
    }

    /// The secret by which the account of `user`, which knows `browsers`, knows this browser.
    #[must_use]
    pub fn known_to(
        &self,
        user: Uuid,
        browsers: &KnownBrowsers,
        now: Timestamp,
    ) -> Option<&DeviceSecret> {
        self.0.iter().find(|secret| browsers.knows(&secret.key(user), now))
    }
}

impl DeviceKey {
    /// The hash as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KnownBrowsers {
    /// Whether a browser is known, and is one of the [`MAX_KNOWN_BROWSERS`] that were used last.
    #[must_use]
    pub fn knows(&self, key: &DeviceKey, now: Timestamp) -> bool {
        let Some(used) = self.0.get(key) else { return false };
        let later = self.0.values().filter(|other| *other > used).count();
        now < used.plus(BROWSER_KNOWN) && later < MAX_KNOWN_BROWSERS
    }

    /// Whether the use of a known browser at `now` is worth writing down: once a day.
    #[must_use]
    pub fn is_to_be_noted(&self, key: &DeviceKey, now: Timestamp) -> bool {
        self.0.get(key).is_none_or(|used| used.plus(DAY) <= now)
    }

    /// The browsers that have to go when `key` is used at `now`: those that were not used for too long, and the
    /// oldest where there are too many.
    #[must_use]
    pub fn displaced_by(&self, key: &DeviceKey, now: Timestamp) -> Vec<&DeviceKey> {
        let others = self.0.iter().filter(|(other, _)| *other != key);
        let (mut kept, over): (Vec<_>, Vec<_>) =
            others.partition(|(_, used)| now < used.plus(BROWSER_KNOWN));
        kept.sort_by_key(|(_, used)| std::cmp::Reverse(**used));
        let too_many = kept.into_iter().skip(MAX_KNOWN_BROWSERS - 1);
        over.into_iter().chain(too_many).map(|(key, _)| key).collect()
    }

    /// How many there are, with those that were not used for too long.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<(DeviceKey, Timestamp)> for KnownBrowsers {
    fn from_iter<T: IntoIterator<Item = (DeviceKey, Timestamp)>>(browsers: T) -> Self {
        Self(browsers.into_iter().collect())
    }
}

/// What a one-time link carries: 256 bits. Who opens it and presses its button has this browser known to the account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BrowserLinkToken(Secret);

/// The hash of a [`BrowserLinkToken`], as the store has it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BrowserLinkKey(String);

/// A one-time link that an administrator has made for a user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BrowserLink {
    /// Its key.
    pub key: BrowserLinkKey,
    /// Whose browser becomes known.
    pub user: Uuid,
    /// From when on it does not work.
    pub expires_at: Timestamp,
    /// The browser that it has made known.
    pub used_by: Option<DeviceKey>,
}

impl BrowserLinkToken {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(Secret::new(id::random_text::<32>(rng)))
    }

    /// Takes what a link has. `None` when this server did not make it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        id::is_url_safe(text, LENGTH).then(|| Self(text.into()))
    }

    /// As the link has it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What the store knows of it.
    #[must_use]
    pub fn key(&self) -> BrowserLinkKey {
        BrowserLinkKey(digest::fingerprint(self.0.expose().as_bytes()))
    }
}

impl BrowserLink {
    /// Whether the link works.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.used_by.is_none() && now < self.expires_at
    }
}

impl fmt::Display for BrowserLinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn secrets(count: usize) -> Vec<DeviceSecret> {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        (0..count).map(|_| DeviceSecret::generate(rng)).collect()
    }

    fn at(day: u64) -> Timestamp {
        Timestamp::from_seconds(day * u64::from(DAY))
    }

    fn key(number: usize) -> DeviceKey {
        DeviceKey(format!("{number:02}"))
    }

    #[test]
    fn a_cookie_holds_what_was_put_into_it_and_nothing_that_has_another_form() {
        let all = secrets(7);
        let held = all.iter().fold(DeviceSecrets::default(), |held, secret| held.with(secret));
        assert_eq!(held.0, [&all[6], &all[5], &all[4], &all[3], &all[2]].map(Clone::clone));
        let text = held.text();
        assert_eq!(DeviceSecrets::parse(text.expose()), held);
        assert_eq!(held.with(&all[3]).0[..2], [all[3].clone(), all[6].clone()]);
        for odd in ["", ".", "x", &"é".repeat(43), &"A".repeat(44), "a b"] {
            assert_eq!(DeviceSecrets::parse(odd), DeviceSecrets::default(), "{odd}");
        }
        let mixed = format!("x.{}..{}", text.expose(), text.expose());
        assert_eq!(DeviceSecrets::parse(&mixed), held, "no more than five");
    }

    #[test]
    fn two_accounts_know_one_secret_by_different_hashes() {
        let [secret] = &secrets(1)[..] else { panic!("one") };
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_ne!(secret.key(a), secret.key(b));
        assert_eq!(secret.key(a).as_str().len(), LENGTH);
        let known = KnownBrowsers::from_iter([(secret.key(a), at(1))]);
        let held = DeviceSecrets::default().with(secret);
        assert_eq!(held.known_to(a, &known, at(2)), Some(secret));
        assert_eq!(held.known_to(b, &known, at(2)), None);
    }

    #[test]
    fn a_browser_is_known_for_180_days_after_its_last_use() {
        let known = KnownBrowsers::from_iter([(key(1), at(10))]);
        assert!(known.knows(&key(1), at(189)));
        assert!(!known.knows(&key(1), at(190)));
        assert!(!known.knows(&key(2), at(10)));
        assert!(!known.is_to_be_noted(&key(1), at(10)));
        assert!(known.is_to_be_noted(&key(1), at(11)));
        assert!(known.is_to_be_noted(&key(2), at(10)));
    }

    #[test]
    fn the_oldest_browsers_go_first_and_at_most_twenty_count() {
        let full: KnownBrowsers = (1..=20).map(|n| (key(n), at(n as u64))).collect();
        assert_eq!(full.displaced_by(&key(21), at(21)), [&key(1)]);
        assert!(full.displaced_by(&key(20), at(21)).is_empty(), "it is one of them");
        assert_eq!(full.displaced_by(&key(20), at(183)), [&key(1), &key(2), &key(3)]);
        let too_many: KnownBrowsers = (1..=22).map(|n| (key(n), at(n as u64))).collect();
        let counted = (1..=22).filter(|n| too_many.knows(&key(*n), at(22))).count();
        assert_eq!(counted, 20);
        assert!(!too_many.knows(&key(2), at(22)));
        assert_eq!(too_many.displaced_by(&key(22), at(22)).len(), 2);
    }

    #[test]
    fn no_secret_shows_when_it_is_debugged() {
        let [secret] = &secrets(1)[..] else { panic!("one") };
        let shown = format!("{:?}", DeviceSecrets::default().with(secret));
        assert!(!shown.contains(secret.0.expose()), "{shown}");
    }
}
