//! DynamoDB and KMS without a network: the embedded store behind HTTP, and a KMS with one data key. How long
//! they take to answer is added up, so that a measurement can leave it out.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::http::{self, Answer, Request, Service};

/// The services, at one address.
pub struct Aws {
    database: Database,
    nanoseconds: AtomicU64,
    calls: AtomicU64,
}

impl Aws {
    /// Serves the database, and a KMS beside it.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(database: Database) -> io::Result<(Arc<Self>, SocketAddr)> {
        let aws = Self { database, nanoseconds: AtomicU64::new(0), calls: AtomicU64::new(0) };
        let aws = Arc::new(aws);
        let address = http::serve(Arc::clone(&aws))?;
        Ok((aws, address))
    }

    /// For how long requests have been here, from their last byte to the last byte of the answer, and how
    /// many there were.
    pub fn spent(&self) -> (Duration, u64) {
        let nanoseconds = self.nanoseconds.load(Ordering::SeqCst);
        (Duration::from_nanos(nanoseconds), self.calls.load(Ordering::SeqCst))
    }

    fn dynamodb(&self, operation: &str, body: &[u8]) -> Result<Vec<u8>, DynoxideError> {
        let database = &self.database;
        match operation {
            "GetItem" => run(body, |request| database.get_item(request)),
            "PutItem" => run(body, |request| database.put_item(request)),
            "UpdateItem" => run(body, |request| database.update_item(request)),
            "DeleteItem" => run(body, |request| database.delete_item(request)),
            "Query" => run(body, |request| database.query(request)),
            "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
            other => Err(DynoxideError::ValidationException(format!("no {other} here"))),
        }
    }
}

impl Service for Aws {
    fn answer(&self, request: Request) -> Answer {
        let operation = request.target.rsplit('.').next().unwrap_or_default();
        if request.target.starts_with("TrentService.") {
            return Answer::json("200 OK", kms(operation, &request.body).to_string());
        }
        match self.dynamodb(operation, &request.body) {
            Ok(body) => Answer::json("200 OK", body),
            Err(error) => Answer::json("400 Bad Request", error.to_json()),
        }
    }

    fn answered(&self, received: Instant, written: Instant) {
        let nanoseconds = written.duration_since(received).as_nanos();
        let nanoseconds = u64::try_from(nanoseconds).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::SeqCst);
        self.calls.fetch_add(1, Ordering::SeqCst);
    }
}

fn run<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    act: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<Vec<u8>, DynoxideError> {
    let unreadable =
        |error: serde_json::Error| DynoxideError::SerializationException(error.to_string());
    let answer = act(serde_json::from_slice(body).map_err(unreadable)?)?;
    serde_json::to_vec(&answer).map_err(unreadable)
}

/// The one data key, however it is asked for.
fn kms(operation: &str, body: &[u8]) -> Value {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let plaintext = BASE64_STANDARD.encode([7; 32]);
    let mut answer = json!({ "KeyId": request["KeyId"], "Plaintext": plaintext });
    if operation == "GenerateDataKey" {
        answer["CiphertextBlob"] = BASE64_STANDARD.encode("a wrapped key").into();
    }
    answer
}
