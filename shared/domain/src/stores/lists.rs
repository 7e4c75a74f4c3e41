//! Lists, piece by piece.

use uuid::Uuid;

/// Where a list begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum From {
    /// Behind the entry with this id, in the order of the list.
    After(Uuid),
    /// Behind this many entries.
    Offset(u32),
}

/// The order of a list, by the time that the entries were made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Order {
    /// The default.
    #[default]
    NewestFirst,
    /// The reverse.
    OldestFirst,
}
