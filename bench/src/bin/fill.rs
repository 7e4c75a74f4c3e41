//! Fills the store of a data folder with clients: `fill DATA COUNT SAMPLE ALG` writes `COUNT` clients beside those
//! that are there, and prints the value of the Authorization header of `SAMPLE` of them, one a line. Those have
//! secrets of their own; the others share a hash that no secret is known for, which saves an hour of hashing.

#![expect(clippy::expect_used, clippy::panic, reason = "whatever goes wrong ends the benchmark")]

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dynoxide::ImportOptions;
use dynoxide::types::{AttributeValue, Item};
use identety_bench::clients;
use identety_domain::hashing::SecretHasher;
use identety_domain::id;
use identety_domain::store::Creation;
use identety_dynamodb::{Embedded, Tables, create_tables};
use identety_http::ambient;
use serde_json::json;

/// How many clients go into one transaction.
const BATCH: usize = 20_000;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [folder, count, sample, alg] = arguments.as_slice() else {
        panic!("usage: fill DATA COUNT SAMPLE ALG");
    };
    let (count, sample): (usize, usize) =
        (count.parse().expect("a number"), sample.parse().expect("a number"));
    let embedded = Embedded::open(&Path::new(folder).join("identety.db")).expect("the store");
    let tables = Tables::with_prefix("identety-");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(create_tables(&embedded.client(), &tables)).expect("tables");
    let stores = identety_dynamodb::stores(&embedded.client(), &tables);
    let hasher = SecretHasher::new(&mut ambient::rng().expect("randomness"));

    // One client as the stores write it, and its pointer: every other is like it.
    let model = clients::new(alg, &hasher).client;
    let created = runtime.block_on(stores.clients.create(&model));
    assert!(matches!(created, Ok(Creation::Created)));
    let read = |pk: String| {
        let request = json!({"TableName": tables.clients, "Key": {"pk": {"S": pk}}});
        let request = serde_json::from_value(request).expect("a request");
        embedded.database().get_item(request).expect("an answer").item.expect("an item")
    };
    let client = read(format!("CLIENT#{}", model.client_id));
    let pointer = read(format!("ID#{}", model.id));

    let database = embedded.database();
    database.enable_bulk_loading().expect("a faster database");
    let mut rng = ambient::rng().expect("randomness");
    let mut missing = count.saturating_sub(sample);
    while missing > 0 {
        let batch = missing.min(BATCH);
        let mut items = Vec::with_capacity(2 * batch);
        for _ in 0..batch {
            let id = id::uuid_v7(ambient::now(), &mut rng).to_string();
            let client_id = format!("m2m_{}", id::random_text::<18>(&mut rng));
            let pk = format!("CLIENT#{client_id}");
            items.push(with(&client, &[("pk", &pk), ("id", &id), ("clientId", &client_id)]));
            items.push(with(&pointer, &[("pk", &format!("ID#{id}")), ("clientId", &client_id)]));
        }
        database.import_items(&tables.clients, items, ImportOptions::default()).expect("items");
        missing -= batch;
    }
    database.disable_bulk_loading().expect("a safe database");
    for _ in 0..sample.min(count) {
        let client = runtime.block_on(clients::create(&stores, alg, &hasher));
        let pair = format!("{}:{}", client.client_id, client.secret);
        println!("Basic {}", BASE64_STANDARD.encode(pair));
    }
}

/// The item with other texts in some attributes, which must be there.
fn with(item: &Item, changes: &[(&str, &str)]) -> Item {
    let mut item = item.clone();
    for (name, value) in changes {
        let attribute = item.get_mut(*name).expect("the attribute");
        *attribute = AttributeValue::S((*value).to_owned());
    }
    item
}
