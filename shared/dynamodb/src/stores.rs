//! All stores of a deployment, on its tables.

use std::sync::Arc;

use aws_sdk_dynamodb::Client as DynamoDb;
use identety_domain::store::Stores;

use crate::accounts::AccountTable;
use crate::clients::ClientTable;
use crate::grants::GrantTable;
use crate::keys::KeyTable;
use crate::schema::Tables;

/// The stores on these tables of DynamoDB.
#[must_use]
pub fn stores(dynamodb: &DynamoDb, tables: &Tables) -> Stores {
    let clients = Arc::new(ClientTable::new(dynamodb.clone(), &tables.clients));
    let grants = Arc::new(GrantTable::new(dynamodb.clone(), &tables.grants));
    let accounts = Arc::new(AccountTable::new(dynamodb.clone(), &tables.accounts));
    Stores {
        clients: clients.clone(),
        api_keys: clients,
        users: accounts.clone(),
        consents: accounts,
        keys: Arc::new(KeyTable::new(dynamodb.clone(), &tables.keys)),
        failures: grants.clone(),
        attempts: grants.clone(),
        links: grants.clone(),
        grants: grants.clone(),
        sessions: grants.clone(),
        transactions: grants,
    }
}
