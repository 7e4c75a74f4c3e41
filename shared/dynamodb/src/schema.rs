//! The tables, and how to make them locally. In a deployment the template makes them.

use std::time::Duration;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, IndexStatus, KeySchemaElement, KeyType,
    Projection, ProjectionType, ScalarAttributeType, TableDescription, TableStatus,
    TimeToLiveSpecification, TimeToLiveStatus,
};
use identety_domain::store::StoreError;

use crate::error::failed;
use crate::item::{ID, LISTING, PK, SK, TTL, USER};

/// The names of the tables.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tables {
    /// Clients and the API key.
    pub clients: String,
    /// Users and what they consented to.
    pub accounts: String,
    /// Signing keys.
    pub keys: String,
    /// What does not last.
    pub grants: String,
}

impl Tables {
    /// `{prefix}clients`, and so on.
    #[must_use]
    pub fn with_prefix(prefix: &str) -> Self {
        let name = |table| format!("{prefix}{table}");
        Self {
            clients: name("clients"),
            accounts: name("accounts"),
            keys: name("keys"),
            grants: name("grants"),
        }
    }
}

/// Makes the tables that are not there yet, and waits until all can be used.
///
/// # Errors
/// When a table cannot be made, or is not ready within some seconds.
pub async fn create_tables(dynamo: &DynamoDb, tables: &Tables) -> Result<(), StoreError> {
    create(clients_table(dynamo, &tables.clients)).await?;
    create(accounts_table(dynamo, &tables.accounts)).await?;
    create(keys_table(dynamo, &tables.keys)).await?;
    create(grants_table(dynamo, &tables.grants)).await?;
    for table in [&tables.clients, &tables.accounts, &tables.keys, &tables.grants] {
        wait_until_ready(dynamo, table).await?;
    }
    enable_ttl(dynamo, &tables.grants).await
}

fn clients_table(dynamo: &DynamoDb, name: &str) -> Result<CreateTableFluentBuilder, BuildError> {
    let table = dynamo
        .create_table()
        .table_name(name)
        .attribute_definitions(string(PK)?)
        .key_schema(key(PK, KeyType::Hash)?);
    with_listing(table)
}

fn accounts_table(dynamo: &DynamoDb, name: &str) -> Result<CreateTableFluentBuilder, BuildError> {
    with_listing(table_with_two_keys(dynamo, name)?)
}

/// Adds the index that lists clients or users.
fn with_listing(table: CreateTableFluentBuilder) -> Result<CreateTableFluentBuilder, BuildError> {
    let listing = GlobalSecondaryIndex::builder()
        .index_name(LISTING)
        .key_schema(key(LISTING, KeyType::Hash)?)
        .key_schema(key(ID, KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()?;
    Ok(table
        .attribute_definitions(string(LISTING)?)
        .attribute_definitions(string(ID)?)
        .global_secondary_indexes(listing))
}

fn keys_table(dynamo: &DynamoDb, name: &str) -> Result<CreateTableFluentBuilder, BuildError> {
    table_with_two_keys(dynamo, name)
}

fn table_with_two_keys(
    dynamo: &DynamoDb,
    name: &str,
) -> Result<CreateTableFluentBuilder, BuildError> {
    Ok(dynamo
        .create_table()
        .table_name(name)
        .attribute_definitions(string(PK)?)
        .attribute_definitions(string(SK)?)
        .key_schema(key(PK, KeyType::Hash)?)
        .key_schema(key(SK, KeyType::Range)?))
}

fn grants_table(dynamo: &DynamoDb, name: &str) -> Result<CreateTableFluentBuilder, BuildError> {
    let of_users = GlobalSecondaryIndex::builder()
        .index_name(USER)
        .key_schema(key(USER, KeyType::Hash)?)
        .key_schema(key(PK, KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()?;
    Ok(dynamo
        .create_table()
        .table_name(name)
        .attribute_definitions(string(PK)?)
        .attribute_definitions(string(USER)?)
        .key_schema(key(PK, KeyType::Hash)?)
        .global_secondary_indexes(of_users))
}

fn string(name: &str) -> Result<AttributeDefinition, BuildError> {
    let string = AttributeDefinition::builder().attribute_name(name);
    string.attribute_type(ScalarAttributeType::S).build()
}

fn key(name: &str, kind: KeyType) -> Result<KeySchemaElement, BuildError> {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build()
}

async fn create(table: Result<CreateTableFluentBuilder, BuildError>) -> Result<(), StoreError> {
    let table = table.map_err(|error| StoreError::Other(error.into()))?;
    let Err(error) = table.billing_mode(BillingMode::PayPerRequest).send().await else {
        return Ok(());
    };
    match error.as_service_error() {
        // It is there, or another process is making it just now.
        Some(CreateTableError::ResourceInUseException(_)) => Ok(()),
        Some(_) | None => Err(failed(&error)),
    }
}

/// How often a table is looked at before it counts as not coming.
const LOOKS: u32 = 200;
/// The pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

async fn wait_until_ready(dynamo: &DynamoDb, name: &str) -> Result<(), StoreError> {
    for _ in 0..LOOKS {
        let described = dynamo
            .describe_table()
            .table_name(name)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        if described.table().is_some_and(is_ready) {
            return Ok(());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Err(StoreError::Unavailable(format!("table {name} does not become ready").into()))
}

fn is_ready(table: &TableDescription) -> bool {
    table.table_status() == Some(&TableStatus::Active)
        && table.global_secondary_indexes().iter().all(|index| {
            // Not every local DynamoDB tells the state of an index.
            index.index_status().is_none_or(|status| *status == IndexStatus::Active)
        })
}

async fn enable_ttl(dynamo: &DynamoDb, name: &str) -> Result<(), StoreError> {
    let described = dynamo
        .describe_time_to_live()
        .table_name(name)
        .send()
        .await
        .map_err(|error| failed(&error))?;
    let status = described.time_to_live_description().and_then(|ttl| ttl.time_to_live_status());
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
        return Ok(());
    }
    let ttl = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name(TTL)
        .build()
        .map_err(|error| StoreError::Other(error.into()))?;
    dynamo
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(ttl)
        .send()
        .await
        .map_err(|error| failed(&error))?;
    Ok(())
}
