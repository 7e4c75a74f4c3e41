//! How conditional writes end, and what several of them take.

use crate::values::PhcString;

/// How a conditional change ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Change {
    /// It is written.
    Done,
    /// What is stored is no longer what the change was made from; nothing was written.
    Conflict,
}

/// A hash to put in the place of another.
#[derive(Clone, Copy, Debug)]
pub struct Rehashed<'a> {
    /// The hash that must still be stored.
    pub from: &'a PhcString,
    /// The hash of the same secret at today's cost.
    pub to: &'a PhcString,
}
