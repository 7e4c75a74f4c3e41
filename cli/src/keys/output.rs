//! What `identety keys` prints.

use std::io::{self, Write as _};

use clap::ValueEnum;
use identety_domain::client::SigningAlg;
use identety_domain::keys::{
    KeyRing, KeyState, Obstacle, PUBLISHED_AFTER_SIGNING, PUBLISHED_BEFORE_SIGNING, SigningKey,
};
use identety_keys::{Revoked, Rotated};
use serde_json::{Value, json};

/// How an answer looks.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

const FOLLOW: &str = "Running processes follow within five minutes.";

/// A JSON object with one more member, if there is one.
fn with(mut object: Value, member: Option<(&str, Value)>) -> Value {
    if let (Some(object), Some((name, value))) = (object.as_object_mut(), member) {
        object.insert(name.to_owned(), value);
    }
    object
}

/// The keys, ring by ring, in the order of their lives.
pub(super) fn list(rings: &[KeyRing], format: Format) -> io::Result<()> {
    let mut keys: Vec<_> =
        rings.iter().flat_map(|ring| ring.keys.iter().map(move |key| (ring.alg, key))).collect();
    keys.sort_by_key(|(alg, key)| (*alg, key.state as u8));
    match format {
        Format::Json => {
            let keys = keys.into_iter().map(|(alg, key)| {
                let SigningKey { kid, state, since, .. } = key;
                let since = since.to_string();
                let shown = json!({"alg": alg, "kid": kid, "state": state, "since": since});
                let until = match state {
                    KeyState::Next => Some(("signsFrom", json!(signs_from(key)))),
                    KeyState::Current => None,
                    KeyState::Previous => Some(("neededUntil", json!(needed_until(key)))),
                };
                with(shown, until)
            });
            json(&keys.collect())
        }
        Format::Table if keys.is_empty() => {
            print("There are no keys yet: the server makes them at its first start.")
        }
        Format::Table => {
            print(format!("{:5}  {:8}  {:16}  {:24}", "ALG", "STATE", "KID", "SINCE").trim_end())?;
            for (alg, key) in keys {
                let SigningKey { kid, state, since, .. } = key;
                let (state, then) = match state {
                    KeyState::Next => ("next", format!("may sign from {}", signs_from(key))),
                    KeyState::Current => ("current", "signs".to_owned()),
                    KeyState::Previous => {
                        ("previous", format!("needed until {}", needed_until(key)))
                    }
                };
                print(&format!("{:5}  {state:8}  {kid:16}  {since}  {then}", alg.as_str()))?;
            }
            Ok(())
        }
    }
}

fn signs_from(key: &SigningKey) -> String {
    key.since.plus(PUBLISHED_BEFORE_SIGNING).to_string()
}

fn needed_until(key: &SigningKey) -> String {
    key.since.plus(PUBLISHED_AFTER_SIGNING).to_string()
}

/// What a rotation did, and what it broke because it was forced.
pub(super) fn rotated(
    rotated: &[Rotated],
    broken: impl Iterator<Item = (SigningAlg, Obstacle)>,
    format: Format,
) -> io::Result<()> {
    for (alg, obstacle) in broken {
        eprintln!("identety: warning: {}: {}", alg.as_str(), consequence(&obstacle));
    }
    match format {
        Format::Json => json(&rotated.iter().map(|rotated| json!(rotated)).collect()),
        Format::Table => {
            for Rotated { alg, from, to, next } in rotated {
                let alg = alg.as_str();
                print(&format!("{alg}: {to} signs, {from} still verifies, {next} is next."))?;
            }
            print(FOLLOW)
        }
    }
}

/// What a revocation did, and to whom it matters.
pub(super) fn revoked(kid: &str, revoked: &Revoked, format: Format) -> io::Result<()> {
    let Revoked { alg, was, current, next, obstacle } = revoked;
    if let Some(obstacle) = obstacle {
        eprintln!("identety: warning: {}: {}", alg.as_str(), consequence(obstacle));
    }
    match format {
        Format::Json => json(&json!({
            "alg": alg, "revoked": kid, "was": was, "current": current, "next": next,
        })),
        Format::Table => {
            let alg = alg.as_str();
            print(&format!("{alg}: {kid} is revoked, {current} signs, {next} is next."))?;
            print(FOLLOW)?;
            match was {
                KeyState::Next => print("It has signed nothing."),
                KeyState::Current | KeyState::Previous => print(
                    "APIs that verify tokens themselves accept what it signed until they fetch the key set \
                     again (Amazon API Gateway: up to two hours).",
                ),
            }
        }
    }
}

/// What people will notice who verify tokens.
fn consequence(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::NextIsYoung { until } => format!(
            "the key that signs now was published only lately; APIs that fetched the key set before \
             refuse its tokens until they fetch it again, which all have done by {until}"
        ),
        Obstacle::PreviousIsNeeded { until } => format!(
            "the key that is gone may have signed tokens that live until {until}; they are refused"
        ),
    }
}

fn json(value: &Value) -> io::Result<()> {
    print(&format!("{value:#}"))
}

/// A reader that has gone, such as `head`, is an error and no panic.
fn print(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
