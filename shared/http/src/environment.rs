//! What a function is told by its environment.

use std::env;
use std::ops::RangeInclusive;

use identety_domain::issuer::IssuerError;
use identety_domain::{Issuer, Seconds, Settings};

/// A variable is missing or wrong: the function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// It is not set, or empty.
    #[error("the environment variable {0} is missing")]
    Missing(&'static str),
    /// It is neither `true` nor `false`.
    #[error("the environment variable {0} must be true or false")]
    NotAFlag(&'static str),
    /// It is no number of seconds, or too many.
    #[error("the environment variable {name} must be a number of seconds from {least} to {most}")]
    NotSeconds {
        /// The variable.
        name: &'static str,
        /// The least that it may be.
        least: Seconds,
        /// The most that it may be.
        most: Seconds,
    },
    /// It is no issuer.
    #[error("the environment variable IDENTETY_ISSUER is not valid: {0}")]
    Issuer(#[from] IssuerError),
}

/// The value of `name`.
///
/// # Errors
/// When it is not set, or empty.
pub fn required(name: &'static str) -> Result<String, EnvironmentError> {
    optional(name).ok_or(EnvironmentError::Missing(name))
}

/// The value of `name`, if it is set and not empty.
#[must_use]
pub fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether `name` is `true`; not set is `false`.
///
/// # Errors
/// When it is anything else.
pub fn is_set(name: &'static str) -> Result<bool, EnvironmentError> {
    match optional(name).as_deref() {
        Some("true") => Ok(true),
        Some("false") | None => Ok(false),
        Some(_) => Err(EnvironmentError::NotAFlag(name)),
    }
}

/// How many seconds `name` says, within `range`; not set is the least.
///
/// # Errors
/// When it is anything else.
pub fn seconds(
    name: &'static str,
    range: &RangeInclusive<Seconds>,
) -> Result<Seconds, EnvironmentError> {
    let (least, most) = (*range.start(), *range.end());
    let Some(text) = optional(name) else { return Ok(least) };
    let seconds = text.parse().ok().filter(|seconds| range.contains(seconds));
    seconds.ok_or(EnvironmentError::NotSeconds { name, least, most })
}

/// `IDENTETY_ISSUER` and `IDENTETY_DEFAULT_AUDIENCE`, which is the issuer when it is not set.
///
/// # Errors
/// When the issuer is missing or not valid.
pub fn settings() -> Result<Settings, EnvironmentError> {
    let issuer = Issuer::parse(&required("IDENTETY_ISSUER")?)?;
    let default_audience = optional("IDENTETY_DEFAULT_AUDIENCE");
    let default_audience = default_audience
        .map_or_else(|| issuer.as_str().into(), |audience| audience.as_str().into());
    Ok(Settings { issuer, default_audience })
}
