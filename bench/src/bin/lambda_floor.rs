//! What a token function in Rust cannot do without: the runtime client and the SDK of AWS, the calls of a start
//! and of a request, and nothing else. It opens no key, signs nothing, asks for no secret and writes no line.
//!
//! `lambda-shape` starts it, and says in `BENCH_CLIENT` whom to read for each request.

use identety_domain::client::ClientId;
use identety_domain::store::{ClientStore as _, KeyStore as _};
use identety_dynamodb::{ClientTable, KeyTable, config};
use identety_http::environment::required;
use identety_keys::DataKeys as _;
use identety_keys::kms::{self, Kms};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = config::from_environment()?;
    let dynamodb = config::dynamodb(&aws);
    let keys = KeyTable::new(dynamodb.clone(), required("IDENTETY_TABLE_KEYS")?);
    let clients = ClientTable::new(dynamodb, required("IDENTETY_TABLE_CLIENTS")?);
    let kms = Kms::new(kms::Client::new(&aws), required("IDENTETY_KMS_KEY")?);
    if let Some(wrapped) = keys.load().await?.wrapped_key {
        kms.unwrap(&wrapped).await?;
    }
    let client =
        ClientId::parse(&required("BENCH_CLIENT")?).ok_or("BENCH_CLIENT is no client_id")?;
    let answer = json!({ "statusCode": 200, "headers": {}, "body": r#"{"access_token":"a.b.c"}"# });
    let (clients, client, answer) = (&clients, &client, &answer);
    let handle = |_: LambdaEvent<Value>| async move {
        clients.find(client).await?;
        Ok::<_, Error>(answer.clone())
    };
    lambda_runtime::run(service_fn(handle)).await
}
