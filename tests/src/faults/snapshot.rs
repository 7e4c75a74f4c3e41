//! How everything was at one moment: what a read is told that is content with that.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use dynoxide::{Database, DynoxideError};
use identety_dynamodb::{Embedded, Tables};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answers::response;
use super::request::Request;

/// A copy of all tables.
pub(super) struct Snapshot(Database);

impl Snapshot {
    pub(super) fn of(embedded: &Embedded, tables: &Tables) -> Self {
        let Tables { clients, accounts, keys, grants } = tables;
        let copy = Database::memory().expect("a store");
        let from = embedded.database();
        for table in [clients, accounts, keys, grants] {
            let described = json(from.describe_table(request(json!({"TableName": table}))));
            let described = &described["Table"];
            let mut create = json!({"TableName": table, "BillingMode": "PAY_PER_REQUEST"});
            for member in ["AttributeDefinitions", "KeySchema"] {
                create[member] = described[member].clone();
            }
            if let Some(indexes) = described["GlobalSecondaryIndexes"].as_array() {
                let index = |index: &Value| {
                    let of = |member: &str| index[member].clone();
                    json!({"IndexName": of("IndexName"), "KeySchema": of("KeySchema"),
                        "Projection": of("Projection")})
                };
                create["GlobalSecondaryIndexes"] = indexes.iter().map(index).collect();
            }
            copy.create_table(request(create)).expect("a table");
            let items = json(from.scan(request(json!({"TableName": table}))));
            for item in items["Items"].as_array().expect("items") {
                let put = json!({"TableName": table, "Item": item});
                copy.put_item(request(put)).expect("an item");
            }
        }
        Self(copy)
    }

    /// The answer to a read.
    pub(super) fn answer(&self, read: &Request) -> HttpResponse {
        let Self(copy) = self;
        let body = read.body.clone();
        let answer = match read.operation.as_str() {
            "GetItem" => json(copy.get_item(request(body))),
            "BatchGetItem" => json(copy.batch_get_item(request(body))),
            "Query" => json(copy.query(request(body))),
            other => panic!("{other} is no read of a store"),
        };
        response(200, answer.to_string().into_bytes())
    }
}

fn request<Q: DeserializeOwned>(request: Value) -> Q {
    serde_json::from_value(request).expect("a request")
}

fn json<A: Serialize>(answer: Result<A, DynoxideError>) -> Value {
    serde_json::to_value(answer.expect("an answer")).expect("JSON")
}
