//! When keys move on: next → current → previous → gone.
//!
//! Verifiers keep the key set that they fetched, for hours. So a key is published long before it signs,
//! and long after: then a set that was fetched at any moment verifies every token until it is fetched anew.

use std::fmt;
use std::str::FromStr;

use super::{KeyRing, KeyState, NewKey, SigningKey};
use crate::values::{LONGEST_ACCESS_TOKEN, Seconds, Timestamp};

/// How long verifiers may use a key set without looking again: the JWT authorizers of Amazon API Gateway
/// do so for two hours, which is the longest that is known of any.
pub const VERIFIERS_KEEP: Seconds = 7_200;

/// How long HTTP caches on the way may keep the key set: its `max-age`.
pub const HTTP_CACHES_KEEP: Seconds = 300;

/// How old the keys of a running process become before it reads them again.
pub const REREAD_EVERY: Seconds = 300;

/// How long a change of the keys takes to reach everybody who asks: every process has read them again,
/// HTTP caches have let go of what they had, and as much again for clocks that differ and for a read that
/// had to be repeated.
pub const SETTLES_WITHIN: Seconds = REREAD_EVERY + HTTP_CACHES_KEEP + 300;

/// How long a key is published before it signs: 2 h 15 min. Whoever fetched the key set before that has
/// fetched it again.
pub const PUBLISHED_BEFORE_SIGNING: Seconds = VERIFIERS_KEEP + SETTLES_WITHIN;

/// How long a key is published after another one took its place: 26 h 15 min. The last process has stopped
/// signing with it, the longest token that it signed has ended, and two hours besides for verifiers that
/// judge late.
pub const PUBLISHED_AFTER_SIGNING: Seconds = VERIFIERS_KEEP + LONGEST_ACCESS_TOKEN + SETTLES_WITHIN;

/// How long a key signs before the next one takes its place by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RotationPeriod(Seconds);

/// A period that is not allowed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no number of days from {min} to {max}", min = RotationPeriod::MIN_DAYS, max = RotationPeriod::MAX_DAYS)]
pub struct PeriodError(String);

impl RotationPeriod {
    /// The fewest days: a rotation that waits for nobody takes a little more than one.
    pub const MIN_DAYS: u32 = 2;
    /// The most days.
    pub const MAX_DAYS: u32 = 365;

    /// So many days.
    ///
    /// # Errors
    /// When there are fewer than 2 or more than 365.
    pub fn days(days: u32) -> Result<Self, PeriodError> {
        match days {
            Self::MIN_DAYS..=Self::MAX_DAYS => Ok(Self(days * 86_400)),
            _ => Err(PeriodError(days.to_string())),
        }
    }
}

impl Default for RotationPeriod {
    /// 90 days.
    fn default() -> Self {
        Self(90 * 86_400)
    }
}

impl FromStr for RotationPeriod {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        text.parse().ok().and_then(|days| Self::days(days).ok()).ok_or(PeriodError(text.to_owned()))
    }
}

impl fmt::Display for RotationPeriod {
    /// The number of days.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0 / 86_400).fmt(f)
    }
}

/// What is to be done with a ring.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Due {
    /// Nothing yet.
    Nothing,
    /// The previous key has done its service: [`KeyRing::without_previous`].
    Forget,
    /// The next key is to sign: [`KeyRing::rotated`].
    Rotate,
}

/// Why a rotation would break the verification of tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Obstacle {
    /// Verifiers may hold key sets without the next key: they would refuse new tokens.
    #[error("the next key is not known everywhere before {until}")]
    NextIsYoung {
        /// From then on the next key may sign.
        until: Timestamp,
    },
    /// The previous key would go: tokens that it signed would be refused before they end.
    #[error("the previous key is needed for tokens that it signed until {until}")]
    PreviousIsNeeded {
        /// From then on the previous key may go.
        until: Timestamp,
    },
}

impl KeyRing {
    /// What is to be done now, where keys sign for `period`.
    #[must_use]
    pub fn due(&self, now: Timestamp, period: RotationPeriod) -> Due {
        let is_old = self.current().is_some_and(|current| has_been(current, period.0, now));
        if is_old && self.obstacles(now).is_empty() {
            return Due::Rotate;
        }
        match self.in_state(KeyState::Previous) {
            Some(previous) if has_been(previous, PUBLISHED_AFTER_SIGNING, now) => Due::Forget,
            Some(_) | None => Due::Nothing,
        }
    }

    /// What a rotation now would break; empty when nothing.
    #[must_use]
    pub fn obstacles(&self, now: Timestamp) -> Vec<Obstacle> {
        let young = self
            .in_state(KeyState::Next)
            .filter(|next| !has_been(next, PUBLISHED_BEFORE_SIGNING, now))
            .map(|next| Obstacle::NextIsYoung { until: next.since.plus(PUBLISHED_BEFORE_SIGNING) });
        let needed = self
            .in_state(KeyState::Previous)
            .filter(|previous| !has_been(previous, PUBLISHED_AFTER_SIGNING, now))
            .map(|previous| Obstacle::PreviousIsNeeded {
                until: previous.since.plus(PUBLISHED_AFTER_SIGNING),
            });
        young.into_iter().chain(needed).collect()
    }

    /// This ring, one rotation on: next → current → previous → gone, and `new` is the next.
    #[must_use]
    pub fn rotated(&self, new: NewKey, now: Timestamp) -> Self {
        let moved = self.keys.iter().filter_map(|key| match key.state {
            KeyState::Next => Some(moved(key, KeyState::Current, now)),
            KeyState::Current => Some(moved(key, KeyState::Previous, now)),
            KeyState::Previous => None,
        });
        self.changed(moved.chain([new.into_key(KeyState::Next, now)]).collect())
    }

    /// This ring without its previous key.
    #[must_use]
    pub fn without_previous(&self) -> Self {
        self.changed(self.all_but(KeyState::Previous).cloned().collect())
    }

    /// This ring with another next key.
    #[must_use]
    pub fn with_next(&self, new: NewKey, now: Timestamp) -> Self {
        let kept = self.all_but(KeyState::Next).cloned();
        self.changed(kept.chain([new.into_key(KeyState::Next, now)]).collect())
    }

    /// This ring without its current key: the next one signs at once, and `new` is the next. The previous
    /// key stays what it is.
    #[must_use]
    pub fn without_current(&self, new: NewKey, now: Timestamp) -> Self {
        let kept = self.all_but(KeyState::Current).map(|key| match key.state {
            KeyState::Next => moved(key, KeyState::Current, now),
            KeyState::Current | KeyState::Previous => key.clone(),
        });
        self.changed(kept.chain([new.into_key(KeyState::Next, now)]).collect())
    }

    fn all_but(&self, state: KeyState) -> impl Iterator<Item = &SigningKey> {
        self.keys.iter().filter(move |key| key.state != state)
    }

    fn changed(&self, keys: Vec<SigningKey>) -> Self {
        Self { alg: self.alg, version: self.version + 1, keys }
    }
}

fn moved(key: &SigningKey, state: KeyState, now: Timestamp) -> SigningKey {
    SigningKey { state, since: now, ..key.clone() }
}

/// Whether `key` has been what it is for `span`. Of a key that came from the future, as a clock that
/// stepped back sees it, that is not so.
fn has_been(key: &SigningKey, span: Seconds, now: Timestamp) -> bool {
    now.since(key.since).as_millis() >= u128::from(span) * 1000
}

#[cfg(test)]
mod tests;
