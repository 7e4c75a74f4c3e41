//! The layouts of stored items: which ones this release reads, and which one it writes.
//!
//! Every item says in [`SCHEMA`] in which layout it was made. During a canary deployment two releases
//! work on the same items, and after a roll-back the older one goes on with what the newer one has
//! written. Neither may cut the other off, so both keep to these rules:
//!
//! - **Read.** A release reads every layout from [`READ_OLDEST`] to [`READ_NEWEST`], which is the one
//!   after its own. It ignores members that it does not know. A member that it needs and does not find
//!   makes the item corrupt, and so does any other layout.
//! - **Make.** A release makes items in [`WRITTEN`], which the release before it reads as well.
//! - **Change.** A change sets and removes members that it knows, one by one. It leaves every other
//!   member, and the number of the layout, as they are.
//! - **Upgrade.** A deployment goes from one release to the next and leaves none out.
//!
//! A change of the layout takes two releases:
//!
//! 1. The first release learns to read the new member, and to do without it. It goes on to make items
//!    without it: [`WRITTEN`] stays.
//! 2. The second release makes items with the new member and raises [`WRITTEN`] by one. The first
//!    release reads them already: to it they are of the layout after its own.
//!
//! To take a member away goes the other way round: the first release stops to need it and goes on to
//! write it; the second release leaves it out. A member never changes its meaning or its type: what
//! means something else has another name. [`READ_OLDEST`] rises only when no item of an older layout is
//! left.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::attributes::{Item, PK, number};
use crate::expression::{Condition, Update};

/// The member that says in which layout an item was made.
pub(crate) const SCHEMA: &str = "schema";

/// The oldest layout that may still be stored.
const READ_OLDEST: u32 = 1;
/// The layout in which this release makes items.
pub(crate) const WRITTEN: u32 = 1;
/// The newest layout that this release reads: the next release may make items in it.
const READ_NEWEST: u32 = WRITTEN + 1;

/// Checks that this release reads the layout of `item`.
///
/// # Errors
/// Why it does not.
pub(crate) fn check(item: &Item) -> Result<(), String> {
    let Some(Ok(schema)) = item.get(SCHEMA).map(AttributeValue::as_n) else {
        return Err("no schema number".to_owned());
    };
    match schema.parse() {
        Ok(READ_OLDEST..=READ_NEWEST) => Ok(()),
        Ok(_) | Err(_) => Err(format!("unknown schema {schema}")),
    }
}

/// Lets `update` say the layout where it makes the item. An item that is there keeps its own.
pub(crate) fn stamp(update: &mut Update) {
    update.set_if_absent(&[SCHEMA], number(WRITTEN.into()));
}

/// Only if there is no such item yet, or one that this release reads.
pub(crate) fn is_new_or_known() -> Condition {
    let (oldest, newest) = (number(READ_OLDEST.into()), number(READ_NEWEST.into()));
    Condition::default().absent(&[PK]).or(Condition::default().between(&[SCHEMA], oldest, newest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read(schema: AttributeValue) -> bool {
        check(&Item::from([(SCHEMA.to_owned(), schema)])).is_ok()
    }

    #[test]
    fn this_layout_and_the_next_one_are_read_and_no_other() {
        let numbered = |schema: u32| is_read(number(schema.into()));
        assert!(numbered(WRITTEN) && numbered(WRITTEN + 1));
        assert!(!numbered(READ_OLDEST - 1) && !numbered(WRITTEN + 2));
        assert!(!is_read(AttributeValue::S(WRITTEN.to_string())));
        assert!(!is_read(AttributeValue::N(format!("{WRITTEN}.5"))));
        assert!(check(&Item::new()).is_err());
    }
}
