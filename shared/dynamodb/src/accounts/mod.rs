//! The table of users, of their e-mail addresses, and of what they have consented to.

mod consents;
mod items;
mod users;

use aws_sdk_dynamodb::Client as DynamoDb;

use crate::requests::Table;

/// The accounts table: a [`UserStore`](identety_domain::store::UserStore) and a
/// [`ConsentStore`](identety_domain::store::ConsentStore).
#[derive(Clone, Debug)]
pub struct AccountTable {
    table: Table,
}

impl AccountTable {
    /// The table of that name.
    pub fn new(dynamo: DynamoDb, table: impl Into<String>) -> Self {
        Self { table: Table::new(dynamo, table) }
    }
}
