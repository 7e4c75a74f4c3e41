//! Rules that metadata of clients and of users have in common, and how a broken one is told.

use std::collections::BTreeMap;

use super::text::is_printable;

const MAX_PAIRS: usize = 20;
const MAX_PAIR_KEY: usize = 64;

/// The longest text that a member may be.
pub(crate) const MAX_TEXT: usize = 512;

/// One member and the rule that it breaks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldError {
    /// The member's name, with an index when it is one of a list: `redirectUris[1]`.
    pub field: String,
    /// What must be.
    pub message: String,
}

impl FieldError {
    /// An error of `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// Checks the pairs of `metadata`, which mean something to the administrator alone.
pub(crate) fn check_pairs(pairs: &BTreeMap<String, String>, errors: &mut Vec<FieldError>) {
    if pairs.len() > MAX_PAIRS {
        errors.push(FieldError::new("metadata", "must have at most 20 pairs"));
    }
    for (key, value) in pairs {
        if key.is_empty() || key.len() > MAX_PAIR_KEY || !is_printable(key) {
            let rule = "must have keys of 1 to 64 printable characters";
            errors.push(FieldError::new("metadata", rule));
        } else if value.len() > MAX_TEXT || !is_printable(value) {
            let rule = "must be at most 512 printable characters";
            errors.push(FieldError::new(format!("metadata.{key}"), rule));
        }
    }
}
